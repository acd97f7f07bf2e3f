"""Evaluation: the value of a formula in a field of numbers.

Element by element, and every sum in one defined order, so that two programs which follow this page agree to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from attrs import evolve, frozen
from attrs import field as attribute

from surgdsl.formula.fields import FLOATS, Field, Floats, Undefined, power
from surgdsl.formula.reduction import applied, contracted, folded, reduced
from surgdsl.formula.spectrum import spectral
from surgdsl.formula.tensor import Tensor, Values
from surgdsl.formula.tree import (
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
            return applied(op, [evaluate(term, environment, field) for term in terms], field)
        case Reduce("sum", axes, Apply("mul", (left, right))):
            return contracted(axes, evaluate(left, environment, field), evaluate(right, environment, field), field)
        case Reduce(kind, axes, body):
            return reduced(kind, axes, evaluate(body, environment, field), field)
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


def _conditional(test: Formula, sides: tuple[Formula, Formula], environment: Environment, field: Field) -> Tensor:
    """Where the test is a single truth value, only the chosen side is evaluated."""
    truth = evaluate(test, environment, field)
    if not truth.axes:
        return evaluate(sides[0] if truth.values[()] else sides[1], environment, field)
    return applied("if", [truth, *(evaluate(side, environment, field) for side in sides)], field)


def _each(formula: Each, environment: Environment, field: Field) -> Tensor:
    members = environment.weights[formula.state]

    def valued(member: Record) -> Values:
        inner = evolve(environment, bound={**environment.bound, formula.variable: member})
        return np.asarray(exactly(formula.body, inner, field), dtype=field.dtype)

    values = np.array([valued(member) for member in members], dtype=field.dtype)
    return Tensor((), folded(formula.kind, values, field))


def _decomposed(part: str, body: Tensor, rank: Formula, axis: str, environment: Environment, field: Field) -> Tensor:
    if not isinstance(field, Floats):
        raise Undefined("singular values are not rational")
    return spectral(part, body, int(exactly(rank, environment, field)), axis)
