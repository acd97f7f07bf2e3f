"""The way through the front end: text, tree, names, types and units, program.

Every stage adds its faults to one list and passes on what is good, so that one run reports everything that it can know.
"""

from __future__ import annotations

from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal, Source, Span
from surgdsl.language import tree
from surgdsl.language.constants import compute
from surgdsl.language.declarations import batch, data, dim, interface, model
from surgdsl.language.library import standard_file
from surgdsl.language.parsing import parse
from surgdsl.language.program import ParamDecl, Program, Use
from surgdsl.language.refusing import refuse_unexecuted
from surgdsl.language.scope import Scope, scope_of
from surgdsl.language.surgeries import surgery

LARGEST_FILE = 2**20


def read(path: str | Path) -> Source:
    """The text of a file.

    Raises:
        Refusal: E0701 to E0704, where there is no file, or none that holds text.
    """
    shown = str(path)
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise Refusal(Diagnostic("E0701", f"there is no file `{shown}`")) from None
    except IsADirectoryError:
        raise Refusal(Diagnostic("E0702", f"`{shown}` is a folder, not a file")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Refusal(Diagnostic("E0703", f"`{shown}` cannot be read", label=reason)) from None
    return decoded(shown, raw)


def decoded(path: str, raw: bytes) -> Source:
    """The text that `raw` holds.

    Raises:
        Refusal: E0704, where it is not UTF-8, holds zero bytes or a mark at its beginning, or is larger than 1 MiB.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(
            Diagnostic("E0704", f"`{path}` is not text in UTF-8", label=f"byte {error.start} begins no character")
        ) from None
    if "\0" in text:
        raise Refusal(Diagnostic("E0704", f"`{path}` is a binary file", label=f"byte {raw.index(0)} is zero"))
    if len(raw) > LARGEST_FILE:
        raise Refusal(Diagnostic("E0704", f"`{path}` is too large", label="a file has at most 1 MiB"))
    if text.startswith("\N{BYTE ORDER MARK}"):  # dropping it would change the digest of the file
        raise Refusal(
            Diagnostic("E0704", f"`{path}` begins with a byte order mark", help=("save it as UTF-8 without one",))
        )
    return Source(path, text)


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
        raise Refusal(*faults)
    return made


def check(source: Source) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program, or nothing, and every fault found, in the order of the text."""
    parsed = parse(source)
    scope = scope_of(parsed, source)
    refuse_unexecuted(scope, parsed.file, library=standard_file(Path(source.path)))
    made = _program(scope, parsed.file)
    faults = _distinct(scope.faults)
    return (None, faults) if faults else (made, ())


def _program(scope: Scope, file: tree.File) -> Program:
    nodes = file.declarations
    compute(scope, file)
    dims = [dim(scope, node) for node in nodes if isinstance(node, tree.Dim)]
    models = [one for one in (model(scope, node) for node in nodes if isinstance(node, tree.Model)) if one is not None]
    if all(one is None or one.name != "B" for one in dims):
        dims.append(batch(tuple(port for one in models for port in (*one.inputs, *one.outputs))))
    known = {one.name: one for one in models}
    interfaces = [interface(scope, node, known) for node in nodes if isinstance(node, tree.Interface)]
    rows = [data(scope, node) for node in nodes if isinstance(node, tree.Data)]
    surgeries = [surgery(scope, node) for node in nodes if isinstance(node, tree.Surgery)]
    uses = tuple(
        Use(name, one.target, span=one.span or _nowhere(scope)) for name, one in scope.names.items() if one.target
    )
    return Program(
        scope.source, 1, uses, tuple(one for one in dims if one), tuple(models), tuple(one for one in rows if one),
        tuple(one for one in interfaces if one), tuple(one for one in surgeries if one),
        tuple(
            ParamDecl(one.name.text, one.type.word.text, span=one.span, value=one.value.span)
            for one in nodes if isinstance(one, tree.Param)
        ),
    )  # fmt: skip


def _nowhere(scope: Scope) -> Span:
    return Span(scope.source, 0, 0)


def _distinct(faults: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """`faults` in order, each once: a constant that is used twice is wrong once."""
    seen = {(one.order, one.span and one.span.stop): one for one in faults}
    return tuple(sorted(seen.values(), key=lambda one: one.order))
