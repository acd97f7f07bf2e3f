"""How commands speak: results on stdout, refusals on stderr, and with `--json` one JSON object a line on stdout.

The first JSON line names the version of this interface, so that a program can tell what it reads.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from attrs import frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from surgdsl.diagnostic import Diagnostic, Note, Span, render

UI = "1.0"

Threads = Annotated[int, Parameter(validator=Number(gte=1))]
"""The option `--threads`."""

Settings = Annotated[tuple[str, ...], Parameter(name="--set", negative=())]
"""The option `--set`, once for each param."""


@Parameter(name="*")
@frozen(kw_only=True)
class Voice:
    """The options that every command has."""

    json: Annotated[bool, Parameter(negative=())] = False
    """Print JSON lines instead of text."""
    color: Literal["auto", "always", "never"] = "auto"
    """Colour of diagnostics; auto follows the terminal and NO_COLOR."""
    quiet: Annotated[bool, Parameter(negative=())] = False
    """Print nothing but results and diagnostics."""
    verbose: Annotated[bool, Parameter(negative=())] = False
    """Say more; show the traceback of a bug in surgdsl."""

    def begin(self) -> None:
        """Opens the stream of JSON lines."""
        if self.json:
            self.line({"type": "version", "ui": UI})

    def say(self, text: str) -> None:
        """Prints a result as text, where text is wanted."""
        if not self.json:
            sys.stdout.write(text + "\n")

    def remark(self, text: str) -> None:
        """Prints what a reader may like to know and a program does not need."""
        if not (self.json or self.quiet):
            sys.stdout.write(text + "\n")

    def line(self, record: dict[str, Any]) -> None:
        """Prints one JSON line, where JSON is wanted."""
        if self.json:
            sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")

    def refuse(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Prints diagnostics: as text on stderr, or as JSON lines."""
        ordered = sorted(diagnostics, key=lambda one: one.order)
        for one in ordered:
            self.line(as_json(one))
        if ordered and not self.json:
            sys.stderr.write(render(ordered, color=colored(self.color)) + "\n")


def colored(choice: str) -> bool:
    """Whether diagnostics on stderr are coloured."""
    if choice != "auto":
        return choice == "always"
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def as_json(one: Diagnostic) -> dict[str, Any]:
    """A diagnostic as a JSON object; offsets count characters from 0, lines and columns from 1."""
    return {
        "type": "diagnostic", "code": one.code, "message": one.message, **place(one.span), "label": one.label,
        "notes": [note_json(note) for note in one.notes], "help": list(one.help),
    }  # fmt: skip


def note_json(note: Note) -> dict[str, Any]:
    """A secondary annotation as a JSON object."""
    return {"message": note.message, **place(note.span)}


def place(span: Span | None) -> dict[str, Any]:
    """The fields that say where."""
    if span is None:
        return {"path": None}
    return {"path": span.source.path, "line": span.line, "column": span.column, "start": span.start, "stop": span.stop}
