"""`surg draw`: draws a model, with the axes that can be cut in colour and its interface marked."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.check import named
from surgdsl.cli.output import Voice
from surgdsl.execution.publishing import writing_to
from surgdsl.language import program as checked
from surgdsl.planning import choosing
from surgdsl.planning.opening import open_model
from surgdsl.report.drawing import Form, draw

DOT = (".dot", ".gv")
"""Endings of files that are written in dot, unless `--format` says otherwise."""


def picture(
    file: str,
    /,
    *,
    model: Annotated[str | None, Parameter()] = None,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    format: Annotated[Form | None, Parameter()] = None,  # noqa: A002 - the name of the option
    voice: Voice | None = None,
) -> int:
    """Draw a model: boxes of operations with their weights, and in colour the axes that can be cut.

    Args:
        file: The .surg file that declares the model.
        model: Which model, where the file declares several.
        out: Where to write the picture; standard output by default.
        format: svg, a picture; or dot, a text for Graphviz. By default what the name of the file says, or svg.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    program = checked(named(file))
    declared = choosing.model(program, model)
    state, _ = open_model(program, declared)
    form: Form = format or ("dot" if out and out.suffix in DOT else "svg")
    text = draw(state.net, declared.name, form)
    record = {"type": "picture", "model": declared.name, "format": form}
    if out is None:
        voice.say(text.removesuffix("\n"))
        voice.line({**record, "text": text})
        return 0
    _write(out, text)
    voice.remark(f"{declared.name} drawn in {out}")
    voice.line({**record, "path": str(out)})
    return 0


def _write(out: Path, text: str) -> None:
    """Put `text` at `out` in one step, whatever was there before."""
    with writing_to(out):
        if out.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        if out.exists() and not out.is_file():  # a device or a pipe takes the text as it comes
            out.write_text(text, encoding="utf-8")
            return
        target = out.resolve()  # a link stays a link
        handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(draft).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            Path(draft).replace(target)
        finally:
            Path(draft).unlink(missing_ok=True)
