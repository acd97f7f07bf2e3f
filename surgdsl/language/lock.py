"""The lock: which text every `use` of a file meant, by its SHA-256, in `surg.lock` beside the file that is compiled.

What an import says is part of what a certificate promises, so it may not change unnoticed. `sha256sum -c` reads it too.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal, Source

NAME = "surg.lock"
HEAD = "# surg.lock 1: the files that `use` means here; `surg lock` writes it"
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
STALE = ("E0705", "E0706", "E0707")
"""Codes of what does not match its lock."""


def exit_code(faults: Iterable[Diagnostic]) -> int:
    """5 where nothing is wrong but the lock, else 1.

    >>> exit_code([Diagnostic("E0706", "changed")]), exit_code([Diagnostic("E0101", "unknown")])
    (5, 1)
    """
    return 5 if all(one.code in STALE for one in faults) else 1


def folder(source: Source) -> Path:
    """Where the lock of `source` lies: beside it, or where we stand if it is no file."""
    return Path(os.path.abspath(source.path)).parent  # noqa: PTH100 - a link is not followed: its own folder counts


def digest(source: Source) -> str:
    """SHA-256 of the text, in hex."""
    return hashlib.sha256(source.text.encode()).hexdigest()


def pins(place: Path) -> dict[str, str]:
    """The digest of each file that the lock in the folder `place` pins, by its path from there; none without a lock.

    Raises:
        Refusal: E0707 with exit code 5, the lock cannot be read.
    """
    path = place / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else [HEAD]
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(Diagnostic("E0707", f"`{path}` cannot be read", label=str(error)), exit_code=5) from None
    found = [LINE.fullmatch(line) for line in lines[1:]]
    if not lines or lines[0] != HEAD or None in found:
        helps = ("remove it, and write it again: surg lock FILE",)
        raise Refusal(Diagnostic("E0707", f"`{path}` is no lock of this version", help=helps), exit_code=5)
    return {match[2]: match[1] for match in found if match}


def written(digests: Mapping[str, str]) -> str:
    """The text of a lock.

    >>> print(written({"b.surg": "2" * 64, "a.surg": "1" * 64}).replace("1" * 60, "…").replace("2" * 60, "…"), end="")
    # surg.lock 1: the files that `use` means here; `surg lock` writes it
    …1111  a.surg
    …2222  b.surg
    """
    return "\n".join([HEAD, *(f"{digests[path]}  {path}" for path in sorted(digests))]) + "\n"
