"""Clauses of a rule: its conditions, the weights of R, its bound, and what it makes smaller.

Each is read where its names are known: a `with` clause knows the weights of L with their axes, a `where` the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve

from surgdsl.axis.extent import show
from surgdsl.diagnostic import Note, hint
from surgdsl.formula import Apply, Formula, Number, Spectral, Variable, walk
from surgdsl.language import tree
from surgdsl.language.bounds import bounded, decreasing, shallow
from surgdsl.language.boxes import Side
from surgdsl.language.expressions import Place, Shaped, shaped
from surgdsl.language.scaling import scales, scaling
from surgdsl.language.scope import Scope
from surgdsl.language.sizes import extent
from surgdsl.rules.ground import axes
from surgdsl.rules.schema import Assignment, Box, Schema

NOTHING = Number(Fraction(0))
"""In place of a value that has a fault."""


def claused(scope: Scope, node: tree.Rule, known: Schema, right: Side) -> Schema:
    """`known`, which has L, K and R, with what follows R."""
    provisos = {kind: [one for one in node.provisos if isinstance(one, tree.Proviso) and one.kind == kind]
                for kind in ("where", "bound", "decreases")}  # fmt: skip
    for kind in ("bound", "decreases"):
        for one in provisos[kind][1:]:
            scope.refuse("E0107", f"`{kind}` is given twice", one.span)
    where = [_condition(scope, known, one.value) for one in provisos["where"]]
    known = evolve(known, scales=scales(scope, node, known, readable(known), right.boxes))
    weights = _weights(scope, [one for one in node.provisos if isinstance(one, tree.With)], known, right)
    if bool(provisos["bound"]) != (known.grade == "bounded"):
        told = "states a bound, and is not bounded" if provisos["bound"] else "is bounded, and states no bound"
        scope.refuse("E0349", f"`{known.name}` {told}", node.grade.span)
    bound = next((bounded(scope, one.value, known, readable(known)) for one in provisos["bound"]), None)
    made = evolve(known, where=tuple(one for one in where if one), weights=weights, bound=bound)
    return evolve(made, decreases=next((decreasing(scope, one.value, made) for one in provisos["decreases"]), None))


def readable(schema: Schema) -> dict[str, Shaped]:
    """What a `with` clause may name, with its axes: weights and arguments of L, sizes, parameters, scales."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(schema.given, ())
    for box in schema.left:
        found |= {f"{box.name}.{tensor.name}": axes(box, tensor) for tensor in box.kind.tensors}
        found |= {f"{box.name}.{one.name}": () for one in box.kind.arguments if isinstance(one.default, int | float)}
    found |= {scale.name: (scale.axis,) for scale in schema.scales}
    return {name: Shaped(Variable(name), over) for name, over in found.items()}


def _condition(scope: Scope, known: Schema, expr: tree.Expr) -> Formula | None:
    """A truth value over the sizes and parameters of the rule."""
    found = shaped(Place(scope, {name: Shaped(Variable(name)) for name in known.given}), expr)
    if found is not None and not found.truth:
        return scope.refuse("E0201", "a condition compares", expr.span, "expected for example a <= b")
    return found.expr if found and shallow(scope, expr, found) else None


def _weights(scope: Scope, clauses: list[tree.With], known: Schema, right: Side) -> tuple[Assignment, ...]:
    """The values of the weights of R; one that has a fault is there all the same, so that it is not missed as well."""
    here, found = Place(scope, readable(known)), dict[tuple[str, str], Assignment]()
    for one in (binding for clause in clauses for binding in clause.bindings if not scaling(binding, right.boxes)):
        keys = [_target(scope, target, right, found) for target in one.targets]
        for target, key, value in zip(one.targets, keys, _values(here, one), strict=True):
            if key is None:
                continue
            _fitting(scope, one, right.boxes[key[0]], key[1], value)
            if shallow(scope, one.value, value):
                _reproducible(scope, one.value, value)
            found[key] = Assignment(*key, value.expr if value else NOTHING, span=target.span)
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


def _values(here: Place, one: tree.Binding) -> list[Shaped | None]:
    """One value for each target: the parts of a decomposition, or a single expression."""
    match one.value:
        case tree.Call(tree.Name("svd"), arguments):
            return _svd(here, one, arguments)
        case _ if len(one.targets) > 1:
            here.scope.refuse("E0348", "only svd gives two weights at once", one.value.span)
            return [None] * len(one.targets)
        case _:
            return [shaped(here, one.value)]


def _svd(
    here: Place, one: tree.Binding, arguments: tuple[tree.Expr | tree.Keyword | tree.Each, ...]
) -> list[Shaped | None]:
    """``U.weight, V.weight = svd(W.weight, rank = r)``: U over the rows of W, V over its columns, r in between."""
    match arguments:
        case (matrix, tree.Keyword(tree.Word("rank"), written)) if len(one.targets) == 2 and not isinstance(
            matrix, tree.Keyword | tree.Each
        ):
            found = _parts(here, matrix, written)
        case _:
            found = None
            label = "expected U.weight, V.weight = svd(W.weight, rank = r)"
            here.scope.refuse("E0348", "svd is called wrongly", one.value.span, label)
    return list(found) if found else [None] * len(one.targets)


def _parts(here: Place, matrix: tree.Expr, written: tree.Expr) -> tuple[Shaped, Shaped] | None:
    body, rank, axis = shaped(here, matrix), shaped(here, written), extent(here.scope, written)
    if body is None or rank is None or axis is None:
        return None
    if len(body.axes) < 2 or show(axis) in body.axes:
        label = f"it has {', '.join(body.axes) or 'no axes'}"
        return here.scope.refuse("E0348", "svd decomposes a matrix", matrix.span, label)
    rows, *columns = body.axes
    return (
        Shaped(Spectral("left", body.expr, rank.expr, show(axis)), (rows, show(axis))),
        Shaped(Spectral("right", body.expr, rank.expr, show(axis)), (show(axis), *columns)),
    )


def _reproducible(scope: Scope, expr: tree.Expr, value: Shaped | None) -> None:
    """Whether everybody who computes a value gets the same bits: IEEE 754 says what roots are, but not exp and log."""
    vague = [one.op for one in walk(value.expr) if isinstance(one, Apply) and one.op in ("exp", "log")] if value else []
    if vague:
        label = "its last bit is another one in every library"
        scope.refuse("E0348", f"`{vague[0]}` cannot stand in a weight", expr.span, label)


def _fitting(scope: Scope, one: tree.Binding, box: Box, name: str, value: Shaped | None) -> None:
    tensor = box.kind.tensor(name)
    assert tensor is not None
    wanted = axes(box, tensor)
    extra = [axis for axis in value.axes if axis not in wanted] if value else []
    if value and extra:
        label = f"it is over {', '.join(value.axes)}; {box.name}.{name} over {', '.join(wanted)}"
        lines = (f"sum over it: sum[{', '.join(extra)}](…)",)
        scope.refuse("E0348", f"the value has an axis `{extra[0]}` too many", one.value.span, label, help=lines)
