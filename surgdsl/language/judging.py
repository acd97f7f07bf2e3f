"""Judging: which criterion ranks the victims of a step, with its own arguments and the data that it reads.

A criterion only advises, but it must score what the rule removes; that is checked here, before any model is loaded.
"""

from __future__ import annotations

from attrs import evolve

from surgdsl.language import tree
from surgdsl.language.calls import arguments
from surgdsl.language.criterion import Criterion, Setting
from surgdsl.language.functions import ROWS, SCALARS, criterion, ranks, standard
from surgdsl.language.library import Signature, signed
from surgdsl.language.scope import Declared, Scope


def ranking_of(
    scope: Scope, node: tree.Step, rule: tree.Name, signature: Signature, named: set[str]
) -> Criterion | None:
    """What ranks the victims of a step, if its rule ranks any; `named` are the arguments that the rule is given."""
    if node.scoring is None:
        if signature.score is None:
            return None
        if signature.criterion is not None:
            return standard(signature.criterion)
        lines = ("say what ranks the victims: `by magnitude`",)
        return scope.refuse("E0323", f"`{rule.text}` needs a criterion", rule.span, help=lines)
    name = criterion_name(scope, node)
    if signature.score is None:
        return scope.refuse("E0322", f"`{rule.text}` ranks nothing", node.scoring.span, "leave the criterion out")
    return None if name is None else _ranked(scope, node.scoring.criterion, name, (rule, signature), named)


def criterion_name(scope: Scope, node: tree.Step) -> tree.Name | None:
    """The name of the criterion of a step, as it is or called with arguments: ``by lp(p = 3)``."""
    if node.scoring is None:
        return None
    given = node.scoring.criterion
    name = given.function if isinstance(given, tree.Call) else given
    if isinstance(name, tree.Name):
        return None if scope.find(name, "criterion") is None else name
    return scope.refuse("E0201", "a step is ranked by a criterion", name.span, "expected the name of a criterion")


def _ranked(
    scope: Scope, given: tree.Expr, name: tree.Name, called: tuple[tree.Name, Signature], named: set[str]
) -> Criterion | None:
    """The criterion `name`, where it scores what the rule removes and has what it needs."""
    rule, signature = called
    declared = scope.names[name.text]
    settings = _settings(scope, given, name, declared)
    faults = len(scope.faults)
    found = None if settings is None else criterion(scope, declared, settings)
    if found is None and settings and declared.target and len(scope.faults) == faults:
        return scope.refuse("E0207", f"`{name.text}` is not defined for these arguments", given.span)
    if found is None or not ranks(scope, name, found, (rule, signature.score or "")):
        return None
    if found.reads and signature.parameter(ROWS) is None:
        read = " and ".join(sorted(found.reads))
        label = f"it reads {read}, and this rule has no `{ROWS}`"
        return scope.refuse("E0321", f"criterion `{name.text}` needs data", name.span, label)
    if found.reads and ROWS not in named:
        lines = (f"give the step its data: {rule.text}(…, {ROWS} = …)",)
        return scope.refuse("E0205", f"criterion `{name.text}` needs `{ROWS}`", name.span, f"{ROWS}: data", help=lines)
    return found


def _settings(scope: Scope, given: tree.Expr, name: tree.Name, declared: Declared) -> dict[str, Setting] | None:
    """The arguments of a criterion besides its tensor and its data."""
    signature = declared.signature or (None if declared.node is None else signed(declared.node))
    assert signature is not None, "a criterion can be called"
    scalars = tuple(one for one in signature.parameters if one.type.word.text in SCALARS)
    faults = len(scope.faults)
    written = given.arguments if isinstance(given, tree.Call) else ()
    values, choices = arguments(scope, name, evolve(signature, parameters=scalars), written)
    if choices:
        return scope.refuse("E0201", "a criterion leaves nothing open", given.span, "expected values")
    found = {key: value for key, value in values.items() if isinstance(value, Setting)}
    return found if len(scope.faults) == faults else None
