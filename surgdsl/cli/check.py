"""`surg check`: reads files and reports every fault of their text.

Loads no model, runs no code of the file, imports no torch.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.output import Settings, Voice
from surgdsl.diagnostic import Diagnostic, Refusal, Source
from surgdsl.language import Program, decoded, program, read, settings, with_settings
from surgdsl.language import check as check_source
from surgdsl.language.lock import exit_code

STDIN = "<stdin>"


def check(
    files: Annotated[tuple[str, ...], Parameter(required=True)],
    /,
    *,
    setting: Settings = (),
    voice: Voice | None = None,
) -> int:
    """Read .surg files and report every fault; no model is loaded.

    Args:
        files: The files, or `-` for standard input.
        setting: A value for a param of the files, as name=value.
        voice: How to speak.
    """
    voice = voice or Voice()
    begin = time.perf_counter()
    voice.begin()
    faults = [fault for name in files for fault in _faults(name, setting)]
    voice.refuse(faults)
    milliseconds = round(1000 * (time.perf_counter() - begin))
    if faults and not voice.json:
        sys.stderr.write("\n")
    voice.remark(
        f"{_counted(len(files), 'file')}, {_counted(len(faults), 'error')} ({milliseconds} ms; no model was loaded)"
    )
    voice.line({"type": "summary", "files": len(files), "errors": len(faults)})
    return exit_code(faults) if faults else 0


def _faults(name: str, setting: tuple[str, ...]) -> tuple[Diagnostic, ...]:
    given = settings(setting)
    try:
        return check_source(with_settings(named(name), given))[1]
    except Refusal as refusal:
        return refusal.diagnostics


def named(name: str) -> Source:
    """The text of the file `name`, or of standard input for ``-``, which `main` calls ``<stdin>``."""
    return decoded(STDIN, sys.stdin.buffer.read()) if name in ("-", STDIN) else read(Path(name))


def asked(name: str, setting: tuple[str, ...]) -> Program:
    """The program in the file `name`, its params set.

    Raises:
        Refusal: with every fault that there is.
    """
    given = settings(setting)
    return program(with_settings(named(name), given))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
