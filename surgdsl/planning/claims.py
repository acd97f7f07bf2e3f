"""Claims: counted promises evaluated exactly, and told with their figures.

Rationals only; what is undefined, such as a division by zero, makes a promise not kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

from surgdsl.formula import Extern, walk
from surgdsl.formula.evaluation import Environment, exactly
from surgdsl.formula.fields import RATIONALS, Undefined
from surgdsl.language.claim import Counted, Expr
from surgdsl.metrics import Counts

RELATIONS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}


def value(expr: Expr, before: Mapping[str, int], after: Mapping[str, int]) -> Fraction:
    """The number that an expression is for these counts.

    Raises:
        Undefined: it has none, for example since it divides by zero.
    """
    states = (("before", before), ("after", after))
    metrics = {(name.partition("/")[0], state): count for state, counts in states for name, count in counts.items()}
    weights = {state: counts.weights for state, counts in states if isinstance(counts, Counts)}
    return exactly(expr, Environment(metrics=metrics, weights=weights), RATIONALS)


def asks(claim: Counted) -> bool:
    """Whether a promise rests on Python that is not asked before there is a result."""
    return any(isinstance(one, Extern) for side in (claim.left, claim.right) for one in walk(side))


def holds(claim: Counted, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Whether a counted promise is kept."""
    try:
        return RELATIONS[claim.relation](value(claim.left, before, after), value(claim.right, before, after))
    except Undefined:
        return False


def shown(claim: Counted, before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Both sides as numbers: ``58,410 <= 57,702``."""
    try:
        left, right = value(claim.left, before, after), value(claim.right, before, after)
    except Undefined as undefined:
        return str(undefined)
    kept = "holds" if RELATIONS[claim.relation](left, right) else "does not hold"
    return f"{_figure(left)} {claim.relation} {_figure(right)} {kept}"


def _figure(number: Fraction) -> str:
    return f"{int(number):,}" if number.denominator == 1 else f"{float(number):,.6g}"
