"""Conditions: what a rule asks of the sizes and arguments of a place, evaluated in exact rationals."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from surgdsl.diagram.operation import Attribute
from surgdsl.formula import Formula, variables
from surgdsl.formula.evaluation import Environment, exactly
from surgdsl.formula.fields import RATIONALS, Undefined
from surgdsl.formula.tensor import Tensor
from surgdsl.rules.ground import Unfit


def holds(condition: Formula, binding: Mapping[str, Attribute]) -> bool:
    """Whether a condition is true for these values.

    Raises:
        Unfit: it has no value, or asks for a size that is not a number.
    """
    return bool(number(condition, binding))


def number(formula: Formula, binding: Mapping[str, Attribute]) -> Fraction | bool:
    """The exact value of a formula over the variables of a rule.

    Raises:
        Unfit: as `holds`.
    """
    values = {name: Tensor((), np.array(_rational(name, binding), dtype=object)) for name in variables(formula)}
    try:
        return exactly(formula, Environment(values), RATIONALS)
    except Undefined as why:
        raise Unfit(f"{why}") from why


def _rational(name: str, binding: Mapping[str, Attribute]) -> Fraction:
    value = binding.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Fraction(value)
    raise Unfit(f"`{name}` is {value}, and not a number")
