r"""Where something stands in a text: sources, spans, and the notes that point at them.

Every node of the language carries a span, so that every message can put its caret under the exact characters that it
means.

>>> text = Source("a.surg", "surg 1\ndim B in 1..8\n")
>>> span = Span(text, 11, 12)
>>> str(span), span.text
('a.surg:2:5', 'B')
>>> str(span.to(Span(text, 16, 20))), span.to(Span(text, 16, 20)).text
('a.surg:2:5', 'B in 1..8')
"""

from __future__ import annotations

from attrs import field, frozen


@frozen
class Source:
    """A named text. The path is shown as the user wrote it; the text is shown only through spans."""

    path: str
    text: str = field(repr=False)

    def __str__(self) -> str:
        return self.path


@frozen
class Span:
    """The characters `start` up to, not including, `stop` of a source (offsets from 0; lines and columns from 1)."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        """The line of the first character, from 1."""
        return self.source.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """The column of the first character, from 1."""
        return self.start - self.source.text.rfind("\n", 0, self.start)

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`."""
        return Span(self.source, self.start, other.stop)

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"


NOWHERE = Span(Source("", ""), 0, 0)
"""The span of what no text spells: a value made by a program or derived by the compiler."""
