"""`surg lock`: pins the files that `.surg` files use, so that none of them changes unnoticed.

A lock lies beside the files that it is for; pins of files that are not reached from the given ones stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.check import named
from surgdsl.cli.output import Voice
from surgdsl.cli.replacing import replace
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language import lock as locks
from surgdsl.language.checking import opened


def lock(files: Annotated[tuple[str, ...], Parameter(required=True)], /, *, voice: Voice | None = None) -> int:
    """Pin every file that the given ones use, by its SHA-256, in the surg.lock beside them.

    Args:
        files: The files that are compiled; what they use is pinned.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    pinned, faults = _found(files)
    if faults:
        voice.refuse(faults)
        return 1
    for folder, digests in pinned.items():
        known = _known(folder)
        left = {path: one for path, one in known.items() if (folder / path).is_file()} | digests
        if left != known:
            replace(folder / locks.NAME, locks.written(left))
        changed = [path for path, one in digests.items() if known.get(path) != one]
        for path in sorted(digests):
            voice.say(f"{digests[path]}  {path}{'' if path not in changed else '  pinned'}")
            voice.line({"type": "pin", "path": path, "sha256": digests[path], "changed": path in changed})
    if not any(pinned.values()):
        voice.remark("nothing to pin: no file is used")
    return 0


def _found(files: tuple[str, ...]) -> tuple[dict[Path, dict[str, str]], list[Diagnostic]]:
    """The digests of what the files use, by the folder of their lock, and every fault but those of locks."""
    pinned: dict[Path, dict[str, str]] = {}
    faults: list[Diagnostic] = []
    for name in files:
        try:
            closure, unit = opened(named(name))
        except Refusal as refusal:
            faults += refusal.diagnostics
            continue
        faults += [fault for one in (unit, *closure.made.values()) for fault in one.scope.faults]
        own = pinned.setdefault(closure.folder, {})
        own |= {closure.name(path): locks.digest(one.source) for path, one in closure.made.items()}
    return pinned, faults


def _known(folder: Path) -> dict[str, str]:
    try:
        return locks.pins(folder)
    except Refusal:  # a lock that cannot be read is written anew
        return {}
