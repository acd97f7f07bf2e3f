"""Fitting: whether a constant is of the type that a place asks for, and the value that the place then holds.

Units decide here: bits are no plain number, and a ratio is no count.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.diagnostic import Span
from surgdsl.language import tree
from surgdsl.language.program import DataName, Sparsity, Value
from surgdsl.language.scope import Scope
from surgdsl.units import BIT, PLAIN, Quantity, exact


@frozen
class Members:
    """A finite set of constants, in the order in which the file gives them."""

    items: tuple[Constant, ...]


Constant = Quantity | str | bool | DataName | Sparsity | Members
"""What the file alone decides."""


def called(value: Constant) -> str:  # noqa: PLR0911 - one case for each construct
    """What kind of thing a constant is, for messages."""
    match value:
        case bool():
            return "a truth value"
        case str():
            return "a text"
        case DataName():
            return "data"
        case Sparsity():
            return "a pattern"
        case Members():
            return "a set"
        case Quantity() if value.percent:
            return "a ratio"
        case Quantity():
            return "a plain number" if value.dimension == PLAIN else f"a quantity in {value.dimension}"


def literal(value: Constant) -> str:
    """`value` as the file would write it.

    >>> literal(Sparsity(2, 4)), literal("kmeans"), literal(Members((True, False)))
    ('2:4', '"kmeans"', '{true, false}')
    >>> from surgdsl.units import quantity
    >>> [literal(one) for one in (quantity("4.25", "bit"), quantity("40", "%"), quantity("3") / quantity("7"))]
    ['4.25bit', '40%', '3/7']
    """
    match value:
        case Members(items):
            return f"{{{', '.join(map(literal, items))}}}"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case DataName(name):
            return name
        case Quantity() if "/" in str(value) and value.dimension != PLAIN:
            return f"{value.value} * 1{value.dimension}"
        case _:
            return str(value).replace(" ", "")


WANTED = {
    "ratio": "a ratio such as 50%", "bit": "a number of bits such as 4bit", "int": "a whole number",
    "count": "a whole number", "text": 'a text such as "kmeans"', "bool": "true or false", "data": "the name of data",
    "pattern": "a pattern such as 2:4",
}  # fmt: skip


def fitted(scope: Scope, value: Constant, kind: str, span: Span) -> Value | None:  # noqa: PLR0911 - one case for each construct
    """`value` as the type `kind` holds it: ratios as fractions, bits and counts as integers."""
    match kind, value:
        case "ratio", Quantity(number, dimension) if dimension == PLAIN:
            return number
        case (("int" | "count"), Quantity(number, dimension)) if (
            dimension == PLAIN and number.denominator == 1 and not value.percent
        ):
            return int(number)
        case "bit", Quantity(number, dimension) if dimension == BIT and number.denominator == 1:
            return int(number)
        case "text", str():
            return value
        case "bool", bool():
            return value
        case "data", DataName():
            return value
        case "pattern", Sparsity():
            return value
        case _:
            return misfit(scope, value, kind, span)


def misfit(scope: Scope, value: Constant, kind: str, span: Span) -> None:
    """Reports that `value` is not of the type `kind`."""
    code = "E0302" if isinstance(value, Quantity) and kind in ("ratio", "bit") else "E0201"
    scope.refuse(code, f"this is {called(value)}", span, f"expected {WANTED.get(kind, kind)}")


def typed(scope: Scope, value: Constant, kind: tree.Word, span: Span) -> bool:
    """Whether a constant is of the type that its own declaration states; a part of a bit is a mean of bits."""
    if kind.text == "bit" and isinstance(value, Quantity) and value.dimension == BIT:
        return True
    return fitted(scope, value, kind.text, span) is not None


def whole(scope: Scope, word: tree.Word, low: int = 0, high: int = 2**63 - 1) -> int | None:
    """The whole number that `word` spells, from `low` to `high`."""
    try:
        value = exact(word.text)
    except OverflowError:
        return scope.refuse("E0305", "this number is too large to compute with", word.span)
    if value.denominator != 1 or not low <= value <= high:
        return scope.refuse(
            "E0207", f"`{word}` is out of range", word.span, f"expected a whole number from {low} to {high}"
        )
    return int(value)
