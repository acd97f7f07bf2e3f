"""Criteria and metrics of a file, each checked where it is declared: parameters, axes, units, result.

What is right becomes a formula: whoever uses a metric puts it in (`figures`), whoever ranks by a criterion has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from attrs import evolve

from surgdsl.diagnostic import NOWHERE, Note, hint
from surgdsl.formula import EVERY, Number, Variable
from surgdsl.language import tree
from surgdsl.language.criterion import BATCH, Criterion, Setting
from surgdsl.language.declarations import python
from surgdsl.language.expressions import Place, Shaped, axes_of, shaped
from surgdsl.language.figures import RESULTS, Context, Term, context, term
from surgdsl.language.library import declaration, signature
from surgdsl.language.scope import Declared, Scope, home, scope_of
from surgdsl.units import PLAIN

ROWS = "calibrate"
"""The parameter of rules and criteria that holds what gradients and activations are of."""
SCALARS = ("int", "ratio", "text")
"""The types of what a criterion may be told besides; only those of the library take texts."""


def function(scope: Scope, node: tree.Function) -> None:
    """Check a declaration of `scope`; its faults are then in the scope."""
    if not _parameters(scope, node):
        return
    if node.kind == "criterion":
        criterion(scope, Declared("criterion", node.name.text, node, node.name.span))
    elif node.ports[0].type.word.text == "model":
        _metric(scope, node)
    else:
        _norm(scope, node)


def _parameters(scope: Scope, node: tree.Function) -> bool:
    """Whether the parameters are what such a function takes: one model, or one tensor, data and numbers."""
    before = len(scope.faults)
    kinds = [one.type.word.text for one in node.ports]
    for one in node.ports:
        scope.fresh(one.name)
        numbers = () if node.extern else SCALARS[:2]
        wanted = ("tensor", "data", *numbers) if node.kind == "criterion" else ("tensor", "model")
        if one.type.word.text not in wanted:
            label = hint(one.type.word.text, wanted) or f"expected {' or '.join(wanted)}"
            scope.refuse("E0326", f"a {node.kind} takes no `{one.type.word}`", one.type.word.span, label)
        elif one.type.word.text == "data" and (node.extern or one.name.text != ROWS):
            why = "Python gets the weight alone" if node.extern else f"rules call it `{ROWS}`"
            scope.refuse("E0326", f"`{one.name}` would get no data", one.name.span, why)
        _axes(scope, one.type)
    first = sum(kind not in ("data", *SCALARS) for kind in kinds)
    if first != 1 and len(scope.faults) == before:
        wanted = "one tensor" if node.kind == "criterion" else "one model"
        scope.refuse("E0326", f"`{node.name}` takes {first} of them", node.name.span, f"a {node.kind} takes {wanted}")
    return len(scope.faults) == before


def _axes(scope: Scope, written: tree.Type) -> bool:
    """Whether the axes of a type are names, each once, with `cout` first and `cin` second where both are there."""
    before = len(scope.faults)
    names = axes_of(written)
    for one, name in zip(written.axes or (), names, strict=False):
        if not isinstance(one, tree.Name | tree.AnyAxis) or (name == EVERY and len(names) > 1):
            scope.refuse("E0326", "an axis of a tensor is a name", one.span, "or * alone, for all of them")
        elif names.count(name) > 1:
            scope.refuse("E0102", f"the axis `{name}` stands twice", one.span)
            break
    for place, name in enumerate(("cout", "cin")):
        if name in names and "cout" in names and names.index(name) != place and written.axes:
            label = "expected for example tensor[cout, cin, kh, kw]"
            scope.refuse("E0326", f"`{name}` stands in place {place + 1}", written.axes[names.index(name)].span, label)
            break
    return len(scope.faults) == before


# ---- metrics ------------------------------------------------------------------------------------


def _metric(scope: Scope, node: tree.Function) -> None:
    """``metric cost(m: model) -> ratio = …``: of the dimension that it declares."""
    word = node.result.word
    if word.text not in RESULTS or node.result.axes is not None:
        label = hint(word.text, RESULTS) or f"expected {', '.join(RESULTS)}"
        return scope.refuse("E0326", f"a metric is no `{node.result.span.text}`", node.result.span, label)
    if node.extern:
        python(scope, node.body)
        return None
    models = {"before": "before", "after": "after", node.ports[0].name.text: "after"}
    here = Context(scope, models, byte=context(scope, node.body).byte, trail=((scope.source.path, node.name.text),))
    found = term(here, node.body)
    return None if found is None else _agrees(scope, node, found)


def _agrees(scope: Scope, node: tree.Function, found: Term) -> None:
    word = node.result.word
    if not found.name:
        return scope.refuse("E0215", "this does not speak of the model", node.body.span)
    if found.quantity.dimension != RESULTS[word.text]:
        label = f"this is in {found.quantity.dimension}"
        return scope.refuse("E0302", f"`{node.name}` is declared as `{word}`", node.body.span, label)
    if RESULTS[word.text] == PLAIN and found.counts != int(word.text == "count"):
        label = "this counts" if found.counts else "this is a ratio"
        return scope.refuse("E0302", f"`{node.name}` is declared as `{word}`", node.body.span, label)
    return None


def _norm(scope: Scope, node: tree.Function) -> None:
    """``metric l2(x: tensor[*]) -> ratio = …``: a number made of a tensor."""
    if node.extern or node.result.word.text != "ratio" or node.result.axes is not None:
        return scope.refuse("E0326", "a metric of a tensor is a `ratio`, and no extern", node.result.span)
    port = node.ports[0]
    name = port.name.text
    found = shaped(
        Place(scope, {name: Shaped(Variable(name), axes_of(port.type))}, trail=((scope.source.path, node.name.text),)),
        node.body,
    )
    if found is not None and found.axes:
        label = f"this is over {', '.join(found.axes)}"
        scope.refuse("E0325", f"`{node.name}` is declared as a number", node.body.span, label)
    return None


# ---- criteria -----------------------------------------------------------------------------------


def criterion(scope: Scope, found: Declared, settings: Mapping[str, Setting] | None = None) -> Criterion | None:
    """The criterion `found`, of this file or of the library; nothing where its declaration has a fault.

    Without `settings` it is only looked at, with 1 for each of its numbers.
    """
    node, inside = found.node, home(scope, found)
    if isinstance(node, tree.PrimitiveFunction):
        return _primitive(found, node, settings or {})
    return _formula(scope, found, node, inside, settings or {}) if isinstance(node, tree.Function) else None


def _formula(
    scope: Scope, found: Declared, node: tree.Function, inside: Scope, settings: Mapping[str, Setting]
) -> Criterion | None:
    """A criterion of the language, or of the user's Python."""
    if node.result.word.text != "score":
        label = "expected score[…]"
        return scope.refuse("E0326", f"a criterion is no `{node.result.word}`", node.result.span, label)
    port = next((one for one in node.ports if one.type.word.text == "tensor"), None)
    if port is None or not _axes(inside, node.result):
        return None
    name, axes, result = port.name.text, axes_of(port.type), axes_of(node.result)
    if node.extern:
        reference = python(inside, node.body)
        return reference and Criterion(found.name, name, axes, result, reference=str(reference), span=node.name.span)
    told = {one.name.text: 1 for one in node.ports if one.type.word.text in SCALARS} | dict(settings)
    tensors = {key: Shaped(Number(Fraction(value))) for key, value in told.items()}
    tensors[name] = Shaped(Variable(name), axes)
    extras: list[str] = []
    place = Place(inside, tensors, {name: name}, extras, ((inside.source.path, found.name),))
    body = shaped(place, node.body)
    if body is None or not _scores(inside, node, body, result):
        return None
    made = Criterion(found.name, name, axes, result, body.expr, tuple(dict.fromkeys(extras)), span=node.name.span)
    return _one_pass(inside, node, evolve(made, settings=tuple(settings.items())))


def _primitive(found: Declared, node: tree.PrimitiveFunction, settings: Mapping[str, Setting]) -> Criterion:
    """A criterion of the library that Python implements, by its name."""
    port = next(one for one in node.parameters if one.type.word.text == "tensor")
    reads = any(one.type.word.text == "data" for one in node.parameters)
    return Criterion(
        found.name, port.name.text, axes_of(port.type), axes_of(node.result), primitive=node.name.text, data=reads,
        settings=tuple(settings.items()), span=node.name.span,
    )  # fmt: skip


def _one_pass(scope: Scope, node: tree.Function, made: Criterion) -> Criterion | None:
    """Whether rows come either in batches or one by one."""
    if {"grad", "grad[B]"} <= made.reads:
        label = "write grad[B](…) everywhere, and reduce over B"
        return scope.refuse("E0201", f"`{node.name}` reads gradients of batches and of rows", node.body.span, label)
    return made


def _scores(scope: Scope, node: tree.Function, body: Shaped, result: tuple[str, ...]) -> bool:
    """Whether the body is over the axes that are declared."""
    if body.open or BATCH in body.axes:
        label = "there is one for each row of the data: reduce over B"
        scope.refuse("E0325", f"`{node.name}` still has the rows of the data", node.body.span, label)
    elif body.truth:
        scope.refuse("E0201", f"`{node.name}` is a condition", node.body.span, "expected scores")
    elif set(body.axes) != set(result):
        over = f"score[{', '.join(body.axes)}]" if body.axes else "a single number"
        label = f"this is {over}, declared is score[{', '.join(result)}]"
        scope.refuse("E0325", f"`{node.name}` is over other axes than it declares", node.body.span, label)
    else:
        return True
    return False


@cache
def standard(name: str, *settings: tuple[str, Setting]) -> Criterion:
    """The criterion of the library called `name`, with its arguments."""
    target = f"std.importance.{name}"
    scope = scope_of(*declaration(target))
    found = signature(target)
    made = criterion(scope, Declared("criterion", name, found.node, None, target, found), dict(settings))
    assert made is not None, f"{target} has a fault"
    return made


def ranks(scope: Scope, name: tree.Name, found: Criterion, rule: tuple[tree.Name, str]) -> bool:
    """Whether a criterion scores what a rule removes; otherwise reports E0321, with the ways out."""
    called, wanted = rule
    single = found.single or found.result == found.axes
    if found.single or (wanted == "score[*]" and single) or wanted == f"score[{', '.join(found.result)}]":
        return True
    needed = [axis.strip() for axis in wanted[len("score[") : -1].split(",")]
    others = [axis for axis in found.axes if axis not in needed]
    if EVERY in needed:
        helps = [f"score single weights: score[{', '.join(found.axes)}]"]
    else:
        helps = [f"reduce over the other axes: {wanted} = sum[{', '.join(others)}](…)"]
    notes = [Note(called.span, f"this rule removes what {wanted} ranks")]
    if found.span != NOWHERE and not scope.names[name.text].target:
        notes.append(Note(found.span, "declared here"))
    label = f"has type score[{', '.join(found.result)}]"
    scope.refuse(
        "E0321", f"criterion `{name.text}` scores the wrong axis", name.span, label, notes=tuple(notes),
        help=tuple(helps),
    )  # fmt: skip
    return False
