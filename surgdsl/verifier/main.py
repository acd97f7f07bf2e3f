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
    from surgdsl.verifier.requirement import Reading

REJECTED = 4


def arguments(program: str = "surg-verify") -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(program, description="Re-check a certificate without trusting its compiler.")
    add = parser.add_argument
    add("folder", type=Path, help="the folder that holds model.safetensors and certificate/")
    where = "default: what run.json names, else FOLDER/input.safetensors"
    add("--input", type=Path, metavar="FILE", help=f"the input weights ({where})")
    add("--model", type=Path, metavar="FILE", help="the output weights (FOLDER/model.safetensors)")
    add("--expect-input", metavar="D", type=_digest, help="the manifest of the input that you expect")
    add("--expect-output", metavar="D", type=_digest, help="the manifest of the output that you expect")
    add("--expect-spec", metavar="D", type=_digest, help="the SHA-256 of the .surg that you expect")
    add("--min-sequence", metavar="N", type=_natural, default=0, help="the least place in the row of certificates")
    trust = "SHA-256 of a Python file whose numbers you believe; may be repeated"
    add("--trust", metavar="D", type=_digest, action="append", default=[], help=trust)
    key = "an Ed25519 public key (PEM or 64 hexadecimal digits) that must have signed; may be repeated"
    add("--key", metavar="FILE", type=_key, action="append", default=[], help=key)
    add("--signatures", metavar="N", type=_natural, help="how many of the keys must have signed (default: all)")
    require = "what you require besides, as 'size <= 20%%'; may be repeated"
    add("--require", metavar="R", type=_requirement, action="append", default=[], help=require)
    threads = "how many threads hash the weight files (default: the cores, at most 4)"
    add("--threads", metavar="N", type=_natural, default=min(4, os.cpu_count() or 1), help=threads)
    add("--strict", action="store_true", help="refuse a verdict that is not bound to all three expectations")
    add("--json", action="store_true", help="print JSON lines, the verdict last")
    return parser


def main(argv: Sequence[str] | None = None, program: str = "surg-verify") -> int:
    """Verify a folder and print the verdict; returns the exit code."""
    parser = arguments(program)
    given = parser.parse_args(argv)
    given.key = list(dict.fromkeys(given.key))  # keys count, not how often one is named
    if given.signatures is not None and not 1 <= given.signatures <= len(given.key):
        parser.error(f"--signatures must be from 1 to the number of distinct keys, which is {len(given.key)}")
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
        # What the auditor names may be a link, as in a download cache; what the folder brings may not.
        request = Request(
            folder=str(given.folder),
            input=str(given.input.resolve() if given.input else _named(given.folder)),
            model=str(given.model.resolve() if given.model else given.folder / "model.safetensors"),
            expected={name: getattr(given, f"expect_{name}") or "" for name in ("input", "output", "spec")},
            trusted=frozenset(given.trust),
            strict=given.strict,
            keys=tuple(given.key),
            signatures=given.signatures or len(given.key),
            minimum=given.min_sequence,
            required=tuple(given.require),
            threads=max(1, given.threads),
        )
        check(request, report)
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


def _natural(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,16}", text):
        raise argparse.ArgumentTypeError("a number is expected")
    return int(text)


def _requirement(text: str) -> tuple[str, Reading]:
    from surgdsl.verifier.requirement import asked

    try:
        return text, asked(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _key(path: str) -> bytes:
    from surgdsl.verifier.signature import public_key

    try:
        with Path(path).open(encoding="ascii", newline="") as file:
            return public_key(file.read(1 << 12))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no Ed25519 public key"
        raise argparse.ArgumentTypeError(f"{path}: {reason}") from None


if __name__ == "__main__":
    sys.exit(main())
