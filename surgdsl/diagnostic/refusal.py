"""What the house says when it refuses: diagnostics, and the exception that carries them.

Rooms below the command line raise `Refusal` and print nothing; the command line renders it and picks the exit code.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.diagnostic.source import Span


@frozen
class Note:
    """A secondary annotation: a place that helps to understand the first, or a plain remark where `span` is absent."""

    span: Span | None
    message: str


@frozen
class Diagnostic:
    """One refusal: a stable code, a one-phrase message, the guilty characters with a label, and how to go on."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    notes: tuple[Note, ...] = ()
    help: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, int, str, str]:
        """The key by which reports are sorted: file, place, code, message."""
        path, start = ("", -1) if self.span is None else (self.span.source.path, self.span.start)
        return path, start, self.code, self.message


class Refusal(Exception):
    """The input was refused. Carries every diagnostic found and the exit code of the command that meets it."""

    def __init__(self, *diagnostics: Diagnostic, exit_code: int = 1) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics
        self.exit_code = exit_code
        super().__init__("; ".join(f"{one.code} {one.message}" for one in diagnostics))
