"""Surgeries: steps checked against the signatures of their rules, put in order, with what is promised of the result.

A criterion only advises, but it must score what the rule removes; that is checked here, before any model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

from surgdsl.diagnostic import Note, hint
from surgdsl.language import tree
from surgdsl.language.calls import arguments
from surgdsl.language.claim import Require
from surgdsl.language.claims import required
from surgdsl.language.composition import Arrow, Composition, arrows, before, extension, side_by_side, then
from surgdsl.language.deciding import budget, check_choices, objective
from surgdsl.language.declarations import block
from surgdsl.language.fitting import fitted, whole
from surgdsl.language.judging import criterion_name, ranking_of
from surgdsl.language.pattern import PathPattern, Selector
from surgdsl.language.placing import condition
from surgdsl.language.program import Budget, Recover, StepDecl, SurgeryDecl
from surgdsl.language.refusing import beyond_weights
from surgdsl.language.rules import applied
from surgdsl.language.scope import Scope
from surgdsl.language.spelling import selector_parts
from surgdsl.language.staging import composed, staged
from surgdsl.language.value import constant

C = TypeVar("C", bound=tree.Clause)
T = TypeVar("T", Require, StepDecl)
RECOVERY = ("data", "epochs", "rate", "steps", "batch")
SINGLE = (tree.Seed, tree.Order, tree.Recover, tree.Emit, tree.Budget)


def surgery(scope: Scope, node: tree.Surgery) -> SurgeryDecl | None:
    """``surgery slim on m { … }``."""
    found = scope.find(node.model, "model")
    _once(scope, node)
    preserve = [
        name for one in _all(node, tree.Preserve) for name in _preserved(scope, one, found.name if found else None)
    ]
    seeds = [whole(scope, one.value) for one in _all(node, tree.Seed)]
    steps, order = _steps(scope, node)
    requires = [required(scope, one) for one in _all(node, tree.Require) if not beyond_weights(one)]
    targets = [required(scope, one) for one in _all(node, tree.Target) if one.sense is None]
    recovers = [recover(scope, one) for one in _all(node, tree.Recover)]
    emits = [_emitted(scope, one) for one in _all(node, tree.Emit)]
    budgets = [budget(scope, one) for one in _all(node, tree.Budget)]
    goals = [one for one in _all(node, tree.Target) if one.sense is not None]
    objectives = [objective(scope, one) for one in goals]
    if not (_all(node, tree.Step) or _all(node, tree.Target)) and node.name.text not in scope.broken:
        scope.refuse("E0214", f"`{node.name}` does nothing", node.name.span, "it has no step and no target")
    if found is None or None in (*seeds, *steps, *requires, *targets, *recovers, *budgets, *objectives):
        return None
    check_choices(scope, node.name, _good(steps), (budgets[0] if budgets else None) or Budget(), goals)
    return SurgeryDecl(
        node.name.text, node.model.text, tuple(preserve), seeds[0] or 0 if seeds else 0, _good(steps),
        _good(requires), _good(targets),
        recovers[0] if recovers else None, emits[0] if emits else {}, (budgets[0] if budgets else None) or Budget(),
        objectives[0] if objectives else None, order, span=node.span,
    )  # fmt: skip


def _all(node: tree.Surgery, kind: type[C]) -> list[C]:
    return [one for one in node.clauses if isinstance(one, kind)]


def _good(items: list[T | None]) -> tuple[T, ...]:
    return tuple(one for one in items if one is not None)


def _once(scope: Scope, node: tree.Surgery) -> None:
    for kind in SINGLE:
        first, *others = _all(node, kind) or [None]
        for one in others:
            assert first is not None
            assert one is not None
            word = kind.__name__.lower()
            scope.refuse("E0107", f"`{word}` is given twice", one.span, notes=(Note(first.span, "given here first"),))


def _preserved(scope: Scope, node: tree.Preserve, model: str | None) -> list[str]:
    names: list[str] = []
    for dotted in node.names:
        word = tree.Word(str(dotted), span=dotted.span)
        found = scope.find(word, "interface")
        if found is None:
            continue
        assert isinstance(found.node, tree.Interface)
        if model is not None and found.home is None and found.node.model.text in scope.names.keys() - {model}:
            notes = (Note(found.node.model.span, "declared for this model"),)
            scope.refuse(
                "E0202",
                f"`{word}` is an interface of `{found.node.model}`",
                word.span,
                f"expected one of `{model}`",
                notes=notes,
            )
        names.append(word.text)
    return list(dict.fromkeys(names))


def _emitted(scope: Scope, node: tree.Emit) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, expr in block(scope, node.block, ("model", "certificate")).items():
        value = constant(scope, expr)
        path = None if value is None else fitted(scope, value, "text", expr.span)
        if isinstance(path, str):
            made[name] = path
    return made


# ---- steps and their order ----------------------------------------------------------------------


def _steps(scope: Scope, node: tree.Surgery) -> tuple[list[StepDecl | None], Composition | None]:
    """The steps in the least order that the file allows, and what it says of their order."""
    local: dict[str, tree.Step] = {}
    rounds: dict[str, tuple[StepDecl | None, ...]] = {}
    for one in _all(node, tree.Step):
        _declare(scope, one, local)
        step = _step(scope, one)
        rounds[one.name.text] = (None,) if step is None else staged(scope, one, step)
    made = {one.name: one for steps in rounds.values() for one in steps if one is not None}
    orders = _all(node, tree.Order)
    order = _ordered(scope, orders[0], local) if orders else None
    if (orders and order is None) or len(made) < sum(map(len, rounds.values())):
        return [None], None
    if order is None and len(rounds) == 1 < len(made):
        order = Arrow(*rounds)
    if order is None:
        _unordered(scope, local)
        return list(made.values()), None
    order = composed(order, {name: _good(list(steps)) for name, steps in rounds.items()})
    return [made[name] for name in extension(tuple(made), before(order))], order


def _unordered(scope: Scope, steps: Mapping[str, tree.Step]) -> None:
    """Reports stages beside other steps where nothing says what comes first."""
    for one in steps.values():
        if one.stages is not None:
            lines = (f"for example: order {' >> '.join(steps)}",)
            scope.refuse("E0211", "stages beside other steps need an order", one.stages.span, help=lines)


def _declare(scope: Scope, step: tree.Step, local: dict[str, tree.Step]) -> None:
    word, before = step.name, local.get(step.name.text)
    if scope.keyword(word):
        scope.broken.add(word.text)
    elif before is not None:
        notes = (Note(before.name.span, "declared here first"),)
        scope.refuse("E0102", f"`{word}` is declared twice", word.span, notes=notes)
    elif word.text in scope.names and word.text != "B":
        taken = scope.names[word.text]
        scope.refuse(
            "E0103",
            f"`{word}` is already the name of a {taken.kind}",
            word.span,
            notes=(Note(taken.span, "declared here"),),
        )
    local[word.text] = step


def _ordered(scope: Scope, order: tree.Order, steps: dict[str, tree.Step]) -> Composition | None:
    """How `order` composes the steps, every one of them once."""
    composed = _composed(order.sequence)
    words = arrows(composed)
    faults = len(scope.faults)
    for at, word in enumerate(words):
        if word.name not in steps and word.name not in scope.broken:
            scope.refuse("E0101", f"unknown step `{word}`", word.span, hint(word.name, steps))
        elif word in words[:at]:
            scope.refuse("E0211", f"the order names `{word}` twice", word.span)
    missing = [name for name in steps if Arrow(name) not in words]
    if missing and len(scope.faults) == faults:
        notes = tuple(Note(steps[name].name.span, "this step") for name in missing)
        scope.refuse(
            "E0211", f"the order leaves out {', '.join(f'`{name}`' for name in missing)}", order.span, notes=notes
        )
    return composed if len(scope.faults) == faults and all(word.name in steps for word in words) else None


def _composed(node: tree.Word | tree.Sequence | tree.Parallel) -> Composition:
    match node:
        case tree.Word():
            return Arrow(node.text, span=node.span)
        case tree.Sequence(stages):
            return then(*map(_composed, stages))
        case tree.Parallel(parts):
            return side_by_side(*map(_composed, parts))


def _step(scope: Scope, node: tree.Step) -> StepDecl | None:
    faults = len(scope.faults)
    name = node.rule.function if isinstance(node.rule, tree.Call) else node.rule
    if not isinstance(name, tree.Name):
        return scope.refuse("E0201", "a step applies a rule", node.rule.span, "expected the name of a rule")
    found = scope.find(name, "rule")
    healing = None if node.recover is None else recover(scope, node.recover)
    signature, schemas = (None, ()) if found is None else applied(scope, found)
    if signature is None:
        criterion_name(scope, node)
        return None
    given = node.rule.arguments if isinstance(node.rule, tree.Call) else ()
    values, choices = arguments(scope, name, signature, given)
    named = {*values, *(one.word.text for one in given if isinstance(one, tree.Keyword))}
    ranking = ranking_of(scope, node, name, signature, named)
    selector = _selector(scope, node.selector)
    if node.exhaustively and not signature.decreases:
        message = f"nothing says that `{name.text}` comes to an end"
        scope.refuse(
            "E0213", message, node.rule.span, help=(f"without `exhaustively`, it is applied once: apply {name.text}",)
        )
    if len(scope.faults) > faults:
        return None
    return StepDecl(
        node.name.text, signature.name, values, selector, node.exhaustively,
        ranking and ranking.text, healing, choices, ranking, schemas, span=node.span
    )  # fmt: skip


def _selector(scope: Scope, node: tree.Selector) -> Selector:
    def patterns(paths: tree.Paths | None) -> tuple[PathPattern, ...]:
        return () if paths is None else tuple(PathPattern(path.text, span=path.span) for path in paths.paths)

    where = None if node.where is None else condition(scope, node.where)
    text = " ".join(selector_parts(node))
    return Selector(patterns(node.include), patterns(node.exclude), text, where, span=node.span)


# ---- recovery -----------------------------------------------------------------------------------


def recover(scope: Scope, node: tree.Recover) -> Recover | None:
    """``recover { data = train  epochs = 3 }``."""
    faults = len(scope.faults)
    fields = block(scope, node.block, (*RECOVERY, "loss"), needed=("data",))
    made = {name: _recovery(scope, name, expr) for name, expr in fields.items() if name != "loss"}
    if "epochs" in fields and "steps" in fields:
        notes = (Note(fields["epochs"].span, "said here already"),)
        scope.refuse(
            "E0108", "`epochs` and `steps` both say how long", fields["steps"].span, "leave one out", notes=notes
        )
    if len(scope.faults) > faults or node.method is not None or "loss" in fields:
        return None
    values = {name: value for name, value in made.items() if value is not None}
    if "data" not in values:  # its declaration cannot be read
        return None
    return Recover(
        str(values["data"]), _fraction(values.get("epochs")), _fraction(values.get("rate")),
        _count(values.get("steps")),
        _count(values.get("batch")), span=node.span,
    )  # fmt: skip


def _recovery(scope: Scope, name: str, expr: tree.Expr) -> Fraction | int | str | None:
    if name == "data":
        if not isinstance(expr, tree.Name):
            return scope.refuse("E0201", "recovery needs data", expr.span, "expected the name of data")
        return None if scope.find(expr, "data") is None else expr.text
    value = constant(scope, expr)
    kind = "ratio" if name in ("epochs", "rate") else "int"
    number = None if value is None else fitted(scope, value, kind, expr.span)
    if not isinstance(number, Fraction | int):
        return None
    if number <= 0:
        return scope.refuse("E0207", f"`{name}` is above 0", expr.span)
    return number


def _fraction(value: Fraction | int | str | None) -> Fraction | None:
    return value if isinstance(value, Fraction) else None


def _count(value: Fraction | int | str | None) -> int | None:
    return value if isinstance(value, int) else None
