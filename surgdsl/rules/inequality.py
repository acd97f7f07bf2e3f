"""Inequalities: whether the bound of a `bounded` rule holds, at random points in float64."""

from __future__ import annotations

from itertools import islice
from random import Random

import numpy as np

from surgdsl.formula.evaluation import exactly
from surgdsl.formula.fields import FLOATS, Undefined
from surgdsl.formula.tensor import Misfit, Values
from surgdsl.rules.instances import instances, spelled
from surgdsl.rules.meaning import COMPUTED, Interpretation
from surgdsl.rules.points import both
from surgdsl.rules.schema import Bound, Schema

SAMPLES = 64
ROUNDING = 1e-9
"""What float64 may be off by, relative to the sizes involved."""


def violation(schema: Schema, bound: Bound) -> tuple[int, str]:
    """At how many points the bound was tested, and where it does not hold (empty: nowhere).

    A rule with a box that is not computed here, only known by its name, is not tested.
    """
    if not all(box.kind.operator in COMPUTED for box in (*schema.left, *schema.right)):
        return 0, ""
    tested = 0
    for number, instance in enumerate(islice(instances(schema), SAMPLES)):
        random = Random(f"{schema.name} bound {number}")  # noqa: S311 - it must repeat, not surprise
        try:
            (left, right), known = both(schema, instance, Interpretation(FLOATS, number, True), random)
            factor = float(exactly(bound.factor, known, FLOATS))
        except (Undefined, Misfit):
            continue
        off = _norm(bound, left[bound.output] - right[bound.output])
        allowed = factor * _norm(bound, left[bound.input])
        if not off <= allowed * (1 + ROUNDING) + ROUNDING * (1 + _norm(bound, left[bound.output])):
            return tested, f"at {spelled(instance.binding)}: {off:.6g} is more than {allowed:.6g}"
        tested += 1
    return tested, ""


def _norm(bound: Bound, values: Values) -> float:
    flat = np.abs(np.asarray(values, dtype=np.float64)).ravel()
    return float(flat.max(initial=0.0)) if bound.norm == "linf" else float(np.sqrt((flat**2).sum()))
