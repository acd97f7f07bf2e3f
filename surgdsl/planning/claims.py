"""Claims: counted promises evaluated exactly, and told with their figures.

Rationals only; a division by zero makes a promise not kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

from surgdsl.language.claim import Apply, Counted, Expr, Metric, Number

RELATIONS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}

OPERATORS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda left, right: left / right,
}


def value(expr: Expr, before: Mapping[str, int], after: Mapping[str, int]) -> Fraction:
    """The number that an expression is for these counts.

    >>> value(Apply("mul", (Number(Fraction(1, 2)), Metric("params", "before"))), {"params/1": 10}, {})
    Fraction(5, 1)

    Raises:
        ZeroDivisionError: it divides by zero.
    """
    match expr:
        case Number(constant):
            return constant
        case Metric(name, state):
            return Fraction((before if state == "before" else after)[f"{name}/1"])
        case Apply(name, (left, right)):
            return OPERATORS[name](value(left, before, after), value(right, before, after))
        case Apply():
            raise ValueError(f"{expr.op} takes two terms")


def holds(claim: Counted, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Whether a counted promise is kept."""
    try:
        return RELATIONS[claim.relation](value(claim.left, before, after), value(claim.right, before, after))
    except ZeroDivisionError:
        return False


def shown(claim: Counted, before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Both sides as numbers: ``58,410 <= 57,702``."""
    try:
        left, right = value(claim.left, before, after), value(claim.right, before, after)
    except ZeroDivisionError:
        return "a division by zero"
    kept = "holds" if RELATIONS[claim.relation](left, right) else "does not hold"
    return f"{_figure(left)} {claim.relation} {_figure(right)} {kept}"


def _figure(number: Fraction) -> str:
    return f"{int(number):,}" if number.denominator == 1 else f"{float(number):,.6g}"
