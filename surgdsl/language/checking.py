"""The way through the front end: text, tree, names, types and units, program.

Every stage adds its faults to one list and passes on what is good, so that one run reports everything that it can know.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from surgdsl.diagnostic import Diagnostic, Refusal, Source, Span
from surgdsl.language import lock, tree
from surgdsl.language.constants import compute
from surgdsl.language.declarations import batch, check_shared, data, dim, interface, model
from surgdsl.language.functions import function
from surgdsl.language.importing import Closure, Unit
from surgdsl.language.library import standard_file
from surgdsl.language.parsing import parse
from surgdsl.language.program import ParamDecl, Program, Use
from surgdsl.language.reading import read
from surgdsl.language.refusing import refuse_unexecuted
from surgdsl.language.rules import rule
from surgdsl.language.scope import Scope, scope_of
from surgdsl.language.surgeries import surgery
from surgdsl.language.sweeps import sweep
from surgdsl.language.tree.qualifying import qualified


def load(path: str | Path) -> Program:
    """The program in the file at `path`.

    Raises:
        Refusal: with every fault that the file has.
    """
    return program(read(path))


def program(source: Source) -> Program:
    """The program that `source` spells.

    Raises:
        Refusal: with every fault that the text has.
    """
    made, faults = check(source)
    if made is None:
        raise Refusal(*faults, exit_code=lock.exit_code(faults))
    return made


def check(source: Source) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program, or nothing, and every fault found, in the order of the text and of the files that it uses."""
    closure, unit = opened(source)
    faults = [*unit.scope.faults, *(fault for one in closure.made.values() for fault in one.scope.faults)]
    try:
        faults += closure.stale()
    except Refusal as refusal:
        faults += refusal.diagnostics
    told = _distinct(faults)
    if told:
        return None, told
    files = tuple((closure.name(path), one.source) for path, one in closure.made.items())
    return evolve(unit.program, files=tuple(sorted(files, key=lambda one: one[0]))), ()


def opened(source: Source) -> tuple[Closure, Unit]:
    """A text with everything that it uses, checked but for the lock."""
    closure = Closure(lock.folder(source), _unit)
    root = Path(os.path.normpath(lock.folder(source) / Path(source.path).name))
    return closure, _unit(source, closure, (root,))


def _unit(source: Source, closure: Closure, chain: tuple[Path, ...]) -> Unit:
    parsed = parse(source)
    uses = [one for one in parsed.file.declarations if isinstance(one, tree.UseFile)]
    file = qualified(parsed.file, frozenset(one.alias.text for one in uses)) if uses else parsed.file
    units: dict[str, Unit] = {}
    faults: list[Diagnostic] = []
    for one in uses:
        try:
            units[one.alias.text] = closure.unit(one, source, chain)
        except Refusal as refusal:
            faults += refusal.diagnostics
    scope = scope_of(evolve(parsed, file=file), source, {name: one.scope for name, one in units.items()})
    scope.faults.extend(faults)
    scope.broken.update(one.alias.text for one in uses if one.alias.text not in units)
    scope.broken.update(name for name, one in units.items() if one.scope.faults)
    refuse_unexecuted(scope, file, library=standard_file(Path(source.path)))
    return Unit(source, scope, _program(scope, file, {name: one.program for name, one in units.items()}), units)


def _program(scope: Scope, file: tree.File, imports: Mapping[str, Program]) -> Program:
    nodes = file.declarations
    compute(scope, file)
    for node in nodes:
        if isinstance(node, tree.Function):
            function(scope, node)
        elif isinstance(node, tree.Rule):
            rule(scope, node)
    dims = [dim(scope, node) for node in nodes if isinstance(node, tree.Dim)]
    models = [one for one in (model(scope, node) for node in nodes if isinstance(node, tree.Model)) if one is not None]
    if all(one is None or one.name != "B" for one in dims):
        dims.append(batch(tuple(port for one in models for port in (*one.inputs, *one.outputs))))
    known = {one.name: one for one in models}
    known |= {f"{alias}.{one.name}": one for alias, used in imports.items() for one in used.models}
    interfaces = [interface(scope, node, known) for node in nodes if isinstance(node, tree.Interface)]
    rows = [data(scope, node) for node in nodes if isinstance(node, tree.Data)]
    surgeries = [surgery(scope, node) for node in nodes if isinstance(node, tree.Surgery)]
    uses = tuple(
        Use(name, one.target, span=one.span or _nowhere(scope)) for name, one in scope.names.items() if one.target
    )
    made = Program(
        scope.source, 1, uses, tuple(one for one in dims if one), tuple(models), tuple(one for one in rows if one),
        tuple(one for one in interfaces if one), tuple(one for one in surgeries if one),
        tuple(
            ParamDecl(one.name.text, one.type.word.text, span=one.span, value=one.value.span)
            for one in nodes if isinstance(one, tree.Param)
        ),
        tuple(one for one in (sweep(scope, node) for node in nodes if isinstance(node, tree.Sweep)) if one),
        imports=imports,
    )  # fmt: skip
    for one in (node for node in nodes if isinstance(node, tree.Surgery)):
        check_shared(scope, one, made)
    return made


def _nowhere(scope: Scope) -> Span:
    return Span(scope.source, 0, 0)


def _distinct(faults: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """`faults` in order, each once: a constant that is used twice is wrong once."""
    seen = {(one.order, one.span and one.span.stop): one for one in faults}
    return tuple(sorted(seen.values(), key=lambda one: one.order))
