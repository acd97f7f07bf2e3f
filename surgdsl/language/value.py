"""Constants: expressions that the file alone decides, computed exactly, and fitted to the type that a place asks for.

No floats, no loops; what is not defined (a division by zero) is refused here and not discovered later.
"""

from __future__ import annotations

import re
from fractions import Fraction

from surgdsl.diagnostic import Note, Span, suggest
from surgdsl.language import tree
from surgdsl.language.program import DataName, Value
from surgdsl.language.scope import Scope
from surgdsl.units import BIT, FLOP, MAC, PLAIN, UNITS, Quantity, exact, likely, quantity

Constant = Quantity | str | bool | DataName
LARGEST_POWER = 64
LARGEST_BITS = 4096


def constant(scope: Scope, expr: tree.Expr) -> Constant | None:  # noqa: C901, PLR0911 - one case for each construct
    """The value of `expr`, or nothing where it has none; the reason is then in the faults of `scope`."""
    match expr:
        case tree.Number(text):
            return amount(scope, text, "", expr.span)
        case tree.Amount(digits, unit):
            return amount(scope, digits, unit, expr.span)
        case tree.Text(text):
            return text
        case tree.Name("true" | "false"):
            return expr.text == "true"
        case tree.Name():
            return _named(scope, expr)
        case tree.Unary("-", operand):
            value = _number(scope, operand)
            return None if value is None else -value
        case tree.Binary("+" | "-" | "*" | "/" | "^"):
            left, right = _number(scope, expr.left), _number(scope, expr.right)
            return None if left is None or right is None else combine(scope, expr, left, right)
        case tree.Choose():
            return None  # refused as a construct that is not executed
        case _:
            scope.refuse(
                "E0422", "this expression is not computed in this version of surgdsl", expr.span, "expected a constant"
            )
            return None


def amount(scope: Scope, digits: str, unit: str, span: Span) -> Quantity | None:
    """The quantity of a literal; an unknown unit is told with the units that were probably meant."""
    if unit and unit not in UNITS:
        meant = likely(unit)
        label = f"did you mean {' or '.join(f'`{one}`{_bytes(one)}' for one in meant)}?" if meant else ""
        scope.refuse("E0301", f"unknown unit `{unit}`", span, label)
        return None
    try:
        return quantity(digits, unit)
    except OverflowError:
        scope.refuse("E0305", "this number is too large to compute with", span)
        return None


def _bytes(unit: str) -> str:
    one = UNITS[unit]
    return f" ({one.value // 8} B)" if one.dimension == BIT and unit.endswith("B") else ""


def _named(scope: Scope, name: tree.Name) -> Constant | None:
    found = scope.find(name, "constant", "data", "param")
    if found is None:
        return None
    if found.kind == "data":
        return DataName(name.text)
    return scope.constants.get(name.text)  # computed before; a param is refused as a construct that is not executed


def _number(scope: Scope, expr: tree.Expr) -> Quantity | None:
    value = constant(scope, expr)
    if value is None or isinstance(value, Quantity):
        return value
    scope.refuse("E0201", "arithmetic needs numbers", expr.span, f"this is {called(value)}")
    return None


def combine(scope: Scope, expr: tree.Binary, left: Quantity, right: Quantity) -> Quantity | None:  # noqa: C901 - one case for each construct
    """``left expr.operator right``, dimensions checked."""
    match expr.operator:
        case "+" | "-" if left.dimension != right.dimension:
            return mismatch(scope, expr, left, right)
        case "/" if right.value == 0:
            return scope.refuse("E0304", "division by zero", expr.right.span)
        case "^" if right.dimension != PLAIN or right.value.denominator != 1 or abs(right.value) > LARGEST_POWER:
            return scope.refuse("E0305", "an exponent is a whole number, at most 64", expr.right.span)
        case "^" if left.value == 0 and right.value < 0:
            return scope.refuse("E0304", "division by zero", expr.span)
        case "^":
            made = Quantity(Fraction(left.value ** int(right.value)), left.dimension.power(int(right.value)))
        case "+":
            made = left + right
        case "-":
            made = left - right
        case "*":
            made = left * right
        case _:
            made = left / right
    if max(made.value.numerator.bit_length(), made.value.denominator.bit_length()) > LARGEST_BITS:
        return scope.refuse("E0305", "this number is too large to compute with", expr.span)
    return made


def mismatch(scope: Scope, expr: tree.Binary, left: Quantity, right: Quantity) -> None:
    """Reports that the two sides of `expr` measure different things."""
    notes = (
        Note(expr.left.span, f"this is in {left.dimension}"),
        Note(expr.right.span, f"this is in {right.dimension}"),
    )
    if {left.dimension, right.dimension} == {MAC, FLOP}:
        lines = ("state the target in the unit of the metric; one MAC is two FLOPs only by convention",)
        return scope.refuse("E0303", "MACs and FLOPs do not convert", expr.span, notes=notes, help=lines)
    return scope.refuse("E0302", f"`{expr.operator}` needs two quantities of one dimension", expr.span, notes=notes)


def called(value: Constant) -> str:
    """What kind of thing a constant is, for messages."""
    match value:
        case bool():
            return "a truth value"
        case str():
            return "a text"
        case DataName():
            return "data"
        case Quantity() if value.percent:
            return "a ratio"
        case Quantity():
            return "a plain number" if value.dimension == PLAIN else f"a quantity in {value.dimension}"


WANTED = {
    "ratio": "a ratio such as 50%", "bit": "a number of bits such as 4bit", "int": "a whole number",
    "count": "a whole number", "text": 'a text such as "kmeans"', "bool": "true or false", "data": "the name of data",
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
        case _:
            code = "E0302" if isinstance(value, Quantity) and kind in ("ratio", "bit") else "E0201"
            return scope.refuse(code, f"this is {called(value)}", span, f"expected {WANTED.get(kind, kind)}")


def argument(scope: Scope, parameter: tree.Parameter, expr: tree.Expr) -> Value | None:
    """The value of `expr` for `parameter`: of its type and within its domain."""
    value = constant(scope, expr)
    if value is None:
        return None
    made = fitted(scope, value, parameter.type.word.text, expr.span)
    if made is None or parameter.domain is None or _within(scope, parameter.domain, value):
        return made
    lines: tuple[str, ...] = ()
    if (
        isinstance(value, Quantity)
        and parameter.type.word.text == "ratio"
        and 1 < value.value <= 100
        and not value.percent
    ):
        lines = (f"for a percentage write `{expr.span.text}%`",)
    domain = parameter.domain.span.text
    near = suggest(value, re.findall(r'"(.*?)"', domain)) if isinstance(value, str) else None
    label = f'did you mean "{near}"?' if near else f"expected one of {domain}"
    return scope.refuse("E0207", f"`{parameter.name}` is out of range", expr.span, label, help=lines)


def _within(scope: Scope, domain: tree.Expr, value: Constant) -> bool:
    if isinstance(domain, tree.Range) and isinstance(value, Quantity):
        low, high = constant(scope, domain.low), constant(scope, domain.high)
        assert isinstance(low, Quantity)
        assert isinstance(high, Quantity)
        return low.value <= value.value <= high.value
    assert isinstance(domain, tree.Choice), "the domain of a parameter of the library is a range or a set"
    return value in [constant(scope, item) for item in domain.items]


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
