"""Replacing: a file of the user's gets new text in one step, so that an interruption leaves the old or the new."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal


def replace(path: Path, text: str) -> None:
    """Put `text` in the place of what `path` holds, or in a new file.

    Raises:
        Refusal: E0703, the file cannot be written.
    """
    target = path.resolve()  # a link stays a link
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(fresh).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            Path(fresh).replace(target)
        finally:
            Path(fresh).unlink(missing_ok=True)
    except OSError as error:
        raise Refusal(Diagnostic("E0703", f"`{path}` cannot be written", label=error.strerror or str(error))) from None
