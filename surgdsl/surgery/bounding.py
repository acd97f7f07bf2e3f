"""Bounds: what the factor of a `bounded` rule is for one place, and whether stored factors are as near as they must be.

Singular values are not rational and their bits depend on the library; so a bound is computed a little too large, and
what an approximation is off by is measured on what was stored, not on what was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from attrs import evolve

from surgdsl.bridge.weight import Array
from surgdsl.formula import Apply, Formula, Number, Spectral
from surgdsl.formula.evaluation import Environment, evaluate, exactly
from surgdsl.formula.fields import FLOATS
from surgdsl.rules.ground import axes
from surgdsl.rules.schema import Assignment, Bound, Schema

SLACK = Fraction(1, 2**18)
"""Of the largest singular value: what rounding the factors to their dtype may add to the distance."""
OUTWARD = 1 + 2.0**-30


def factor(bound: Bound, known: Environment) -> float:
    """The factor of a bound for these weights, rounded outward.

    Raises:
        Undefined: it has no value.
    """
    return float(exactly(_outward(bound.factor), known, FLOATS)) * OUTWARD


def _outward(formula: Formula) -> Formula:
    """The formula with every σ(k) read as σ(k) + 2^-18·σ(1)."""
    match formula:
        case Apply(_, terms):
            return evolve(formula, terms=tuple(map(_outward, terms)))
        case Spectral("sigma"):
            largest = evolve(formula, rank=Number(Fraction(1)))
            return Apply("add", (formula, Apply("mul", (Number(SLACK), largest))))
        case _:
            return formula


def distance(schema: Schema, known: Environment, stored: Mapping[tuple[str, str], Array]) -> str:
    """Why stored factors of a decomposition are no such approximation; empty where all are."""
    for left, right in pairs(schema):
        assert isinstance(left.value, Spectral)
        whole = evaluate(left.value.body, known)
        rank = int(exactly(left.value.rank, known, FLOATS))
        matrix = whole.values.reshape(whole.values.shape[0], -1)
        values = np.linalg.svd(matrix, compute_uv=False)
        rows, *columns = whole.axes
        u = _laid(schema, left, stored, (rows, left.value.axis)).reshape(matrix.shape[0], rank)
        v = _laid(schema, right, stored, (left.value.axis, *columns)).reshape(rank, matrix.shape[1])
        rest = matrix - u @ v
        allowed = (values[rank] if rank < len(values) else 0.0) + float(SLACK) * values[0]
        if np.linalg.norm(rest, 2) > allowed:
            return f"{left.box}.{left.tensor} and {right.box}.{right.tensor}, rounded, are too far from the whole"
    return ""


def _laid(
    schema: Schema, clause: Assignment, stored: Mapping[tuple[str, str], Array], wanted: tuple[str, ...]
) -> Array:
    """A stored weight in float64, its axes in this order; those that are not named have extent 1 and come last."""
    box = next(one for one in schema.right if one.name == clause.box)
    tensor = box.kind.tensor(clause.tensor)
    assert tensor is not None, "a schema assigns weights that its boxes have"
    names = axes(box, tensor)
    order = [*map(names.index, wanted), *(place for place, name in enumerate(names) if name not in wanted)]
    return stored[clause.box, clause.tensor].astype(np.float64).transpose(order)


def pairs(schema: Schema) -> list[tuple[Assignment, Assignment]]:
    """The clauses that hold the two parts of one decomposition."""
    parts = [one for one in schema.weights if isinstance(one.value, Spectral)]
    return [
        (left, right)
        for left in parts
        for right in parts
        if isinstance(left.value, Spectral)
        and left.value.part == "left"
        and right.value == evolve(left.value, part="right")
    ]
