"""Constants: expressions that the file alone decides, computed exactly, and the values of arguments.

No floats, no loops but over finite sets; what is not defined (a division by zero) is refused here and not discovered
later.
"""

from __future__ import annotations

import re
from fractions import Fraction

from surgdsl.diagnostic import Note, Span, suggest
from surgdsl.language import tree
from surgdsl.language.fitting import Constant, Members, called, fitted
from surgdsl.language.program import DataName, Sparsity, Value
from surgdsl.language.scope import Scope
from surgdsl.units import BIT, FLOP, MAC, PLAIN, UNITS, Quantity, likely, quantity

LARGEST_POWER = 64
LARGEST_BITS = 4096
LARGEST_SET = 10_000
"""Elements of a set, and turns of a comprehension with all those around it."""
LARGEST_GROUP = 64


def constant(scope: Scope, expr: tree.Expr) -> Constant | None:  # noqa: C901, PLR0911 - one case for each construct
    """The value of `expr`, or nothing where it has none; the reason is then in the faults of `scope`."""
    match expr:
        case tree.Number() | tree.Amount() | tree.Text() | tree.Pattern() | tree.Name():
            return _atom(scope, expr)
        case tree.Unary("-", operand):
            value = _number(scope, operand)
            return None if value is None else -value
        case tree.Unary("not", operand):
            truth = _truth(scope, operand)
            return None if truth is None else not truth
        case tree.Binary("and" | "or"):
            return _joined(scope, expr)
        case tree.Binary("+" | "-" | "*" | "/" | "^"):
            left, right = _number(scope, expr.left), _number(scope, expr.right)
            return None if left is None or right is None else combine(scope, expr, left, right)
        case tree.Binary():
            return _compared(scope, expr)
        case tree.Conditional(test, yes, no):
            truth = _truth(scope, test)
            return None if truth is None else constant(scope, yes if truth else no)
        case tree.Choice() | tree.Range():
            return members(scope, expr)
        case tree.Call(tree.Name(text), arguments) if text in FOLDS:
            return _folded(scope, expr, text, arguments)
        case tree.Member(tree.Name(text) as head) if text not in scope.names:
            scope.find(head, "file")
            return None
        case tree.Choose():
            return scope.refuse("E0406", "`choose` stands alone as an argument of a step", expr.span)
        case _:
            return scope.refuse("E0422", "this is no constant expression", expr.span, "expected a constant")


def _atom(scope: Scope, expr: tree.Number | tree.Amount | tree.Text | tree.Pattern | tree.Name) -> Constant | None:
    match expr:
        case tree.Number(text):
            return amount(scope, text, "", expr.span)
        case tree.Amount(digits, unit):
            return amount(scope, digits, unit, expr.span)
        case tree.Text(text):
            return text
        case tree.Pattern():
            return _pattern(scope, expr)
        case tree.Name("true" | "false"):
            return expr.text == "true"
        case tree.Name():
            return _named(scope, expr)


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


def _pattern(scope: Scope, expr: tree.Pattern) -> Sparsity | None:
    kept, _, group = expr.text.partition(":")
    if len(expr.text) > len("99:99") or not 0 < int(kept) < int(group) <= LARGEST_GROUP:
        label = f"expected n:m with 0 < n < m <= {LARGEST_GROUP}"
        return scope.refuse("E0207", f"`{expr.text}` is no pattern", expr.span, label)
    return Sparsity(int(kept), int(group))


def _named(scope: Scope, name: tree.Name) -> Constant | None:
    found = scope.find(name, "constant", "data", "param")
    if found is None:
        return None
    if found.kind == "data":
        return DataName(name.text)
    return scope.constants.get(name.text)  # computed before, unless it has a fault


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
    return _bounded(scope, made, expr.span)


def _bounded(scope: Scope, made: Quantity, span: Span) -> Quantity | None:
    if max(made.value.numerator.bit_length(), made.value.denominator.bit_length()) > LARGEST_BITS:
        return scope.refuse("E0305", "this number is too large to compute with", span)
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


# ---- truth --------------------------------------------------------------------------------------


def _truth(scope: Scope, expr: tree.Expr) -> bool | None:
    value = constant(scope, expr)
    if value is None or isinstance(value, bool):
        return value
    return scope.refuse("E0201", f"this is {called(value)}", expr.span, "expected true or false")


def _joined(scope: Scope, expr: tree.Binary) -> bool | None:
    left, right = _truth(scope, expr.left), _truth(scope, expr.right)
    if left is None or right is None:
        return None
    return (left and right) if expr.operator == "and" else (left or right)


def _compared(scope: Scope, expr: tree.Binary) -> bool | None:
    left, right = constant(scope, expr.left), constant(scope, expr.right)
    if left is None or right is None:
        return None
    if not (isinstance(left, Quantity) and isinstance(right, Quantity)):
        if expr.operator in ("==", "!=") and type(left) is type(right):
            return (left == right) == (expr.operator == "==")
        label = f"{called(left)} and {called(right)}"
        return scope.refuse("E0201", "these two cannot be compared", expr.span, label)
    if left.dimension != right.dimension:
        return mismatch(scope, expr, left, right)
    low, high = left.value, right.value
    return {
        "==": low == high, "!=": low != high, "<": low < high, "<=": low <= high, ">": low > high, ">=": low >= high,
    }[expr.operator]  # fmt: skip


# ---- sets and comprehensions --------------------------------------------------------------------


def members(scope: Scope, expr: tree.Expr) -> Members | None:
    """The set that `expr` spells: ``{8, 16}``, ``1..4``, ``40%..100% every 10%``, or the name of one.

    Numbers stand once each, in the order of the file; all are of one kind and one dimension.
    """
    if isinstance(expr, tree.Range):
        return _counted(scope, expr)
    if not isinstance(expr, tree.Choice):
        value = constant(scope, expr)
        if value is None or isinstance(value, Members):
            return value
        return scope.refuse("E0201", f"this is {called(value)}", expr.span, "expected a set such as {8, 16} or 1..4")
    found = [constant(scope, item) for item in expr.items]
    items = tuple(dict.fromkeys(one for one in found if one is not None))
    if None in found:
        return None
    for node, one in zip(expr.items, found, strict=True):
        if one is not None and _sort(one) != _sort(items[0]):
            label = f"this is {called(one)}, the first is {called(items[0])}"
            return scope.refuse("E0201", "the elements of a set are of one kind", node.span, label)
    return Members(items)


def _sort(value: Constant) -> object:
    return value.dimension if isinstance(value, Quantity) else type(value)


def _counted(scope: Scope, expr: tree.Range) -> Members | None:
    """The numbers of a range, both ends included; plain whole numbers follow each other by one."""
    low, high = _number(scope, expr.low), _number(scope, expr.high)
    every = None if expr.every is None else _number(scope, expr.every)
    if low is None or high is None or (every is None and expr.every is not None):
        return None
    if every is None:
        if low.dimension != PLAIN or low.percent or high.percent or low.value.denominator != 1:
            label = "write for example 40%..100% every 10%"
            return scope.refuse("E0201", "a range that is no range of whole numbers has a step", expr.span, label)
        every = Quantity(Fraction(1))
    if not low.dimension == high.dimension == every.dimension:
        return scope.refuse("E0302", "the ends and the step of a range are of one dimension", expr.span)
    if every.value <= 0 or low.value > high.value:
        label = "the step is not above 0" if every.value <= 0 else "the first is above the last"
        return scope.refuse("E0207", "this range is empty", expr.span, label)
    count = (high.value - low.value) // every.value + 1
    if count > LARGEST_SET:
        return scope.refuse("E0305", f"a set of {count} elements", expr.span, f"at most {LARGEST_SET}")
    return Members(
        tuple(Quantity(low.value + turn * every.value, low.dimension, low.percent) for turn in range(int(count)))
    )


FOLDS = ("max", "mean", "min", "sum")
Arguments = tuple[tree.Expr | tree.Keyword | tree.Each, ...]


def _folded(scope: Scope, expr: tree.Call, name: str, arguments: Arguments) -> Quantity | None:
    """``sum(i in 1..4: 2^i)``, ``max(8, width)``, ``min(widths)``."""
    values: list[Quantity] = []
    for span, value in (found for one in arguments for found in _spread(scope, one)):
        if value is None:
            return None
        if not isinstance(value, Quantity):
            return scope.refuse("E0201", f"this is {called(value)}", span, f"`{name}` takes numbers")
        if values and value.dimension != values[0].dimension:
            return scope.refuse("E0302", f"`{name}` takes quantities of one dimension", span)
        values.append(value)
    if not values:
        return scope.refuse("E0205", f"`{name}` of nothing", expr.span)
    if name in ("max", "min"):
        return (max if name == "max" else min)(values, key=lambda one: one.value)
    total = Quantity(sum((one.value for one in values), Fraction(0)), values[0].dimension, values[0].percent)
    if name == "mean":
        total = Quantity(total.value / len(values), total.dimension, total.percent)
    return _bounded(scope, total, expr.span)


Spread = list[tuple[Span, Constant | None]]


def _spread(scope: Scope, one: tree.Expr | tree.Keyword | tree.Each) -> Spread:
    if isinstance(one, tree.Keyword):
        scope.refuse("E0204", f"there is no argument `{one.word}` here", one.word.span)
        return [(one.span, None)]
    if isinstance(one, tree.Each):
        return _turned(scope, one)
    value = constant(scope, one)
    return [(one.span, item) for item in (value.items if isinstance(value, Members) else (value,))]


def _turned(scope: Scope, each: tree.Each) -> Spread:
    """The body once for every element of the domain; nothing more after the first fault."""
    domain = members(scope, each.domain)
    if domain is None or not scope.fresh(each.word):
        return [(each.span, None)]
    turns = scope.turns * len(domain.items)
    if turns > LARGEST_SET:
        scope.refuse("E0305", f"a comprehension of {turns} turns", each.span, f"at most {LARGEST_SET}")
        return [(each.span, None)]
    found: Spread = []
    with scope.binding(each.word, turns) as inner:
        for item in domain.items:
            inner.constants[each.word.text] = item
            found.append((each.body.span, constant(inner, each.body)))
            if found[-1][1] is None:
                break
    return found


# ---- arguments ----------------------------------------------------------------------------------


def argument(scope: Scope, parameter: tree.Parameter, expr: tree.Expr) -> Value | None:
    """The value of `expr` for `parameter`: of its type and within its domain."""
    value = constant(scope, expr)
    return None if value is None else _accepted(scope, parameter, value, expr.span)


def options(scope: Scope, parameter: tree.Parameter, expr: tree.Choose) -> tuple[Value, ...] | None:
    """The values for `parameter` between which ``choose`` leaves the choice, each as good as an argument."""
    domain = members(scope, expr.domain)
    if domain is None:
        return None
    spans = [item.span for item in expr.domain.items] if isinstance(expr.domain, tree.Choice) else []
    spans = spans if len(spans) == len(domain.items) else [expr.domain.span] * len(domain.items)
    found = [_accepted(scope, parameter, one, span) for one, span in zip(domain.items, spans, strict=True)]
    return None if None in found else tuple(one for one in found if one is not None)


def _accepted(scope: Scope, parameter: tree.Parameter, value: Constant, span: Span) -> Value | None:
    kind = parameter.type.word.text
    made = fitted(scope, value, kind, span)
    if made is None or parameter.domain is None or _within(scope, parameter.domain, value):
        return made
    lines: tuple[str, ...] = ()
    literal = span.text.replace(".", "").isdecimal()
    if isinstance(value, Quantity) and kind == "ratio" and 1 < value.value <= 100 and literal:
        lines = (f"for a percentage write `{span.text}%`",)
    domain = parameter.domain.span.text
    near = suggest(value, re.findall(r'"(.*?)"', domain)) if isinstance(value, str) else None
    label = f'did you mean "{near}"?' if near else f"expected one of {domain}"
    return scope.refuse("E0207", f"`{parameter.name}` is out of range", span, label, help=lines)


def _within(scope: Scope, domain: tree.Expr, value: Constant) -> bool:
    if isinstance(domain, tree.Range) and isinstance(value, Quantity):
        low, high = constant(scope, domain.low), constant(scope, domain.high)
        assert isinstance(low, Quantity)
        assert isinstance(high, Quantity)
        return low.value <= value.value <= high.value
    assert isinstance(domain, tree.Choice), "the domain of a parameter of the library is a range or a set"
    return value in [constant(scope, item) for item in domain.items]
