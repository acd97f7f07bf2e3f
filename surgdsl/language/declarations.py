"""Dims, models, data and interfaces: from their declarations to the values that planning reads.

Each function gives nothing where its declaration has a fault; the fault is then in the scope.
"""

from __future__ import annotations

import re

from surgdsl.diagnostic import Note, Span, hint
from surgdsl.language import tree
from surgdsl.language.fitting import fitted
from surgdsl.language.program import DataDecl, DimDecl, FileRef, InterfaceDecl, ModelDecl, Port, Program, PythonRef
from surgdsl.language.scope import BATCH, DTYPES, Scope
from surgdsl.language.value import constant

LARGEST_BATCH = 4096


def dim(scope: Scope, node: tree.Dim) -> DimDecl | None:
    """``dim B in 1..64`` or ``dim H in {32, 64}``."""
    match node.domain:
        case tree.Range(low, high, None):
            ends = [_size(scope, end) for end in (low, high)]
            values = None
        case tree.Choice(items):
            ends = [_size(scope, item) for item in items]
            values = tuple(sorted({end for end in ends if end is not None}))
        case tree.Range():
            return scope.refuse(
                "E0422", "`every` in a dim is not executed in this version of surgdsl", node.domain.span
            )
        case _:
            return scope.refuse(
                "E0201", "a dim has a range or a set", node.domain.span, "expected for example 1..64 or {32, 64}"
            )
    sizes = [end for end in ends if end is not None]
    if len(sizes) < len(ends):
        return None
    if values is None and sizes[0] > sizes[1]:
        return scope.refuse("E0207", "this range is empty", node.domain.span, f"{sizes[0]} is above {sizes[1]}")
    return DimDecl(node.name.text, min(sizes), max(sizes), values, span=node.span)


def batch(ports: tuple[Port, ...]) -> DimDecl | None:
    """The batch that a port names without a declaration: any number of rows up to `LARGEST_BATCH`."""
    used = next((port for port in ports if BATCH in port.shape), None)
    return None if used is None else DimDecl(BATCH, 1, LARGEST_BATCH, span=used.span)


def _size(scope: Scope, expr: tree.Expr) -> int | None:
    value = constant(scope, expr)
    made = None if value is None else fitted(scope, value, "int", expr.span)
    if not isinstance(made, int):
        return None
    if made < 1:
        return scope.refuse("E0207", "a size is at least 1", expr.span)
    return made


def model(scope: Scope, node: tree.Model) -> ModelDecl | None:
    """``model m : (inputs) -> (outputs) { source = python("…")  weights = file("…") }``."""
    inputs, outputs = ports(scope, node.inputs), ports(scope, node.outputs)
    distinct(scope, tuple(port.name for port in (*node.inputs, *node.outputs)))
    fields = block(scope, node.block, allowed=("source", "weights"), needed=("source",))
    if not node.outputs:
        scope.refuse("E0109", "a model has at least one output", node.name.span)
    source = python(scope, fields["source"]) if "source" in fields else None
    weights = _file(scope, fields["weights"]) if "weights" in fields else None
    if inputs is None or outputs is None or source is None:
        return None
    return ModelDecl(node.name.text, inputs, outputs, source, weights, span=node.span)


def data(scope: Scope, node: tree.Data) -> DataDecl | None:
    """``data test { source = python("…")  take = 512 }``."""
    unexecuted = [one for one in node.block.fields if one.name.text in ("augment", "length")]
    for one in unexecuted:
        scope.refuse(
            "E0419", f"`{one.name}` of data is understood, but not executed in this version of surgdsl", one.name.span
        )
    known = ("source", "take", "augment", "length")
    fields = block(scope, node.block, allowed=known, needed=("source",))
    source = python(scope, fields["source"]) if "source" in fields else None
    take = _size(scope, fields["take"]) if "take" in fields else None
    return None if source is None else DataDecl(node.name.text, source, take, span=node.span)


def interface(scope: Scope, node: tree.Interface, models: dict[str, ModelDecl]) -> InterfaceDecl | None:
    """``interface api on m { in x: …  out y: … }``, every wire as its model has it."""
    found = scope.find(node.model, "model")
    inputs = ports(scope, tuple(one.port for one in node.boundary if isinstance(one, tree.InPort)))
    outputs = ports(scope, tuple(one.port for one in node.boundary if isinstance(one, tree.OutPort)))
    distinct(scope, tuple(one.port.name for one in node.boundary if not isinstance(one, tree.Cut)))
    declared = models.get(node.model.text)
    if found is None or declared is None or inputs is None or outputs is None:
        return None
    for side, mine, theirs in (("input", inputs, declared.inputs), ("output", outputs, declared.outputs)):
        for port in mine:
            _agrees(scope, side, port, theirs)
    return InterfaceDecl(node.name.text, node.model.text, inputs, outputs, span=node.span)


def check_shared(scope: Scope, node: tree.Surgery, made: Program) -> None:
    """Reports every wire of an imported interface that the model of the surgery does not have."""
    for dotted in (name for one in node.clauses if isinstance(one, tree.Preserve) for name in one.names):
        kept, owner = made.find_interface(str(dotted)), made.find_model(node.model.text)
        if len(dotted.words) == 1 or kept is None or owner is None:
            continue
        for side, mine, theirs in (("input", kept.inputs, owner.inputs), ("output", kept.outputs, owner.outputs)):
            for port in mine:
                _agrees(scope, side, port, theirs, dotted.span)


def _agrees(scope: Scope, side: str, port: Port, theirs: tuple[Port, ...], span: Span | None = None) -> None:
    twin = next((one for one in theirs if one.name == port.name), None)
    notes = () if span is None else (Note(port.span, "declared here"),)
    if twin is None:
        label = hint(port.name, (one.name for one in theirs))
        scope.refuse("E0212", f"the model has no {side} `{port.name}`", span or port.span, label, notes=notes)
    elif (twin.dtype, twin.shape) != (port.dtype, port.shape):
        notes = (*notes, Note(twin.span, "the model has this"))
        scope.refuse("E0212", f"`{port.name}` differs from its model", span or port.span, notes=notes)


def ports(scope: Scope, nodes: tuple[tree.Port, ...]) -> tuple[Port, ...] | None:
    """The typed wires, or nothing where one of them has a fault."""
    made = [_port(scope, node) for node in nodes]
    good = tuple(one for one in made if one is not None)
    return good if len(good) == len(made) else None


def _port(scope: Scope, node: tree.Port) -> Port | None:
    dtype = node.type.word
    if dtype.text not in DTYPES:
        scope.refuse("E0101", f"unknown dtype `{dtype}`", dtype.span, hint(dtype.text, DTYPES))
    shape = [_axis(scope, axis) for axis in node.type.axes or ()]
    good = tuple(one for one in shape if one is not None)
    if dtype.text not in DTYPES or len(good) < len(shape):
        return None
    return Port(node.name.text, dtype.text, good, span=node.span)


def _axis(scope: Scope, axis: tree.Expr | tree.AnyAxis) -> int | str | None:
    match axis:
        case tree.AnyAxis():
            return scope.refuse(
                "E0201", "a wire of a model has definite sizes", axis.span, "expected a number or a dim"
            )
        case tree.Name(text):
            return None if scope.find(axis, "dim") is None else text.rpartition(".")[2]
        case tree.Number():
            return _size(scope, axis)
        case _:
            message = "a size computed from dims is understood, but not executed in this version of surgdsl"
            return scope.refuse("E0418", message, axis.span)


def distinct(scope: Scope, words: tuple[tree.Word, ...]) -> None:
    """Reports every word that stands twice or is a keyword."""
    first: dict[str, Span] = {}
    for word in words:
        scope.keyword(word)
        if word.text in first:
            scope.refuse(
                "E0102",
                f"`{word}` is declared twice",
                word.span,
                notes=(Note(first[word.text], "declared here first"),),
            )
        first.setdefault(word.text, word.span)


# ---- blocks -------------------------------------------------------------------------------------


def block(
    scope: Scope, node: tree.Block, allowed: tuple[str, ...], needed: tuple[str, ...] = ()
) -> dict[str, tree.Expr]:
    """The fields of a block by name; reports the unknown, the repeated and the missing."""
    fields: dict[str, tree.Field] = {}
    for one in node.fields:
        name = one.name
        if name.text not in allowed:
            label = hint(name.text, allowed) or f"expected {', '.join(allowed)}"
            scope.refuse("E0108", f"there is no field `{name}` here", name.span, label)
        elif name.text in fields:
            notes = (Note(fields[name.text].name.span, "given here first"),)
            scope.refuse("E0107", f"`{name}` is given twice", name.span, notes=notes)
        else:
            fields[name.text] = one
    for name in needed:
        if name not in fields and not any(hint(one.name.text, (name,)) for one in node.fields):
            scope.refuse("E0109", f"the field `{name}` is missing", node.span)
    return {name: one.value for name, one in fields.items()}


REFERENCE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


def python(scope: Scope, expr: tree.Expr) -> PythonRef | None:
    """``python("module:attribute")``."""
    match expr:
        case tree.Call(tree.Name("python"), (tree.Text(text) as quoted,)):
            match = REFERENCE.fullmatch(text)
            if match is None:
                return scope.refuse("E0209", "this is no Python reference", quoted.span, 'expected "module:name"')
            return PythonRef(match[1], match[2], span=expr.span)
        case tree.Call(tree.Member()) | tree.Member() if expr.span.text.startswith("std."):
            message = "data of the standard library is understood, but not executed in this version of surgdsl"
            return scope.refuse("E0419", message, expr.span, help=('give your own: source = python("module:name")',))
        case _:
            return scope.refuse("E0209", "this is no Python reference", expr.span, 'expected python("module:name")')


def _file(scope: Scope, expr: tree.Expr) -> FileRef | None:
    match expr:
        case tree.Call(tree.Name("file"), (tree.Text(path),)):
            return FileRef(path, span=expr.span)
        case tree.Call(
            tree.Name("file"), (tree.Text(path), tree.Keyword(tree.Word("sha256"), tree.Text(digest) as quoted))
        ):
            if not re.fullmatch(r"[0-9a-f]{64}", digest):
                return scope.refuse(
                    "E0208", "this is no SHA-256 digest", quoted.span, "expected 64 digits of 0-9 and a-f"
                )
            return FileRef(path, digest, span=expr.span)
        case _:
            return scope.refuse(
                "E0201", "weights come from a file", expr.span, 'expected file("name.safetensors", sha256 = "…")'
            )
