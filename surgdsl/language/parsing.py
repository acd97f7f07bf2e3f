"""Text to tree, with every syntax error of the file and not only the first.

The fast way reads the file at once. Only where that fails is the text cut into declarations, and a failing surgery
into clauses, and each piece is read on its own: what is good is kept for the checks that follow, what is bad is
reported.
"""

from __future__ import annotations

import gc
import re
import unicodedata
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

from attrs import evolve, field, frozen
from lark import TextSlice, Token, Tree, UnexpectedInput

from surgdsl.diagnostic import Diagnostic, Source, Span
from surgdsl.language import tables, tree
from surgdsl.language.building import Building
from surgdsl.language.syntax import fault

DEEPEST = 100
MOST_FAULTS = 50


@frozen
class Comment:
    """A comment with its ``#``."""

    text: str
    span: Span


@frozen
class Parsed:
    """What could be read of a file: the tree, the comments, the faults, and the names whose declarations are broken."""

    file: tree.File
    comments: tuple[Comment, ...] = ()
    faults: tuple[Diagnostic, ...] = ()
    broken: frozenset[str] = field(default=frozenset())


@cache
def parser() -> Any:
    """The parser of the grammar, from its tables where they are there; lark leaves its types open."""
    text = tables.grammar()
    return tables.load(text) or tables.build(text)


KEYWORDS = frozenset((
    "surg", "use", "as", "dim", "in", "let", "param", "model", "data", "interface", "on", "out", "cut",
    "criterion", "metric", "extern", "primitive", "rule", "by", "exact", "bounded", "lossy", "where", "with",
    "bound", "decreases", "surgery", "over", "vary", "keep", "limit", "runs", "preserve", "seed", "budget",
    "step", "apply", "exhaustively", "frozen", "live", "stages", "order", "recover", "then", "target", "minimize",
    "maximize", "require", "for", "all", "confidence", "among", "candidates", "registered", "emit", "except", "every",
    "choose", "if", "else", "and", "or", "not",
))  # fmt: skip
"""Words that no declaration may take. L, K and R are keywords only inside a rule."""

DECLARATIONS = (
    "use", "dim", "let", "param", "model", "data", "interface", "criterion", "metric", "extern", "rule", "primitive",
    "surgery", "sweep",
)  # fmt: skip
CLAUSES = ("preserve", "seed", "budget", "step", "order", "recover", "target", "require", "emit")
CONTINUATIONS = ("by", "except", "for", "in", "on", "then", "where", "with")


def parse(source: Source) -> Parsed:
    """Reads `source`. Never raises for what the text may hold: faults are in the result."""
    comments = tuple(_comments(source))
    hidden = tuple(_invisible(source))
    if hidden:
        return Parsed(tree.File(tree.Word("1"), ()), comments, hidden)
    try:
        found = _read(source, "start", 0, len(source.text))
    except UnexpectedInput:
        return _piecewise(source, comments)
    if isinstance(found, Diagnostic):
        return Parsed(tree.File(tree.Word("1"), ()), comments, (found,))
    edition: tree.Word = found.edition
    faults = () if edition.text == "1" else (_unknown_edition(edition.span),)
    return Parsed(found, comments, faults)


def parse_expression(source: Source) -> tree.Expr | Diagnostic:
    """The one expression that `source` holds, or why it holds none."""
    hidden = next(_invisible(source), None)
    if hidden is not None:
        return hidden
    try:
        return _read(source, "expr", 0, len(source.text))
    except UnexpectedInput as unexpected:
        return fault(source, unexpected, "value", len(source.text))


def _read(source: Source, start: str, begin: int, end: int) -> Any:
    """The node of rule `start` between `begin` and `end`, or the diagnostic that it is nested too deeply."""
    with _without_collection():
        found: Tree[Token] = parser().parse(TextSlice(source.text, begin, end), start=start)
    deep = _too_deep(found)
    if deep is None:
        return Building(source).node(found)
    where = Span(source, deep.meta.start_pos, min(deep.meta.start_pos + 1, deep.meta.end_pos))
    return Diagnostic("E0007", "this is nested too deeply", where, f"more than {DEEPEST} levels")


@contextmanager
def _without_collection() -> Generator[None]:
    """No garbage is collected for a while: to walk a growing tree again and again takes a third of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _too_deep(root: Tree[Token]) -> Tree[Token] | None:
    """A subtree beyond the deepest level that is read; found without recursion, since it guards recursion."""
    level = [root]
    for _ in range(DEEPEST):
        level = [child for one in level for child in one.children if isinstance(child, Tree)]
        if not level:
            return None
    return level[0]


INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and what reorders or hides text: with them a file could show an auditor what it does not say."""


def _invisible(source: Source) -> Iterator[Diagnostic]:
    for match in islice(INVISIBLE.finditer(source.text), MOST_FAULTS):
        name = unicodedata.name(match.group(), f"U+{ord(match.group()):04X}").lower()
        yield Diagnostic("E0001", "an invisible character", Span(source, match.start(), match.end()), name)


def _unknown_edition(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0005", f"unknown edition `{span.text}`", span, "this version reads edition 1", help=("write `surg 1`",)
    )


# ---- the slow way: piece by piece ---------------------------------------------------------------

HEADER = re.compile(r"(?:\s|#[^\n]*)*")
STARTS = re.compile(r"^(?P<indent>[ \t]*)(?P<word>[A-Za-z_]\w*)(?!\w)(?P<field>[ \t]*[=:])?", re.MULTILINE)
SOLID = re.compile(r'#[^\n]*|"[^"\n]*"|[{}]')


@frozen
class Piece:
    """A stretch of text that should hold one declaration or clause."""

    word: str
    start: int
    stop: int


def _piecewise(source: Source, comments: tuple[Comment, ...]) -> Parsed:
    faults: list[Diagnostic] = []
    declarations: list[Any] = []
    broken: set[str] = set()
    edition, begin = _edition(source, faults)
    for piece in _pieces(source, begin, len(source.text), DECLARATIONS, whole_file=True):
        if len(faults) >= MOST_FAULTS:
            faults[-1] = evolve(faults[-1], help=(*faults[-1].help, f"these are the first {MOST_FAULTS} errors"))
            break
        found = _attempt(source, "declaration", piece, faults)
        if found is None and piece.word == "surgery":
            found = _surgery(source, piece, faults, broken)
        if found is not None:
            declarations.append(found)
            continue
        broken.update(_words(source, piece))
    faults = _distinct(faults)
    return Parsed(tree.File(edition, tuple(declarations)), comments, tuple(faults), frozenset(broken))


def _edition(source: Source, faults: list[Diagnostic]) -> tuple[tree.Word, int]:
    begin = HEADER.match(source.text)
    start = begin.end() if begin else 0
    line = source.text[start:].partition("\n")[0]
    header = re.match(r"surg[ \t]+([0-9]\w*)", line)
    if header is None:
        span = Span(source, start, start + len(line.split("#")[0].rstrip()))
        faults.append(
            Diagnostic("E0006", "a file begins with its edition", span, help=("write `surg 1` on the first line",))
        )
        return tree.Word("1"), start
    span = Span(source, start + header.start(1), start + header.end(1))
    if span.text != "1":
        faults.append(_unknown_edition(span))
    return tree.Word(span.text, span=span), start + header.end()


def _pieces(source: Source, begin: int, end: int, words: tuple[str, ...], *, whole_file: bool) -> list[Piece]:
    """The stretches between `begin` and `end` that start on a line of their own outside of all braces.

    A line starts a piece when its first word is one of `words`, or stands in the column in which pieces start here: a
    misspelt keyword must not spoil what stands before it. A known word in the first column of a file starts a
    declaration even where a brace was forgotten.
    """
    starts: list[re.Match[str]] = []
    column = "" if whole_file else _column(source.text, begin, end, words)
    at, level = begin, 0
    for match in STARTS.finditer(source.text, begin, end):
        level, at = level + _depth(source.text, at, match.start("word")), match.start("word")
        if match["field"] and (whole_file or match["word"] not in words):
            continue
        known, in_column = match["word"] in words, match["indent"] == column and match["word"] not in CONTINUATIONS
        if whole_file and known and in_column:
            level = 0
        if level == 0 and (known or in_column):
            starts.append(match)
    if not starts:
        return [Piece("", begin, end)] if _solid(source.text[begin:end]) else []
    lead = [Piece("", begin, starts[0].start("word"))] if _solid(source.text[begin : starts[0].start("word")]) else []
    stops = [*(match.start("word") for match in starts[1:]), end]
    return lead + [Piece(match["word"], match.start("word"), stop) for match, stop in zip(starts, stops, strict=True)]


def _column(text: str, begin: int, end: int, words: tuple[str, ...]) -> str | None:
    """The indentation of the first line that starts with one of `words`."""
    return next((match["indent"] for match in STARTS.finditer(text, begin, end) if match["word"] in words), None)


def _depth(text: str, begin: int, end: int) -> int:
    braces = (match.group() for match in SOLID.finditer(text, begin, end))
    return sum({"{": 1, "}": -1}.get(brace, 0) for brace in braces)


def _solid(text: str) -> bool:
    """Whether anything but blanks and comments stands there."""
    return bool(re.sub(r"#[^\n]*", "", text).strip())


def _attempt(source: Source, start: str, piece: Piece, faults: list[Diagnostic]) -> Any | None:
    try:
        found = _read(source, start, piece.start, piece.stop)
    except UnexpectedInput as unexpected:
        faults.append(fault(source, unexpected, start, piece.stop))
        return None
    if isinstance(found, Diagnostic):
        faults.append(found)
        return None
    return found


def _words(source: Source, piece: Piece) -> list[str]:
    """The words of the first line of what cannot be read; one of them is its name."""
    return re.findall(r"[A-Za-z_]\w*", source.text[piece.start : piece.stop].partition("\n")[0])


def _surgery(source: Source, piece: Piece, faults: list[Diagnostic], broken: set[str]) -> tree.Surgery | None:
    """The readable clauses of a broken surgery; the fault of the whole gives way to the faults of its clauses."""
    head = re.compile(r"surgery\s+([A-Za-z_]\w*)\s+on\s+([A-Za-z_][\w.]*)\s*\{").match(source.text, piece.start)
    last = source.text.rstrip().rfind("}", piece.start, piece.stop)
    if head is None or last < head.end() or _depth(source.text, piece.start, piece.stop) != 0:
        return None
    whole = faults.pop()
    before = len(faults)
    pieces = _pieces(source, head.end(), last, CLAUSES, whole_file=False)
    clauses = [_attempt(source, "clause", one, faults) for one in pieces]
    if len(faults) == before:
        faults.append(whole)
    broken.update(*(_words(source, one) for one, made in zip(pieces, clauses, strict=True) if made is None))
    broken.update([head[1]] if None in clauses else [])
    name, model = (tree.Word(head[n], span=Span(source, head.start(n), head.end(n))) for n in (1, 2))
    good = tuple(one for one in clauses if one is not None)
    return tree.Surgery(name, model, good, span=Span(source, piece.start, last + 1))


def _distinct(faults: list[Diagnostic]) -> list[Diagnostic]:
    """`faults` without a second report of one place."""
    seen: dict[Any, Diagnostic] = {}
    for one in faults:
        seen.setdefault(None if one.span is None else one.span.start, one)
    return list(seen.values())


def _comments(source: Source) -> Iterator[Comment]:
    for match in SOLID.finditer(source.text):
        if match.group().startswith("#"):
            text = match.group().rstrip()
            yield Comment(text, Span(source, match.start(), match.start() + len(text)))
