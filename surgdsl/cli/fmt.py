"""`surg fmt`: brings files into the one layout.

A file is replaced in one step, so that an interruption leaves either the old text or the new, never half of one.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.check import STDIN, named
from surgdsl.cli.output import Voice
from surgdsl.cli.replacing import replace
from surgdsl.diagnostic import Refusal, Source
from surgdsl.language.formatting import format_source


def fmt(
    files: Annotated[tuple[str, ...], Parameter(required=True)],
    /,
    *,
    check: Annotated[bool, Parameter(negative=())] = False,
    diff: Annotated[bool, Parameter(negative=())] = False,
    voice: Voice | None = None,
) -> int:
    """Bring .surg files into the one layout; comments are kept and the meaning cannot change.

    Args:
        files: The files, rewritten in place; `-` reads standard input and writes standard output.
        check: Write nothing; exit with 1 where a file is not in the layout.
        diff: Write nothing; print what would change.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    changed, refused = 0, False
    for name in files:
        try:
            changed += _formatted(name, voice, check=check, diff=diff)
        except Refusal as refusal:
            voice.refuse(refusal.diagnostics)
            refused = True
    return 1 if refused or (changed and (check or diff)) else 0


def _formatted(name: str, voice: Voice, *, check: bool, diff: bool) -> bool:
    """Formats one file and says whether it was not in the layout."""
    source = named(name)
    text = format_source(source)
    changed = text != source.text
    voice.line({"type": "formatted", "path": source.path, "changed": changed})
    if diff:
        voice.say("".join(_difference(source, text)).removesuffix("\n")) if changed else None
    elif check:
        voice.say(f"{source.path} is not in the layout of `surg fmt`") if changed else None
    elif source.path == STDIN:
        voice.say(text.removesuffix("\n"))
    elif changed:
        replace(Path(name), text)
        voice.remark(f"formatted {source.path}")
    return changed


def _difference(source: Source, text: str) -> list[str]:
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    return list(difflib.unified_diff(old, new, source.path, f"{source.path} (formatted)"))
