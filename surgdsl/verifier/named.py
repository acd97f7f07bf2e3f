"""Tensors over named axes: the value of a rule's formula in float64, one IEEE operation after the other, to the bit.

Sums go through their elements in order, without pairs and without compensation, so that equal inputs give equal bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surgdsl.verifier.content import Array
from surgdsl.verifier.reject import need


def lesser(left: Array, right: Array) -> Array:
    """The left one where it is not above the right one, or NaN."""
    return np.where((left <= right) | np.isnan(left), left, right)


def greater(left: Array, right: Array) -> Array:
    """The left one where it is not below the right one, or NaN."""
    return np.where((left >= right) | np.isnan(left), left, right)


SLACK = 2.0**-18  # of the largest singular value: what a library may lose
POINTWISE: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "abs": np.abs,
    "sqrt": np.sqrt, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "if": np.where,
    "min": lesser, "max": greater,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values along axes that have names."""

    axes: tuple[str, ...]
    values: Array

    def along(self, axes: Sequence[str]) -> Array:
        """The values laid along these axes, of extent 1 along those that the tensor lacks."""
        order = [self.axes.index(axis) for axis in axes if axis in self.axes]
        extents = [self.values.shape[self.axes.index(axis)] if axis in self.axes else 1 for axis in axes]
        return self.values.transpose(order).reshape(extents)


def evaluate(formula: dict[str, Any], bound: Mapping[str, Tensor]) -> Tensor:
    """The value of a formula whose variables are bound; V15 when its axes do not fit."""
    if "number" in formula:
        return Tensor((), np.array(float(Fraction(formula["number"]))))
    if "variable" in formula:
        name = formula["variable"]
        need(name in bound, "V15", f"the formula speaks of `{name}`, which is nothing there")
        return bound[name]
    with np.errstate(all="ignore"):
        if "spectral" in formula:
            rank = float(evaluate(formula["rank"], bound).values)
            return Tensor((), np.array(at_least(evaluate(formula["body"], bound), formula["spectral"], rank)))
        if "reduce" in formula:
            return reduced(formula["reduce"], formula["axes"], evaluate(formula["body"], bound))
        terms = [evaluate(term, bound) for term in formula["terms"]]
        if formula["apply"] == "pow":
            return Tensor(terms[0].axes, power(terms[0].values, int(formula["terms"][1]["number"])))
        axes = aligned(terms)
        need(formula["apply"] in POINTWISE, "V15", f"`{formula['apply']}` has no bits that all agree on")
        return Tensor(axes, POINTWISE[formula["apply"]](*(term.along(axes) for term in terms)))


def aligned(terms: Sequence[Tensor]) -> tuple[str, ...]:
    """The axes of all terms in the order in which they first appear; V15 when extents of one name differ."""
    pairs = {pair for term in terms for pair in zip(term.axes, term.values.shape, strict=True)}
    axes = tuple(dict.fromkeys(axis for term in terms for axis in term.axes))
    need(len(pairs) == len(axes), "V15", "an axis has two extents")
    return axes


def power(base: Array, exponent: int) -> Array:
    """((x·x)·x)…, its reciprocal for a negative exponent."""
    found = base if exponent else np.ones_like(base)
    for _ in range(abs(exponent) - 1):
        found = found * base
    return 1 / found if exponent < 0 else found


def reduced(kind: str, over: Sequence[str], body: Tensor) -> Tensor:
    """A reduction over axes, row-major, the first one slowest; V15 when the body lacks one of them."""
    over = body.axes if list(over) == ["*"] else tuple(over)
    need(len(set(over)) == len(over) and set(over) <= set(body.axes), "V15", f"{', '.join(over)} are no axes to reduce")
    rest = tuple(axis for axis in body.axes if axis not in over)
    laid = body.along((*rest, *over))
    count = math.prod(laid.shape[len(rest) :])
    rows = laid.reshape(*laid.shape[: len(rest)], count)
    return Tensor(rest, fold(kind, rows, count))


def fold(kind: str, rows: Array, count: int) -> Array:
    """The reduction of the last dimension, from its first element to its last."""
    if kind == "count":
        return np.full(rows.shape[:-1], float(count))
    if kind in ("min", "max"):  # the first of those that are NaN, else the first of equals
        at = (np.argmin if kind == "min" else np.argmax)(rows, axis=-1)
        return np.take_along_axis(rows, np.expand_dims(at, -1), axis=-1)[..., 0]
    found = (np.multiply if kind == "prod" else np.add).accumulate(rows, axis=-1)[..., -1]
    return found / count if kind == "mean" else found


def matrix(tensor: Tensor) -> Array:
    """A tensor as a matrix: rows are its first axis, columns the others, row-major."""
    need(len(tensor.axes) >= 1, "V15", "a number has no singular values")
    return tensor.values.reshape(tensor.values.shape[0], -1)


def singular(values: Array) -> Array:
    """The singular values of a matrix, the largest first; V15 when it is not finite."""
    need(bool(np.all(np.isfinite(values))), "V15", "what is decomposed is not finite")
    return np.linalg.svd(values, compute_uv=False)


def at_least(body: Tensor, part: str, rank: float) -> float:
    """The singular value of a number from 1, 0 beyond the last, and what the library may have lost of it."""
    need(part == "sigma" and rank >= 1 and rank == int(rank), "V15", "a bound rests on singular values by number")
    found = singular(matrix(body))
    return float(found[int(rank) - 1] if rank <= len(found) else 0.0) + SLACK * float(found[0])
