"""Sweeps: which params are varied over which values, and by which figures the runs are compared.

Every value stands in the text of its run, so a run of a sweep is a job like any other.
"""

from __future__ import annotations

from surgdsl.diagnostic import Note
from surgdsl.language import tree
from surgdsl.language.claims import figure, measure
from surgdsl.language.fitting import literal, typed, whole
from surgdsl.language.program import Goal, SweepDecl, Varied
from surgdsl.language.scope import Scope
from surgdsl.language.spelling import spell
from surgdsl.language.value import members

MOST = 10_000


def sweep(scope: Scope, node: tree.Sweep) -> SweepDecl | None:
    """``sweep front over slim { vary width in {2bit, 4bit}  keep pareto(size(after), nnz(after))  limit 4 runs }``."""
    found = scope.find(node.surgery, "surgery")
    varied = [_varied(scope, one) for one in node.varies]
    first: dict[str, tree.Word] = {}
    for one in node.varies:
        if one.name.text in first:
            notes = (Note(first[one.name.text].span, "given here first"),)
            scope.refuse("E0107", f"`{one.name}` is varied twice", one.name.span, notes=notes)
        first.setdefault(one.name.text, one.name)
    goals = _goals(scope, node.keep)
    if found is not None and isinstance(found.node, tree.Surgery):
        _measurable(scope, found.node, goals)
    limit = whole(scope, node.limit, 1, MOST)
    if found is None or limit is None or None in varied or None in goals:
        return None
    good = tuple(one for one in goals if one is not None)
    return SweepDecl(
        node.name.text, node.surgery.text, tuple(one for one in varied if one), good, limit, span=node.span
    )


def _measurable(scope: Scope, surgery: tree.Surgery, goals: list[Goal | None]) -> None:
    """Reports a measured figure where it is not clear on which data: those of the promises of the surgery."""
    names = {one.data.text for one in surgery.clauses if isinstance(one, tree.Require) and one.data is not None}
    for one in goals:
        if one is not None and one.measure and len(names) != 1:
            told = "more than one data" if names else "no data"
            lines = (f"promise something of it there: require {one.measure.partition('.')[0]}.drop <= 100% on …",)
            scope.refuse("E0210", f"`{surgery.name}` measures on {told}", one.span, help=lines)


def _varied(scope: Scope, node: tree.Vary) -> Varied | None:
    found = scope.find(node.name, "param")
    domain = members(scope, node.domain)
    if found is None or domain is None:
        return None
    assert isinstance(found.node, tree.Param)
    faults = len(scope.faults)
    spans = [one.span for one in node.domain.items] if isinstance(node.domain, tree.Choice) else []
    for at, one in enumerate(domain.items):
        if not typed(scope, one, found.node.type.word, spans[at] if at < len(spans) else node.domain.span):
            break
    if len(scope.faults) > faults:
        return None
    return Varied(node.name.text, tuple(literal(one) for one in domain.items), span=node.span)


def _goals(scope: Scope, expr: tree.Expr) -> list[Goal | None]:
    match expr:
        case tree.Call(tree.Name("pareto"), arguments) if arguments:
            return [_goal(scope, one) for one in arguments]
        case _:
            return [_goal(scope, expr)]


def _goal(scope: Scope, expr: tree.Expr | tree.Keyword | tree.Each) -> Goal | None:
    """A counted figure, which is to be small, or a measured one: accuracy is to be large, its drop small."""
    if isinstance(expr, tree.Keyword | tree.Each):
        lines = ("for example: keep pareto(size(after), accuracy.drop)",)
        return scope.refuse("E0206", "what is kept is compared by figures", expr.span, help=lines)
    named, measured = measure(scope, expr)
    if named:
        return None if measured is None else Goal(spell(expr), None, measured, span=expr.span)
    found = figure(scope, expr)
    return None if found is None else Goal(spell(expr), found, span=expr.span)
