"""Expressions over tensors with named axes: from what a file spells to formulas, their axes checked.

A sum names the axes that it goes over; a product of two tensors is over the axes of both. What is not a name of the
place where the expression stands is told at that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import frozen

from surgdsl.axis.extent import Extent, add, multiply, show, symbol
from surgdsl.diagnostic import hint
from surgdsl.formula import EVERY, REDUCTIONS, Apply, Formula, Number, Reduce, Spectral, Variable
from surgdsl.language import tree
from surgdsl.language.scope import Scope
from surgdsl.language.value import constant
from surgdsl.units import PLAIN, Quantity

OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow"}
RELATIONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
FUNCTIONS = {"abs": 1, "exp": 1, "log": 1, "sqrt": 1, "max": 2, "min": 2}
DEEPEST = 13
"""Levels of a formula; deeper ones would not fit into the JSON of a certificate."""


@frozen
class Typed:
    """A formula and the axes of its value; `truth` says whether it is true or false instead of a number."""

    formula: Formula
    axes: tuple[str, ...] = ()
    truth: bool = False
    depth: int = 1


@frozen
class Tensors:
    """Where an expression stands: the names that it may use, each with its axes."""

    scope: Scope
    names: Mapping[str, tuple[str, ...]]


def number(here: Tensors, expr: tree.Expr) -> Typed | None:
    """`expr` as a tensor of numbers, or nothing where it has a fault."""
    found = _expression(here, expr)
    if found is not None and found.truth:
        return here.scope.refuse("E0201", "this is a condition", expr.span, "expected a number")
    return found


def condition(here: Tensors, expr: tree.Expr) -> Formula | None:
    """`expr` as a truth value without axes, or nothing where it has a fault."""
    found = _expression(here, expr)
    if found is None:
        return None
    if not found.truth:
        return here.scope.refuse("E0201", "a condition compares", expr.span, "expected for example a <= b")
    if found.axes:
        label = f"it has one truth value for each index of {', '.join(found.axes)}"
        return here.scope.refuse("E0201", "a condition is about numbers", expr.span, label)
    return found.formula


def _expression(here: Tensors, expr: tree.Expr) -> Typed | None:  # noqa: C901, PLR0911, PLR0912 - a case for each
    match expr:
        case tree.Name(text) if text in here.names:
            return Typed(Variable(text), here.names[text])
        case tree.Member(tree.Name(text), word) if f"{text}.{word}" in here.names:
            return Typed(Variable(f"{text}.{word}"), here.names[f"{text}.{word}"])
        case tree.Member() | tree.Name():
            return _unnamed(here, expr)
        case tree.Unary("-", operand):
            return _applied(here, expr, "neg", [number(here, operand)])
        case tree.Unary("not", operand):
            return _joined(here, expr, "not", (operand,))
        case tree.Binary("and" | "or" as operator, left, right):
            return _joined(here, expr, operator, (left, right))
        case tree.Binary("^", left, right):
            return _power(here, expr, left, right)
        case tree.Binary(operator, left, right) if operator in OPS:
            return _applied(here, expr, OPS[operator], [number(here, left), number(here, right)])
        case tree.Binary(operator, left, right) if operator in RELATIONS:
            return _applied(here, expr, RELATIONS[operator], [number(here, left), number(here, right)], truth=True)
        case tree.Conditional(test, yes, no):
            return _conditional(here, expr, test, yes, no)
        case tree.Call(tree.Over(tree.Name(kind), axes), arguments):
            return _over(here, expr, kind, axes, arguments)
        case tree.Call(tree.Name(name), arguments):
            return _called(here, expr, name, arguments)
        case _:
            return _constant(here, expr)


def _constant(here: Tensors, expr: tree.Expr) -> Typed | None:
    value = constant(here.scope, expr)
    if value is None:
        return None
    if isinstance(value, Quantity) and value.dimension == PLAIN:
        return Typed(Number(value.value))
    return here.scope.refuse("E0201", "arithmetic with weights needs plain numbers", expr.span)


def _unnamed(here: Tensors, expr: tree.Member | tree.Name) -> Typed | None:
    if isinstance(expr, tree.Name) and expr.text in here.scope.names:
        return _constant(here, expr)
    text = expr.span.text
    label = hint(text, here.names) or (f"there are {', '.join(sorted(here.names)[:8])}" if here.names else "")
    return here.scope.refuse("E0101", f"unknown name `{text}`", expr.span, label)


def _applied(
    here: Tensors, expr: tree.Expr, op: str, terms: list[Typed | None], *, truth: bool = False
) -> Typed | None:
    good = [one for one in terms if one is not None]
    if len(good) < len(terms):
        return None
    axes = tuple(dict.fromkeys(axis for one in good for axis in one.axes))
    return _bounded(here, expr, Typed(Apply(op, tuple(one.formula for one in good)), axes, truth, _depth(good)))


def _depth(terms: list[Typed]) -> int:
    return 1 + max((one.depth for one in terms), default=0)


def _bounded(here: Tensors, expr: tree.Expr, made: Typed) -> Typed | None:
    if made.depth > DEEPEST:
        return here.scope.refuse("E0007", "this formula is nested too deeply", expr.span, f"more than {DEEPEST} levels")
    return made


def _joined(here: Tensors, expr: tree.Expr, op: str, operands: tuple[tree.Expr, ...]) -> Typed | None:
    terms = [_expression(here, one) for one in operands]
    for term, one in zip(terms, operands, strict=True):
        if term is not None and not term.truth:
            return here.scope.refuse("E0201", f"`{op}` joins conditions", one.span, "this is a number")
    return _applied(here, expr, op, terms, truth=True)


def _power(here: Tensors, expr: tree.Expr, base: tree.Expr, exponent: tree.Expr) -> Typed | None:
    left, value = number(here, base), constant(here.scope, exponent)
    if left is None or value is None:
        return None
    if not isinstance(value, Quantity) or value.value.denominator != 1 or abs(value.value) > 64:
        return here.scope.refuse("E0305", "an exponent is a whole number, at most 64", exponent.span)
    return _applied(here, expr, "pow", [left, Typed(Number(value.value))])


def _conditional(here: Tensors, expr: tree.Expr, test: tree.Expr, yes: tree.Expr, no: tree.Expr) -> Typed | None:
    asked, sides = _expression(here, test), [number(here, yes), number(here, no)]
    if asked is not None and not asked.truth:
        return here.scope.refuse("E0201", "a condition compares", test.span, "expected for example a <= b")
    return _applied(here, expr, "if", [asked, *sides])


Arguments = tuple[tree.Expr | tree.Keyword | tree.Each, ...]


def _over(here: Tensors, expr: tree.Call, kind: str, axes: tuple[tree.Expr, ...], arguments: Arguments) -> Typed | None:
    """``sum[a, b](body)``, and ``scale[a](t, v)``, the product of t with v along a."""
    given = plain(here, expr, arguments, 2 if kind == "scale" else 1)
    if given is None:
        return None
    names = [axis_name(here, axis) for axis in axes]
    terms = [number(here, one) for one in given]
    if None in terms or None in names:
        return None
    for axis, name in zip(axes, names, strict=True):
        lacking = [term for term in terms if term is not None and name not in term.axes]
        if lacking:
            label = f"this has {', '.join(lacking[0].axes) or 'no axes'}"
            return here.scope.refuse("E0324", f"there is no axis `{name}` here", axis.span, label)
    if kind == "scale":
        return _applied(here, expr, "mul", terms)
    if kind not in REDUCTIONS:
        return here.scope.refuse("E0101", f"unknown reduction `{kind}`", expr.function.span, hint(kind, REDUCTIONS))
    return _reduced(here, expr, kind, tuple(name for name in names if name), terms[0])


def _reduced(here: Tensors, expr: tree.Expr, kind: str, axes: tuple[str, ...], body: Typed | None) -> Typed | None:
    if body is None:
        return None
    rest = () if axes == (EVERY,) else tuple(axis for axis in body.axes if axis not in axes)
    return _bounded(here, expr, Typed(Reduce(kind, axes, body.formula), rest, depth=body.depth + 1))


def _called(here: Tensors, expr: tree.Call, name: str, arguments: Arguments) -> Typed | None:
    if name == "sigma":
        return _sigma(here, expr, arguments)
    if name in REDUCTIONS and (name not in FUNCTIONS or len(arguments) == 1):
        given = plain(here, expr, arguments, 1)
        return None if given is None else _reduced(here, expr, name, (EVERY,), number(here, given[0]))
    if name not in FUNCTIONS:
        known = sorted({*FUNCTIONS, *REDUCTIONS, "scale", "sigma"})
        return here.scope.refuse("E0101", f"unknown function `{name}`", expr.function.span, hint(name, known))
    given = plain(here, expr, arguments, FUNCTIONS[name])
    return None if given is None else _applied(here, expr, name, [number(here, one) for one in given])


def _sigma(here: Tensors, expr: tree.Call, arguments: Arguments) -> Typed | None:
    """``sigma(W, k)``: the singular value of W with number k, from 1."""
    given = plain(here, expr, arguments, 2)
    if given is None:
        return None
    body, rank = number(here, given[0]), number(here, given[1])
    if body is None or rank is None:
        return None
    if not body.axes or rank.axes:
        return here.scope.refuse("E0201", "sigma takes a tensor and a number", expr.span, "expected sigma(W.weight, k)")
    return _bounded(here, expr, Typed(Spectral("sigma", body.formula, rank.formula), (), depth=_depth([body, rank])))


def plain(here: Tensors, expr: tree.Call, arguments: Arguments, count: int) -> tuple[tree.Expr, ...] | None:
    """The arguments of a call, if they are as many as they must be and none has a name."""
    given = tuple(one for one in arguments if not isinstance(one, tree.Keyword | tree.Each))
    if len(given) == len(arguments) == count:
        return given
    label = f"expected {count} argument{'s' if count > 1 else ''} without a name"
    return here.scope.refuse("E0201", "this function is called wrongly", expr.span, label)


def axis_name(here: Tensors, expr: tree.Expr) -> str | None:
    """The name of an axis as it is spelled: a variable, or a polynomial in its normal form."""
    found = extent(here.scope, expr)
    return None if found is None else show(found)


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
