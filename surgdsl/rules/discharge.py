"""Discharge: whether L and R of an `exact` rule are the same function, tested before the rule is used.

On random small instances both sides are evaluated at random points modulo the prime 2^61 − 1. Two different polynomials
of degree d agree at such a point with a probability of at most d/p (Schwartz 1980, Zippel 1979), so agreement is
evidence with a figure. Where that is too strict, because a function is only known piece by piece, both sides are
evaluated exactly at random rational points, and the evidence is how many there were.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import islice
from random import Random

import numpy as np
from attrs import frozen

from surgdsl.formula import Apply, walk
from surgdsl.formula.fields import PRIME, RATIONALS, Resample, Residues, Undefined
from surgdsl.formula.tensor import Misfit
from surgdsl.rules.degree import degree
from surgdsl.rules.inequality import violation
from surgdsl.rules.instances import Instance, instances, spelled
from surgdsl.rules.meaning import PIECEWISE, Interpretation
from surgdsl.rules.points import both
from surgdsl.rules.schema import Schema

IDENTITIES, SAMPLES, REDRAWN = 8, 64, 200
CONFIDENCE = 40
"""Bits: an identity is accepted when a wrong one would pass with a probability of at most 2^-40."""


@frozen
class Discharged:
    """What speaks for a rule: how many instances, and at each either so many bits or a sample."""

    method: str
    """``identity`` (modulo the prime), ``samples`` (of exact rationals, or of the bound), or ``none``."""
    instances: int
    bits: int

    def __str__(self) -> str:
        if self.method == "identity":
            return f"identity at {self.instances} small sizes, each with probability 1 - 2^-{self.bits}"
        return f"holds at {self.instances} random points" if self.instances else "not tested"


@frozen
class Refuted:
    """A point at which L and R differ, or the reason why nothing could be tested."""

    reason: str


@cache
def discharge(schema: Schema) -> Discharged | Refuted:
    """Test that an `exact` rule is, or that the bound of a `bounded` one holds; a `lossy` one claims nothing.

    Raises:
        Misbuilt: it has no well-typed instances.
    """
    if schema.grade == "lossy":
        return Discharged("none", 0, 0)
    if schema.bound is not None:
        count, fault = violation(schema, schema.bound)
        return Refuted(fault) if fault else Discharged("samples" if count else "none", count, 0)
    try:
        found = _identity(schema)
        if isinstance(found, Discharged) or not _piecewise(schema):
            return _told(schema, found) if isinstance(found, Refuted) else found
        return _sampled(schema)
    except (Undefined, Misfit) as why:
        return Refuted(f"it cannot be tested: {why}")


def _identity(schema: Schema) -> Discharged | Refuted:
    bits = CONFIDENCE + 20
    for number, instance in enumerate(islice(instances(schema), IDENTITIES)):
        reached, draw = 0, 0
        each = PRIME.bit_length() - 1 - degree(schema, instance).bit_length()
        while reached < CONFIDENCE:
            fault, draw = _compared(schema, instance, f"{number}", False, draw)
            if fault:
                return Refuted(fault)
            reached += max(1, each)
        bits = min(bits, reached)
    return Discharged("identity", IDENTITIES, bits)


def _sampled(schema: Schema) -> Discharged | Refuted:
    for number, instance in enumerate(islice(instances(schema), SAMPLES)):
        fault, _ = _compared(schema, instance, f"exact {number}", True, 0)
        if fault:
            return Refuted(fault)
    return Discharged("samples", SAMPLES, 0)


def _told(schema: Schema, found: Refuted) -> Refuted:
    """A counterexample in rationals, which people can follow, where there is one."""
    try:
        other = _sampled(schema)
    except (Undefined, Misfit):
        return found
    return other if isinstance(other, Refuted) else found


def _piecewise(schema: Schema) -> bool:
    """Whether the rule knows functions that only have a meaning where numbers have an order."""
    boxes = any(box.kind.operator in PIECEWISE for box in (*schema.left, *schema.right))
    return boxes or any(
        isinstance(one, Apply) and one.op in ("abs", "min", "max", "if")
        for clause in schema.weights
        for one in walk(clause.value)
    )


# ---- one point ----------------------------------------------------------------------------------


def _compared(schema: Schema, instance: Instance, seed: str, ordered: bool, draw: int) -> tuple[str, int]:
    """How L and R differ at a random point (empty: not at all), and the number of the next draw."""
    for again in range(draw, draw + REDRAWN):
        try:
            return _difference(schema, instance, f"{schema.name} {seed} {again}", ordered), again + 1
        except Resample:
            continue
    raise Undefined("no random point is in the domain of its roots")


def _difference(schema: Schema, instance: Instance, seed: str, ordered: bool) -> str:
    random = Random(seed)  # noqa: S311 - it must repeat, not surprise
    field = RATIONALS if ordered else Residues(random.getrandbits(32))
    inside = Interpretation(field, random.getrandbits(32), ordered)
    (left, right), _ = both(schema, instance, inside, random)
    for port in schema.glue:
        before, after = left[port.wire], right[port.wire]
        wrong = np.argwhere(np.asarray(before != after, dtype=bool))
        if len(wrong):
            at = tuple(int(place) for place in wrong[0])
            place = f"{port.wire}[{', '.join(map(str, at))}]"
            return (
                f"at {spelled(instance.binding)}: {place} is {_number(before[at])} in L and {_number(after[at])} in R"
            )
    return ""


def _number(value: object) -> str:
    return f"{float(value):.6g}" if isinstance(value, Fraction) else "one number modulo 2^61 - 1"
