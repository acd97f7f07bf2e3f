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
from typing import TYPE_CHECKING, Any

from surgdsl.verifier.folder import read
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.requirement import Reading, asked
from surgdsl.verifier.signature import public_key

if TYPE_CHECKING:
    from surgdsl.verifier.report import Report

REJECTED = 4
EXPECTED = ("input", "graph", "output", "spec")
MANY: dict[str, Any] = {"action": "append", "default": []}


def arguments(program: str) -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(program, description="Re-check a certificate without trusting its compiler.")
    add, cores = parser.add_argument, min(4, os.cpu_count() or 1)
    add("folder", help="the folder that holds model.safetensors and certificate/")
    where = "default: what run.json names, else FOLDER/input.safetensors"
    add("--input", metavar="FILE", type=place, help=f"the input weights ({where})")
    add("--model", metavar="FILE", type=place, help="the output weights (FOLDER/model.safetensors)")
    add("--expect-input", metavar="D", type=digest, help="the manifest of the input that you expect")
    add("--expect-graph", metavar="D", type=digest, help="the digest of the input's graph that you expect")
    add("--expect-output", metavar="D", type=digest, help="the manifest of the output that you expect")
    add("--expect-spec", metavar="D", type=digest, help="the SHA-256 of the .surg that you expect")
    add("--min-sequence", metavar="N", type=number, default=0, help="the least place in the row of certificates")
    trust = "SHA-256 of a Python file whose numbers you believe; may be repeated"
    add("--trust", metavar="D", type=digest, **MANY, help=trust)
    key = "an Ed25519 public key (PEM or 64 hexadecimal digits) that must have signed; may be repeated"
    add("--key", metavar="FILE", type=key_file, **MANY, help=key)
    add("--signatures", metavar="N", type=number, help="how many of the keys must have signed (default: all)")
    require = "what you require besides, as 'size <= 20%%'; may be repeated"
    add("--require", metavar="R", type=requirement, **MANY, help=require)
    add("--threads", metavar="N", type=number, default=cores, help="threads that hash weights (the cores, at most 4)")
    add("--strict", action="store_true", help="refuse a verdict that is not bound to all four expectations")
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
    accepted = examined(given, report)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    try:
        sys.stdout.writelines(f"{line}\n" for line in (machine(report) if given.json else human(report, colour)))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left, as in `surg-verify FOLDER | head -1`; the verdict stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if accepted and report.reject is None else REJECTED


def examined(given: argparse.Namespace, report: Report) -> bool:
    """Whether every check has passed; what did not stands in the report."""
    from surgdsl.verifier.check import Request, check

    try:
        expected = {name: getattr(given, f"expect_{name}") or "" for name in EXPECTED}
        request = Request(
            given.folder, given.input or named_by(given.folder), given.model or f"{given.folder}/model.safetensors",
            expected, trusted=given.trust, strict=given.strict, keys=given.key, threads=max(1, given.threads),
            signatures=given.signatures or len(given.key), minimum=given.min_sequence, required=given.require,
        )  # fmt: skip
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


def named_by(folder: str) -> str:
    """The input file that run.json names, for convenience; its bytes are checked like any other's."""
    try:
        return str(Path(folder, json.loads(read(str(Path(folder, "run.json")), "run.json", 1 << 20))["input"]))
    except (Reject, ValueError, KeyError, TypeError):
        return str(Path(folder, "input.safetensors"))


def place(path: str) -> str:
    """What the auditor names may be a link, as in a download cache; what the folder brings may not."""
    return str(Path(path).resolve())


def digest(text: str) -> str:
    """64 lower-case hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(text)
    return text


def number(text: str) -> int:
    """A natural number."""
    if not re.fullmatch(r"[0-9]{1,16}", text):
        raise ValueError(text)
    return int(text)


def requirement(text: str) -> tuple[str, Reading]:
    """A requirement, and what was read of it."""
    return text, asked(text)


def key_file(path: str) -> bytes:
    """The public key in a file."""
    try:
        return public_key(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
