"""surg-verify: the command. It says yes in one place only; whatever goes wrong anywhere else is a no.

Exit codes: 0 accepted, 2 usage, 4 rejected.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surgdsl.verifier.reject import Reject

if TYPE_CHECKING:
    from surgdsl.verifier.report import Report

REJECTED = 4


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("surg-verify", description="Re-check a certificate without trusting its compiler.")
    parser.add_argument("folder", type=Path, help="the folder that holds model.safetensors and certificate/")
    where = "default: what run.json names, else FOLDER/input.safetensors"
    parser.add_argument("--input", type=Path, metavar="FILE", help=f"the input weights ({where})")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the output weights (FOLDER/model.safetensors)")
    expectations = {
        "input": "manifest of the input",
        "output": "manifest of the output",
        "spec": "SHA-256 of the .surg",
    }
    for name, what in expectations.items():
        parser.add_argument(f"--expect-{name}", metavar="D", type=_digest, help=f"the {what} that you expect")
    trust = "SHA-256 of a Python file whose numbers you believe; may be repeated"
    parser.add_argument("--trust", metavar="D", type=_digest, action="append", default=[], help=trust)
    parser.add_argument("--strict", action="store_true", help="refuse a verdict that is not bound to all three")
    parser.add_argument("--json", action="store_true", help="print JSON lines, the verdict last")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Verify a folder and print the verdict; returns the exit code."""
    given = arguments().parse_args(argv)
    from surgdsl.verifier.report import Report, human, machine  # numpy is loaded once there is something to verify

    report = Report()
    accepted = _examine(given, report)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    try:
        sys.stdout.writelines(f"{line}\n" for line in (machine(report) if given.json else human(report, colour)))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left, as in `surg-verify FOLDER | head -1`; the verdict stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if accepted and report.reject is None else REJECTED


def _examine(given: argparse.Namespace, report: Report) -> bool:
    from surgdsl.verifier.check import Request, check

    try:
        expected = {name: getattr(given, f"expect_{name}") or "" for name in ("input", "output", "spec")}
        # What the auditor names may be a link, as in a download cache; what the folder brings may not.
        model = given.model.resolve() if given.model else given.folder / "model.safetensors"
        source = given.input.resolve() if given.input else _named(given.folder)
        trusted = frozenset(given.trust)
        check(Request(str(given.folder), str(source), str(model), expected, trusted, given.strict), report)
    except Reject as reject:
        report.reject = reject
    except (MemoryError, RecursionError, OverflowError) as error:
        report.reject = Reject("V20", f"it needs more than this verifier gives ({type(error).__name__})")
    except Exception as error:  # noqa: BLE001 - default deny: what no check foresaw is a rejection, not a crash
        report.reject = Reject("V03", f"it cannot be processed ({type(error).__name__})")
    else:
        return True
    return False


def _named(folder: Path) -> Path:
    """The input file that run.json names, for convenience; its bytes are checked like any other's."""
    try:
        with (folder / "run.json").open("rb") as file:
            path = json.loads(file.read(1 << 20))["input"]
        return folder / path
    except (OSError, ValueError, KeyError, TypeError):
        return folder / "input.safetensors"


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError("64 lower-case hexadecimal digits are expected")
    return text


if __name__ == "__main__":
    sys.exit(main())
