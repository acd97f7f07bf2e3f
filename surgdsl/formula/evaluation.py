"""Evaluation: the value of a formula in a field of numbers.

Element by element, and every sum in one defined order, so that two programs which follow this page agree to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from attrs import evolve, frozen
from attrs import field as attribute

from surgdsl.formula.fields import FLOATS, Field, Floats, Undefined, power
from surgdsl.formula.spectrum import spectral
from surgdsl.formula.tensor import Tensor, Values, aligned, union, unrolled
from surgdsl.formula.tree import (
    EVERY,
    LARGEST_POWER,
    Apply,
    Attested,
    Each,
    Extern,
    Formula,
    Metric,
    Number,
    Of,
    Reduce,
    Spectral,
    Variable,
)

Record = Mapping[str, Fraction | int]
"""The properties of one weight: count, nnz, bits, size."""


@frozen
class Environment:
    """What the leaves of a formula stand for: tensors by name, and of each state its metrics and its weights."""

    variables: Mapping[str, Tensor] = attribute(factory=dict[str, Tensor])
    metrics: Mapping[tuple[str, str], Fraction | int] = attribute(factory=dict[tuple[str, str], Fraction | int])
    weights: Mapping[str, Sequence[Record]] = attribute(factory=dict[str, Sequence[Record]])
    bound: Mapping[str, Record] = attribute(factory=dict[str, Record])


def evaluate(  # noqa: C901, PLR0911 - one case for each construct
    formula: Formula, environment: Environment, field: Field = FLOATS
) -> Tensor:
    """The value of `formula`.

    >>> rows = Tensor(("i", "j"), [[1.0, 2.0], [3.0, 4.0]])
    >>> total = Reduce("sum", ("j",), Apply("pow", (Variable("w"), Number(Fraction(2)))))
    >>> evaluate(total, Environment({"w": rows}))
    Tensor(axes=('i',), values=array([ 5., 25.]))

    Raises:
        KeyError: the environment lacks a name.
        Misfit: axes of one name differ in extent, or one that is reduced is not there.
        Undefined: it has no value in this field.
    """
    match formula:
        case Apply("if", (test, yes, no)):
            return _conditional(test, (yes, no), environment, field)
        case Apply("pow", (base, Number(exponent))) if exponent.denominator == 1 and abs(exponent) <= LARGEST_POWER:
            found = evaluate(base, environment, field)
            return Tensor(found.axes, power(field, found.values, int(exponent)))
        case Apply("pow"):
            raise Undefined("an exponent that is no whole constant from -64 to 64")
        case Apply(op, terms):
            return _applied(op, [evaluate(term, environment, field) for term in terms], field)
        case Reduce("sum", axes, Apply("mul", (left, right))):
            return _contracted(axes, evaluate(left, environment, field), evaluate(right, environment, field), field)
        case Reduce(kind, axes, body):
            return _reduced(kind, axes, evaluate(body, environment, field), field)
        case Each():
            return _each(formula, environment, field)
        case Spectral(part, body, rank, axis):
            return _decomposed(part, evaluate(body, environment, field), rank, axis, environment, field)
        case _:
            return _leaf(formula, environment, field)


def exactly(formula: Formula, environment: Environment, field: Field) -> Any:
    """The value of a formula that has no axes, as a number of `field`.

    Raises:
        Undefined: it has none, or has axes.
    """
    found = evaluate(formula, environment, field)
    if found.axes:
        raise Undefined(f"a tensor over {', '.join(found.axes)} in place of a number")
    return found.values[()]


LARGEST = 1 << 28
"""Elements of a tensor on the way; larger ones would not fit into the memory of a common machine."""


def _leaf(formula: Formula, environment: Environment, field: Field) -> Tensor:
    match formula:
        case Number(value):
            return _single(field, value)
        case Variable(name):
            return environment.variables[name]
        case Metric(name, state):
            return _single(field, Fraction(environment.metrics[name, state]))
        case Of(name, variable):
            return _single(field, Fraction(environment.bound[variable][name]))
        case Attested(value):
            return _single(field, value)
        case Extern(reference):
            raise Undefined(f"{reference} has not been asked yet")
        case _:
            raise TypeError(f"{type(formula).__name__} is no leaf")


def _single(field: Field, value: Fraction) -> Tensor:
    return Tensor((), np.array(field.number(value), dtype=field.dtype))


def _applied(op: str, terms: Sequence[Tensor], field: Field) -> Tensor:
    arrays = aligned(*terms)
    size = math.prod(max(lengths) for lengths in zip(*(array.shape for array in arrays), strict=True))
    if size > LARGEST:
        raise Undefined(f"a tensor of {size} elements, more than {LARGEST}")
    return Tensor(union(*terms), field.apply(op, *arrays))


def _conditional(test: Formula, sides: tuple[Formula, Formula], environment: Environment, field: Field) -> Tensor:
    """Where the test is a single truth value, only the chosen side is evaluated."""
    truth = evaluate(test, environment, field)
    if not truth.axes:
        return evaluate(sides[0] if truth.values[()] else sides[1], environment, field)
    return _applied("if", [truth, *(evaluate(side, environment, field) for side in sides)], field)


# ---- reductions ---------------------------------------------------------------------------------

STEPS = {"sum": "add", "mean": "add", "prod": "mul", "max": "max", "min": "min"}
SLAB = 1 << 20
"""Elements that a running sum holds at a time."""


def _reduced(kind: str, axes: tuple[str, ...], body: Tensor, field: Field) -> Tensor:
    """From the first element on, one after the other, in row-major order of `axes` as listed."""
    rest, values = unrolled(body, body.axes if axes == (EVERY,) else axes)
    return Tensor(rest, _folded(kind, values, field))


def _folded(kind: str, values: Values, field: Field) -> Values:
    """`kind` along dimension 0."""
    count = _full(field, values.shape[1:], Fraction(len(values)))
    if kind == "count":
        return count
    if not len(values):
        return _empty(kind, field, values.shape[1:])
    if kind in ("sum", "mean") and isinstance(field, Floats):
        with np.errstate(all="ignore"):
            found = _summed(values) if field.sequential else np.asarray(values.sum(axis=0))
    else:
        found = _fold(kind, values, field)
    return field.apply("div", found, count) if kind == "mean" else found


def _empty(kind: str, field: Field, shape: tuple[int, ...]) -> Values:
    if kind not in ("sum", "prod"):
        raise Undefined(f"the {kind} of nothing")
    return _full(field, shape, Fraction(kind == "prod"))


def _full(field: Field, shape: tuple[int, ...], value: Fraction) -> Values:
    return np.full(shape, field.number(value), dtype=field.dtype)


def _fold(kind: str, values: Iterable[Values], field: Field) -> Values:
    first, *others = values
    found = np.asarray(first, dtype=field.dtype)
    for one in others:
        found = field.apply(STEPS[kind], found, np.asarray(one, dtype=field.dtype))
    return found


def _summed(values: Values) -> Values:
    """Running sums, whose order numpy defines, a slab at a time; its `sum` adds in pairs."""
    width = max(1, SLAB // max(1, values[0].size))
    found = values[0]
    for start in range(1, len(values), width):
        slab = np.concatenate([found[None], values[start : start + width]])
        found = np.add.accumulate(slab, axis=0)[-1]
    return np.asarray(found)


def _contracted(axes: tuple[str, ...], left: Tensor, right: Tensor, field: Field) -> Tensor:
    """Σ of products as `_reduced` has it, without holding them all where that would be larger than its factors."""
    chosen = union(left, right) if axes == (EVERY,) else axes
    sizes = left.extents | right.extents
    whole = int(np.prod([sizes[axis] for axis in union(left, right)], dtype=np.int64))
    shared = all(axis in left.axes and axis in right.axes for axis in chosen)
    if not shared or whole <= max(left.values.size, right.values.size):
        return _reduced("sum", chosen, _applied("mul", [left, right], field), field)
    (first, mine), (second, theirs) = unrolled(left, chosen), unrolled(right, chosen)
    if not len(mine):
        shape = [sizes[axis] for axis in dict.fromkeys((*first, *second))]
        return Tensor(tuple(dict.fromkeys((*first, *second))), _empty("sum", field, tuple(shape)))
    found: Tensor | None = None
    for a, b in zip(mine, theirs, strict=True):
        product = _applied("mul", [Tensor(first, a), Tensor(second, b)], field)
        found = product if found is None else Tensor(found.axes, field.apply("add", found.values, product.values))
    assert found is not None
    return found


def _each(formula: Each, environment: Environment, field: Field) -> Tensor:
    members = environment.weights[formula.state]

    def valued(member: Record) -> Values:
        inner = evolve(environment, bound={**environment.bound, formula.variable: member})
        return np.asarray(exactly(formula.body, inner, field), dtype=field.dtype)

    values = np.array([valued(member) for member in members], dtype=field.dtype)
    return Tensor((), _folded(formula.kind, values, field))


def _decomposed(part: str, body: Tensor, rank: Formula, axis: str, environment: Environment, field: Field) -> Tensor:
    if not isinstance(field, Floats):
        raise Undefined("singular values are not rational")
    return spectral(part, body, int(exactly(rank, environment, field)), axis)
