"""Clauses of a rule: its conditions, the weights of R, its bound, and what it makes smaller.

Each is read where its names are known: a `with` clause knows the weights of L with their axes, a `where` the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve

from surgdsl.diagnostic import Note, hint
from surgdsl.formula import Number, Spectral
from surgdsl.language import tree
from surgdsl.language.boxes import Side
from surgdsl.language.scope import Scope
from surgdsl.language.tensors import Tensors, Typed, axis_name, condition, number, plain
from surgdsl.rules.boxes import kind_of
from surgdsl.rules.ground import axes
from surgdsl.rules.schema import Assignment, Bound, Box, Schema

NOTHING = Number(Fraction(0))
"""In place of a value that has a fault."""
NORMS = ("l2", "linf")


def claused(scope: Scope, node: tree.Rule, known: Schema, right: Side) -> Schema:
    """`known`, which has L, K and R, with what follows R."""
    provisos = {kind: [one for one in node.provisos if isinstance(one, tree.Proviso) and one.kind == kind]
                for kind in ("where", "bound", "decreases")}  # fmt: skip
    for kind in ("bound", "decreases"):
        for one in provisos[kind][1:]:
            scope.refuse("E0107", f"`{kind}` is given twice", one.span)
    sizes = dict.fromkeys(known.given, ())
    where = [condition(Tensors(scope, sizes), one.value) for one in provisos["where"]]
    weights = _weights(scope, [one for one in node.provisos if isinstance(one, tree.With)], known, right)
    if bool(provisos["bound"]) != (known.grade == "bounded"):
        told = "states a bound, and is not bounded" if provisos["bound"] else "is bounded, and states no bound"
        scope.refuse("E0349", f"`{known.name}` {told}", node.grade.span)
    bound = next((_bound(scope, one, known) for one in provisos["bound"]), None)
    made = evolve(known, where=tuple(one for one in where if one), weights=weights, bound=bound)
    return evolve(made, decreases=next((_decreases(scope, one, made) for one in provisos["decreases"]), None))


def readable(schema: Schema) -> dict[str, tuple[str, ...]]:
    """What a `with` clause may name, with its axes: weights and arguments of L, sizes, parameters."""
    found = dict.fromkeys(schema.given, ())
    for box in schema.left:
        found |= {f"{box.name}.{tensor.name}": axes(box, tensor) for tensor in box.kind.tensors}
        found |= {f"{box.name}.{one.name}": () for one in box.kind.arguments if isinstance(one.default, int | float)}
    return found


def _weights(scope: Scope, clauses: list[tree.With], known: Schema, right: Side) -> tuple[Assignment, ...]:
    """The values of the weights of R; one that has a fault is there all the same, so that it is not missed as well."""
    here, found = Tensors(scope, readable(known)), dict[tuple[str, str], Assignment]()
    for one in (binding for clause in clauses for binding in clause.bindings):
        keys = [_target(scope, target, right, found) for target in one.targets]
        for target, key, value in zip(one.targets, keys, _values(here, one), strict=True):
            if key is None:
                continue
            _fitting(scope, one, right.boxes[key[0]], key[1], value)
            found[key] = Assignment(*key, value.formula if value else NOTHING, span=target.span)
    for box in right.boxes.values() if all(right.whole) else ():
        for tensor in box.kind.tensors:
            if tensor.absent is None and (box.name, tensor.name) not in found:
                label = f"with {box.name}.{tensor.name} = …"
                scope.refuse("E0348", f"nothing gives `{box.name}` its {tensor.name}", box.span, label)
    return tuple(found.values())


def _target(
    scope: Scope, dotted: tree.Dotted, right: Side, found: Mapping[tuple[str, str], Assignment]
) -> tuple[str, str] | None:
    """(box, tensor) of R, if there is one that has no value yet."""
    name, *rest = (word.text for word in dotted.words)
    boxes, whole = right.boxes, all(right.whole)
    if name not in boxes:
        return (
            scope.refuse("E0348", f"R has no box `{name}`", dotted.words[0].span, hint(name, boxes)) if whole else None
        )
    known = [tensor.name for tensor in boxes[name].kind.tensors]
    if len(rest) != 1 or rest[0] not in known:
        label = hint(".".join(rest), known) or (f"it has {', '.join(known)}" if known else "it has none")
        return scope.refuse("E0348", f"`{name}` has no weight `{'.'.join(rest)}`", dotted.span, label)
    if (name, rest[0]) in found:
        notes = (Note(found[name, rest[0]].span, "given here first"),)
        return scope.refuse("E0348", f"`{dotted}` is given twice", dotted.span, notes=notes)
    return name, rest[0]


def _values(here: Tensors, one: tree.Binding) -> list[Typed | None]:
    """One value for each target: the parts of a decomposition, or a single expression."""
    match one.value:
        case tree.Call(tree.Name("svd"), arguments):
            return _svd(here, one, arguments)
        case _ if len(one.targets) > 1:
            here.scope.refuse("E0348", "only svd gives two weights at once", one.value.span)
            return [None] * len(one.targets)
        case _:
            return [number(here, one.value)]


def _svd(
    here: Tensors, one: tree.Binding, arguments: tuple[tree.Expr | tree.Keyword | tree.Each, ...]
) -> list[Typed | None]:
    """``U.weight, V.weight = svd(W.weight, rank = r)``: U over the rows of W, V over its columns, r in between."""
    call, nothing = one.value, list[Typed | None]([None] * len(one.targets))
    assert isinstance(call, tree.Call)
    named = [each for each in arguments if isinstance(each, tree.Keyword) and each.word.text == "rank"]
    given = plain(here, call, tuple(each for each in arguments if each not in named), 1) if len(named) == 1 else None
    if given is None or len(one.targets) != 2:
        here.scope.refuse(
            "E0348", "svd is called wrongly", call.span, "expected U.weight, V.weight = svd(W.weight, rank = r)"
        )
        return nothing
    body, rank, axis = number(here, given[0]), number(here, named[0].value), axis_name(here, named[0].value)
    if body is None or rank is None or axis is None:
        return nothing
    if len(body.axes) < 2 or axis in body.axes:
        here.scope.refuse(
            "E0348", "svd decomposes a matrix", given[0].span, f"it has {', '.join(body.axes) or 'no axes'}"
        )
        return nothing
    rows, *columns = body.axes
    return [
        Typed(Spectral("left", body.formula, rank.formula, axis), (rows, axis)),
        Typed(Spectral("right", body.formula, rank.formula, axis), (axis, *columns)),
    ]


def _fitting(scope: Scope, one: tree.Binding, box: Box, name: str, value: Typed | None) -> None:
    tensor = box.kind.tensor(name)
    assert tensor is not None
    wanted = axes(box, tensor)
    extra = [axis for axis in value.axes if axis not in wanted] if value else []
    if value and extra:
        label = f"it is over {', '.join(value.axes)}; {box.name}.{name} over {', '.join(wanted)}"
        lines = (f"sum over it: sum[{', '.join(extra)}](…)",)
        scope.refuse("E0348", f"the value has an axis `{extra[0]}` too many", one.value.span, label, help=lines)


# ---- bound and decreases ------------------------------------------------------------------------


def _bound(scope: Scope, proviso: tree.Proviso, known: Schema) -> Bound | None:
    """``l2(y.before - y.after) <= factor * l2(x)``."""
    label = "expected for example l2(y.before - y.after) <= sigma(W.weight, r + 1) * l2(x)"
    match proviso.value:
        case tree.Binary(
            "<=",
            tree.Call(
                tree.Name(norm),
                (tree.Binary("-", tree.Member(tree.Name(before), one), tree.Member(tree.Name(after), other)),),
            ),
            tree.Binary("*", factor, tree.Call(tree.Name(same), (tree.Name(source),))),
        ) if norm == same and norm in NORMS and before == after and (one.text, other.text) == ("before", "after"):
            outputs = [port.wire for port in known.glue if port.wire not in known.inputs]
            if before not in outputs or source not in known.inputs:
                wire = before if before not in outputs else source
                return scope.refuse(
                    "E0349", f"a bound speaks of wires of K, and not of `{wire}`", proviso.value.span, label
                )
            found = number(Tensors(scope, readable(known)), factor)
            if found is not None and found.axes:
                return scope.refuse(
                    "E0349", "the factor of a bound is a number", factor.span, f"it has {', '.join(found.axes)}"
                )
            return found and Bound(norm, before, found.formula, source, span=proviso.value.span)
        case _:
            return scope.refuse("E0349", "this is no bound", proviso.value.span, label)


def _decreases(scope: Scope, proviso: tree.Proviso, known: Schema) -> tuple[tuple[str, int], ...] | None:
    found = _counts(scope, proviso.value)
    if found is None:
        return None
    made = evolve(known, decreases=tuple(sorted(found.items())))
    before, after = made.measure(made.left), made.measure(made.right)
    if after >= before:
        scope.refuse("E0350", "nothing decreases", proviso.value.span, f"it is {before} in L and {after} in R")
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
