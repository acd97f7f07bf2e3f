"""Sizes of a rule: natural numbers, variables, sums and products of such, in the normal form of extents."""

from __future__ import annotations

from fractions import Fraction

from surgdsl.axis.extent import Extent, add, multiply, symbol
from surgdsl.language import tree
from surgdsl.language.scope import Scope
from surgdsl.language.value import constant
from surgdsl.units import PLAIN, Quantity


def extent(scope: Scope, expr: tree.Expr) -> Extent | None:
    """A size: natural numbers and variables with ``+`` and ``*``; or nothing where `expr` is none."""
    match expr:
        case tree.Name(text) if text not in scope.constants:
            return symbol(text)
        case tree.Binary("+" | "*" as operator, left, right):
            sides = extent(scope, left), extent(scope, right)
            if sides[0] is None or sides[1] is None:
                return None
            return (add if operator == "+" else multiply)(sides[0], sides[1])
        case tree.Number() | tree.Name():
            value = constant(scope, expr)
            if isinstance(value, Quantity) and value.dimension == PLAIN and _natural(value.value):
                return int(value.value)
            label = "expected for example 3, cin or 2 * cin"
            return None if value is None else scope.refuse("E0343", "this is no size", expr.span, label)
        case _:
            label = "sizes are natural numbers and variables with + and *"
            return scope.refuse("E0343", "this is no size", expr.span, label)


def _natural(value: Fraction) -> bool:
    return value.denominator == 1 and value >= 0
