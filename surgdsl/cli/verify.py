"""`surg verify`: the verifier, called as `surg-verify` is; `--replay` lets a process of its own run the nets again.

Imports the verifier alone: no torch, and none of the rooms that made what is being checked.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surgdsl.verifier import main as verifier

PROGRAM = "surg verify"


def verify(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Re-check a certificate without trusting the compiler that wrote it.

    With --replay the nets are executed again once the certificate is accepted (needs torch): every step before and
    after, and with --data ROWS the logs of predictions and losses, on rows from a safetensors file (`inputs`, `labels`)
    or from a Python function `module:name` of yours; --sample N runs N rows of each log, drawn by --seed S.

    Args:
        arguments: Those of `surg-verify`: the folder, and what you expect of it.

    Returns:
        0 accepted, 2 usage, 4 rejected.
    """
    try:
        again, rest = _replaying().parse_known_args(arguments)
        code = verifier.main(rest, PROGRAM)
        if code == 0 and again.replay:
            code = replay(again, rest)
    except SystemExit as error:  # argparse leaves by itself on --help and on what it cannot read
        return error.code if isinstance(error.code, int) else 2
    return code


def _replaying() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(PROGRAM, add_help=False, allow_abbrev=False)
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def replay(again: argparse.Namespace, rest: list[str]) -> int:
    """Run the nets again in a process of their own; returns its exit code, 4 for whatever ends it otherwise."""
    given = verifier.arguments(PROGRAM).parse_args(rest)
    before = Path(given.input).resolve() if given.input else Path(verifier.named_by(given.folder))
    after = Path(given.model).resolve() if given.model else Path(given.folder, "model.safetensors")
    command = [sys.executable, "-I", "-m", "surgdsl.replay", given.folder, str(before), str(after)]
    command += [f"--sample={again.sample}", f"--seed={again.seed}", *["--json"] * given.json]
    sys.stdout.flush()
    code = subprocess.run([*command, *(f"--data={one}" for one in again.data)], check=False).returncode  # noqa: S603
    return code if code in (0, verifier.REJECTED) else verifier.REJECTED
