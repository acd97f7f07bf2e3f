"""Tensors over named axes: the value of a rule's formula in float64, one IEEE operation after the other, to the bit.

Sums go through their elements in order, without pairs and without compensation, so that equal inputs give equal bits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from surgdsl.verifier.arrays import Column, each, finite, ops, steps
from surgdsl.verifier.formula import EXACT, VALUES
from surgdsl.verifier.reject import need

SLACK = 2.0**-18  # of the largest singular value: what a library may lose
POINTWISE: dict[str, Callable[..., Any]] = VALUES | {
    "div": ops.div, "not": partial(EXACT.xor, True), "if": ops.where, "sqrt": ops.sqrt, "min": ops.lesser,
    "max": ops.greater,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values, row-major, along axes that have names and extents."""

    extents: Mapping[str, int]
    values: Column

    def along(self, extents: Mapping[str, int]) -> Column:
        """The values laid along other axes, the same along those that the tensor lacks."""
        own = dict(zip(self.extents, steps((*self.extents.values(),)), strict=True))
        return ops.lay(self.values, [*extents.values()], [own.get(axis, 0) for axis in extents])


def number(value: Any) -> Tensor:
    """A tensor without axes."""
    return Tensor({}, ops.numbers([value]))


def evaluate(formula: dict[str, Any], bound: Mapping[str, Tensor]) -> Tensor:
    """The value of a formula whose variables are bound; V15 when its axes do not fit."""
    if "number" in formula:
        return number(Fraction(formula["number"]))
    if "variable" in formula:
        name = formula["variable"]
        need(name in bound, "V15", f"the formula speaks of `{name}`, which is nothing there")
        return bound[name]
    if "spectral" in formula:
        need(
            (formula["spectral"], formula["axis"]) == ("sigma", ""), "V15", "a bound rests on singular values by number"
        )
        return number(at_least(evaluate(formula["body"], bound), rank_of(formula, bound)))
    if "reduce" in formula:
        return reduced(formula["reduce"], formula["axes"], evaluate(formula["body"], bound))
    terms = [evaluate(term, bound) for term in formula["terms"]]
    if formula["apply"] == "pow":
        return Tensor(terms[0].extents, power(terms[0].values, int(formula["terms"][1]["number"])))
    extents = aligned(terms)
    need(formula["apply"] in POINTWISE, "V15", f"`{formula['apply']}` has no bits that all agree on")
    return Tensor(extents, each(POINTWISE[formula["apply"]], *(term.along(extents) for term in terms)))


def aligned(terms: Iterable[Tensor]) -> dict[str, int]:
    """The axes of all terms in the order in which they first appear; V15 when extents of one name differ."""
    found = dict[str, int]()
    for axis, extent in (pair for term in terms for pair in term.extents.items()):
        need(found.setdefault(axis, extent) == extent, "V15", f"the axis {axis} has two extents")
    return found


def power(base: Column, exponent: int) -> Column:
    """((x·x)·x)…, its reciprocal for a negative exponent."""
    ones = ops.numbers([1] * len(base))
    found = base if exponent else ones
    for _ in range(abs(exponent) - 1):
        found = each(operator.mul, found, base)
    return each(ops.div, ones, found) if exponent < 0 else found


def reduced(kind: str, over: Sequence[str], body: Tensor) -> Tensor:
    """A reduction over axes, row-major, the first one slowest; V15 when the body lacks one of them."""
    over = [*body.extents] if list(over) == ["*"] else over
    known = len(set(over)) == len(over) and body.extents.keys() >= set(over)
    need(known, "V15", f"{', '.join(over)} are no axes to reduce")
    rest = {axis: extent for axis, extent in body.extents.items() if axis not in over}
    size = math.prod(body.extents[axis] for axis in over)
    if kind == "count":
        return Tensor(rest, ops.numbers([size] * math.prod(rest.values())))
    return Tensor(rest, ops.fold(kind, body.along({**rest, **{axis: body.extents[axis] for axis in over}}), size))


def singular(body: Tensor, values: Column) -> list[float]:
    """The singular values of a matrix as large as a tensor, its first axis being its rows; V15 when not finite."""
    need(bool(body.extents), "V15", "a number has no singular values")
    need(finite(values), "V15", "what is decomposed is not finite")
    return ops.singular(values, next(iter(body.extents.values())))


def rank_of(formula: dict[str, Any], bound: Mapping[str, Tensor]) -> int:
    """The rank that a spectral value speaks of; V15 unless it is an integer from 1."""
    found = evaluate(formula["rank"], bound)
    rank = float(found.values[0])
    need(not found.extents and rank >= 1 and rank.is_integer(), "V15", "singular values go by number")
    return int(rank)


def at_least(body: Tensor, rank: int) -> float:
    """The singular value of a number from 1, 0 beyond the last, and what the library may have lost of it."""
    found = singular(body, body.values)
    return (found[rank - 1] if rank <= len(found) else 0.0) + SLACK * found[0]
