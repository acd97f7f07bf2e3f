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

from surgdsl.verifier.reject import Reject

REJECTED = 4


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="surg-verify", description="Re-check a certificate of surgdsl without trusting its compiler."
    )
    parser.add_argument("folder", help="the folder that holds model.safetensors and certificate/")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="the input weights (default: what run.json names, else FOLDER/input.safetensors)",
    )
    parser.add_argument("--model", metavar="FILE", help="the output weights (default: FOLDER/model.safetensors)")
    for name, what in (
        ("input", "manifest of the input"),
        ("output", "manifest of the output"),
        ("spec", "SHA-256 of the .surg text"),
    ):
        parser.add_argument(f"--expect-{name}", metavar="D", type=_digest, help=f"the {what} that you expect")
    parser.add_argument(
        "--strict", action="store_true", help="refuse a verdict that is not bound to all three expectations"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines, the verdict last")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Verify a folder and print the verdict; returns the exit code."""
    given = arguments().parse_args(argv)
    from surgdsl.verifier.report import Report, human, machine  # numpy is loaded only once there is something to verify

    report = Report()
    accepted = _examine(given, report)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in machine(report) if given.json else human(report, colour):
        print(line)
    sys.stdout.flush()
    return 0 if accepted and report.reject is None else REJECTED


def _examine(given: argparse.Namespace, report: object) -> bool:
    from surgdsl.verifier.check import Request, check
    from surgdsl.verifier.report import Report

    if not isinstance(report, Report):
        return False
    try:
        expected = {name: getattr(given, f"expect_{name}") or "" for name in ("input", "output", "spec")}
        model = given.model or os.path.join(given.folder, "model.safetensors")
        check(Request(given.folder, given.input or _named(given.folder), model, expected, given.strict), report)
    except Reject as reject:
        report.reject = reject
    except (MemoryError, RecursionError, OverflowError) as error:
        report.reject = Reject("V20", f"it needs more than this verifier gives ({type(error).__name__})")
    except Exception as error:  # default deny: what a check did not foresee is a rejection, not a crash
        report.reject = Reject("V03", f"it cannot be processed ({type(error).__name__})")
    else:
        return True
    return False


def _named(folder: str) -> str:
    """The input file that run.json names, for convenience; its bytes are checked like any other's."""
    usual = os.path.join(folder, "input.safetensors")
    try:
        with open(os.path.join(folder, "run.json"), "rb") as file:
            path = json.loads(file.read(1 << 20)).get("input", usual)
    except (OSError, ValueError, AttributeError):
        return usual
    return os.path.join(folder, path) if isinstance(path, str) else usual


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError("64 lower-case hexadecimal digits are expected")
    return text


if __name__ == "__main__":
    sys.exit(main())
