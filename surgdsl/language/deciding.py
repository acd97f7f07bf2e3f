"""What a surgery may spend and what it chooses by: `budget`, and `target minimize …` over its `choose`s.

The candidates are counted here, before any model is loaded: more than the budget allows are refused, with their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from surgdsl.diagnostic import Note, Span, hint
from surgdsl.language import tree
from surgdsl.language.claims import figure
from surgdsl.language.fitting import fitted
from surgdsl.language.program import Budget, Objective, StepDecl
from surgdsl.language.scope import Scope
from surgdsl.language.spelling import spell
from surgdsl.language.value import constant
from surgdsl.units import BIT, PLAIN, SECOND, Dimension, Quantity

EVALS = 100
"""Plans that are tried where the file sets no budget."""
DAMAGES = ("damage", "divergence", "output_error", "trace_damage", "weight_error")
"""Figures of the library by which every place is decided on its own."""
BLIND = ("weight_error",)
"""Those that read no data."""
LIMITS: dict[str, tuple[Dimension, str]] = {
    "wall": (SECOND, "a time such as 20min"), "memory": (BIT, "a size such as 6GiB"),
    "evals": (PLAIN, "a whole number such as 100"),
}  # fmt: skip


def budget(scope: Scope, node: tree.Budget) -> Budget | None:
    """``budget wall <= 20min, memory <= 6GiB, evals <= 300``."""
    made: dict[str, Fraction | int] = {}
    for one in node.limits:
        match one:
            case tree.Binary("<=", tree.Name(name) as word, bound) if name in LIMITS:
                value = _bound(scope, name, bound)
                if name in made:
                    return scope.refuse("E0107", f"`{name}` is given twice", word.span)
                if value is None:
                    return None
                made[name] = value
            case tree.Binary(_, tree.Name(name) as word, _) if name not in LIMITS:
                label = hint(name, LIMITS) or f"expected {', '.join(LIMITS)}"
                return scope.refuse("E0108", f"there is no budget `{name}`", word.span, label)
            case _:
                return scope.refuse("E0201", "a budget is an upper limit", one.span, "for example wall <= 20min")
    evals = made.pop("evals", None)
    found = {name: Fraction(value) for name, value in made.items()}
    return Budget(found.get("wall"), found.get("memory"), None if evals is None else int(evals), span=node.span)


def _bound(scope: Scope, name: str, expr: tree.Expr) -> Fraction | int | None:
    dimension, wanted = LIMITS[name]
    value = constant(scope, expr)
    if value is None:
        return None
    if name == "evals":
        number = fitted(scope, value, "int", expr.span)
    elif not isinstance(value, Quantity) or value.dimension != dimension:
        return scope.refuse("E0302", f"`{name}` is limited by another unit", expr.span, f"expected {wanted}")
    else:
        number = value.value / (8 if dimension == BIT else 1)
    if not isinstance(number, Fraction | int):
        return None
    if number <= 0:
        return scope.refuse("E0207", f"`{name}` is limited to something above 0", expr.span)
    return number


def objective(scope: Scope, node: tree.Target) -> Objective | None:
    """``target minimize size(after)``, or ``target minimize damage on train``."""
    assert node.sense is not None
    damage = _damage(scope, node.goal)
    if damage:
        return _least(scope, node, node.sense, damage)
    expr = figure(scope, node.goal)
    if node.data is not None:
        label = f"`{spell(node.goal)}` is counted and needs no data"
        return scope.refuse("E0108", "this figure is counted, not measured", node.data.span, label)
    return None if expr is None else Objective(spell(node.goal), expr, node.sense.text == "maximize", span=node.span)


def _damage(scope: Scope, goal: tree.Expr) -> str:
    """The damage of the library that `goal` names, if it does."""
    found = scope.names.get(goal.text) if isinstance(goal, tree.Name) else None
    return found.name if found is not None and found.target and found.name in DAMAGES else ""


def _least(scope: Scope, node: tree.Target, sense: tree.Word, damage: str) -> Objective | None:
    if sense.text == "maximize":
        return scope.refuse("E0420", f"`{damage}` is what a choice loses", sense.span, "expected minimize")
    if node.data is not None and damage in BLIND:
        return scope.refuse("E0108", f"`{damage}` reads no data", node.data.span, "leave it out")
    if node.data is not None and scope.find(node.data, "data") is None:
        return None
    text = spell(node.goal) if node.data is None else f"{spell(node.goal)} on {node.data}"
    return Objective(text, None, damage=damage, data=node.data and node.data.text, span=node.span)


def check_choices(
    scope: Scope, word: tree.Word, steps: Sequence[StepDecl], spent: Budget, goals: Sequence[tree.Target]
) -> None:  # fmt: skip
    """Reports more candidates than are tried, which a damage does not, and a goal where there is nothing to choose."""
    sizes = [len(values) for step in steps for values in step.options.values()]
    limit = EVALS if spent.evals is None else spent.evals
    if math.prod(sizes) > limit and not any(_damage(scope, one.goal) for one in goals):
        product = " * ".join(map(str, sizes))
        told = f"{product} = {math.prod(sizes)}" if len(sizes) > 1 else product
        notes = tuple(Note(one.span, "chooses") for one in steps if one.options)
        lines = (f"allow them: budget evals <= {math.prod(sizes)}",)
        scope.refuse("E0217", f"`{word}` has {told} candidates", _place(word, spent), f"at most {limit} are tried",
                     notes=notes, help=lines)  # fmt: skip
    for one in goals[1:]:
        notes = (Note(goals[0].span, "given here first"),)
        scope.refuse("E0107", "a surgery chooses by one thing", one.span, notes=notes)
    _check_data(scope, steps, goals)
    if goals and not sizes:
        lines = ("leave a value open: keep = choose {50%, 75%}",)
        scope.refuse("E0216", "there is nothing to choose", goals[0].span, "no step has a `choose`", help=lines)


def _check_data(scope: Scope, steps: Sequence[StepDecl], goals: Sequence[tree.Target]) -> None:
    """Reports a damage that nobody gives data to."""
    given = any(step.options and "calibrate" in step.arguments for step in steps)
    for one in goals:
        damage = _damage(scope, one.goal)
        if damage and damage not in BLIND and one.data is None and not given:
            lines = (f"write `target minimize {damage} on …`, or by the weights alone: `target minimize weight_error`",)
            scope.refuse("E0210", f"`{damage}` is measured on data", one.goal.span, "which?", help=lines)


def _place(word: tree.Word, spent: Budget) -> Span:
    return word.span if spent.evals is None else spent.span
