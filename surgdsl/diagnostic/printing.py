"""Diagnostics as text: the message, the guilty line with a caret under the exact characters, the way out.

One printer for every command, so that a refusal looks the same wherever it is met.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from surgdsl.diagnostic.refusal import Diagnostic, Note
from surgdsl.diagnostic.source import Span

RED, BLUE, BOLD, RESET = "\x1b[31;1m", "\x1b[34;1m", "\x1b[1m", "\x1b[0m"
WIDEST = 160


def render(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """All diagnostics in order of file and place, a blank line between them; no final line break."""
    texts = ["\n".join(_lines(one)) for one in sorted(diagnostics, key=lambda one: one.order)]
    plain = "\n\n".join(texts)
    return _painted(plain) if color else plain


def _lines(diagnostic: Diagnostic) -> Iterable[str]:
    yield f"error[{diagnostic.code}]: {_clean(diagnostic.message)}"
    located = [note for note in diagnostic.notes if note.span is not None]
    spans = [span for span in (diagnostic.span, *(note.span for note in located)) if span is not None]
    gutter = max((len(str(span.line)) for span in spans), default=1)
    if diagnostic.span is not None:
        yield f"{' ' * gutter}┌─ {_clean(str(diagnostic.span))}"
        yield from _excerpt(diagnostic.span, "^", diagnostic.label, gutter)
    elif diagnostic.label:
        yield f"{' ' * gutter}= {_clean(diagnostic.label)}"
    for note in located:
        yield from _note(note, diagnostic.span, gutter)
    yield from (f"note: {_clean(note.message)}" for note in diagnostic.notes if note.span is None)
    yield from (f"help: {_clean(line)}" for line in diagnostic.help)
    yield f"more: surg explain {diagnostic.code}"


def _note(note: Note, primary: Span | None, gutter: int) -> Iterable[str]:
    assert note.span is not None
    if primary is None or primary.source.path != note.span.source.path:
        yield f"{' ' * gutter}┌─ {_clean(str(note.span))}"
    yield from _excerpt(note.span, "-", note.message, gutter)


def _excerpt(span: Span, mark: str, label: str, gutter: int) -> Iterable[str]:
    """The line of `span` and the marks under it; a span over several lines is marked to the end of its first."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    stop = text.find("\n", span.start)
    line = text[start : len(text) if stop < 0 else stop].rstrip("\r")
    before, marked = line[: span.start - start], line[span.start - start : span.stop - start]
    if _width(line) > WIDEST:  # a minified or generated line: show a window around the fault
        before, marked = "…" + before[-60:], marked[:60]
        line = before + line[span.start - start :][:90] + "…"
    yield f"{span.line:>{gutter}}│ {_clean(line)}"
    marks = mark * max(1, _width(marked))
    yield f"{' ' * gutter}│ {' ' * _width(before)}{marks} {_clean(label)}".rstrip()


def _width(text: str) -> int:
    """Terminal columns that `text` takes."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def _clean(text: str) -> str:
    """`text` with control characters made harmless: a file must not be able to drive the terminal."""
    return "".join(
        char if char.isprintable() else " " if char in "\t\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _painted(text: str) -> str:
    return "\n".join(_paint(line) for line in text.split("\n"))


def _paint(line: str) -> str:
    if line.startswith("error["):
        head, _, tail = line.partition("]")
        return f"{RED}{head}]{RESET}{BOLD}{tail}{RESET}"
    for word in ("help:", "note:", "more:"):
        if line.startswith(word):
            return f"{BLUE}{word}{RESET}{line[len(word) :]}"
    return line
