"""What a rule promises of itself: how far its result may be off, and what it makes smaller each time."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from surgdsl.formula import Spectral
from surgdsl.language import tree
from surgdsl.language.expressions import Place, Shaped, joined, shaped
from surgdsl.language.scope import Scope
from surgdsl.rules.boxes import kind_of
from surgdsl.rules.schema import Bound, Schema

DEEPEST = 12
"""Levels of a formula of a rule."""
NORMS = ("l2", "linf")
FORM = "expected for example l2(y.before - y.after) <= sigma(W.weight, r + 1) * l2(x)"


def bounded(scope: Scope, expr: tree.Expr, known: Schema, names: Mapping[str, Shaped]) -> Bound | None:
    """``l2(y.before - y.after) <= factor * l2(x)``."""
    match expr:
        case tree.Binary(
            "<=", tree.Call(tree.Name(norm), (change,)), tree.Binary("*", written, tree.Call(tree.Name(same), (given,)))
        ):
            wires = _changed(change), given.text if isinstance(given, tree.Name) else None
        case _:
            return scope.refuse("E0349", "this is no bound", expr.span, FORM)
    output, source = wires
    if norm != same or norm not in NORMS or output is None or source is None:
        return scope.refuse("E0349", "this is no bound", expr.span, FORM)
    written_by = {port.wire for port in known.glue} - set(known.inputs)
    for wire, among in ((output, written_by), (source, known.inputs)):
        if wire not in among:
            label = f"expected {' or '.join(sorted(among)) or 'none'}"
            return scope.refuse("E0349", f"a bound speaks of wires of K, and not of `{wire}`", expr.span, label)
    found = _factor(Place(scope, names), written)
    if found is not None and (found.axes or found.truth):
        label = f"it has {', '.join(found.axes)}" if found.axes else "it is a condition"
        return scope.refuse("E0349", "the factor of a bound is a number", written.span, label)
    if found is None or not shallow(scope, written, found):
        return None
    return Bound(norm, output, found.expr, source, span=expr.span)


def shallow(scope: Scope, expr: tree.Expr, value: Shaped | None) -> bool:
    """Whether a formula fits into the JSON of a certificate, which is so many levels deep; otherwise reports."""
    if value is not None and value.depth > DEEPEST:
        label = f"more than {DEEPEST} levels"
        scope.refuse("E0007", "this formula is nested too deeply", expr.span, label)
    return value is None or value.depth <= DEEPEST


def _changed(expr: object) -> str | None:
    """The wire in ``y.before - y.after``."""
    match expr:
        case tree.Binary(
            "-", tree.Member(tree.Name(one), tree.Word("before")), tree.Member(tree.Name(other), tree.Word("after"))
        ):
            return one if one == other else None
        case _:
            return None


def _factor(here: Place, expr: tree.Expr) -> Shaped | None:
    """A number: singular values, products of them, and what has none."""
    match expr:
        case tree.Binary("*", left, right):
            sides = _factor(here, left), _factor(here, right)
            return joined(here, expr, "mul", (sides[0], sides[1])) if sides[0] and sides[1] else None
        case tree.Call(tree.Name("sigma"), arguments):
            return _sigma(here, expr, tuple(one for one in arguments if not isinstance(one, tree.Keyword | tree.Each)))
        case _:
            return shaped(here, expr)


def _sigma(here: Place, expr: tree.Call, arguments: tuple[tree.Expr, ...]) -> Shaped | None:
    """``sigma(W, k)``: the singular value of W with number k, from 1."""
    if len(arguments) != 2 or len(expr.arguments) != 2:
        return here.scope.refuse("E0349", "sigma is called wrongly", expr.span, "expected sigma(W.weight, k)")
    body, rank = (shaped(here, one) for one in arguments)
    if body is None or rank is None:
        return None
    if len(body.axes) < 2 or rank.axes:
        return here.scope.refuse("E0349", "sigma takes a matrix and a number", expr.span)
    return Shaped(Spectral("sigma", body.expr, rank.expr))


def decreasing(scope: Scope, expr: tree.Expr, known: Schema) -> tuple[tuple[str, int], ...] | None:
    """Counts of boxes with their factors, if R has less of them than L."""
    found = _counts(scope, expr)
    if found is None:
        return None
    made = evolve(known, decreases=tuple(sorted(found.items())))
    before, after = made.measure(made.left), made.measure(made.right)
    if after >= before:
        scope.refuse("E0350", "nothing decreases", expr.span, f"it is {before} in L and {after} in R")
    return made.decreases


def _counts(scope: Scope, expr: tree.Expr) -> dict[str, int] | None:
    """Σ factor · count(operation), as it is spelled with + and *."""
    match expr:
        case tree.Call(tree.Name("count"), (operation,)):
            name = operation.span.text
            if kind_of(name) is None:
                return scope.refuse("E0341", f"unknown box `{name}`", operation.span)
            return {name: 1}
        case tree.Binary("+", left, right):
            sides = _counts(scope, left), _counts(scope, right)
            if sides[0] is None or sides[1] is None:
                return None
            return {name: sides[0].get(name, 0) + sides[1].get(name, 0) for name in (*sides[0], *sides[1])}
        case tree.Binary("*", tree.Number(digits), right) if digits.isdecimal():
            inner = _counts(scope, right)
            return None if inner is None else {name: int(digits) * count for name, count in inner.items()}
        case _:
            label = "expected counts of boxes such as count(batchnorm), with + and whole factors"
            return scope.refuse("E0350", "this is no natural number that could decrease", expr.span, label)
