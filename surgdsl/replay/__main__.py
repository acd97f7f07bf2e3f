"""The command of the replay's own process: `python -I -m surgdsl.replay`, started by `surg verify --replay`.

Exit codes: 0 what was run agrees, 4 it does not.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import torch

from surgdsl.diagnostic import Refusal
from surgdsl.replay.data import rows
from surgdsl.replay.logs import DETECTED, Again, again, chance
from surgdsl.replay.opening import Opened, opened
from surgdsl.replay.steps import Seen, seen, sizes_of
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.report import plain

REJECTED = 4
TIMES = 2
"""Every symbol of extents stands for its binding times this, so that rows are told from one another."""


def arguments() -> argparse.ArgumentParser:
    """What `surg verify` passes on."""
    parser = argparse.ArgumentParser("surg verify --replay")
    parser.add_argument("folder")
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run every step and the logs, and print what was seen."""
    given = arguments().parse_args(argv)
    torch.set_num_threads(1)
    try:
        whole = opened(given.folder, given.before, given.after)
        steps = seen(whole, given.seed, sizes_of(whole, TIMES))
        logs = again(whole, [rows(source) for source in given.data], given.sample, given.seed)
    except (Reject, Refusal, RuntimeError, OSError, ValueError) as error:
        return refused(error, given.json)
    lines = machine(steps, logs) if given.json else human(whole, steps, logs)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if all(log.holds for log in logs) else REJECTED


def refused(error: Exception, as_json: bool) -> int:
    """Tell why nothing could be said."""
    code, text = "V17", " ".join(str(error).split())
    if isinstance(error, Reject):
        code, text = error.code, error.message
    elif isinstance(error, Refusal):
        first = error.diagnostics[0]
        code, text = first.code, f"{first.message}: {first.label}" if first.label else first.message
    said = {"type": "replay", "agrees": False, "code": code, "message": text}
    sys.stdout.write((json.dumps(said) if as_json else _no(code, text)) + "\n")
    return REJECTED


def _no(code: str, text: str) -> str:
    return f"FAIL  replay      {plain(text)}\nRejected: {code} {plain(text)}   (exit 4)"


def machine(steps: list[Seen], logs: list[Again]) -> Iterator[str]:
    """JSON lines: steps, logs, and the verdict last."""
    yield from (_line("replayed-step", one) for one in steps)
    yield from (_line("replayed-log", one) for one in logs)
    yield json.dumps({"type": "replay", "agrees": all(log.holds for log in logs)})


def _line(kind: str, one: Any) -> str:
    fields = attrs.asdict(one)
    return json.dumps({"type": kind, **{key: _number(value) for key, value in fields.items()}})


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def human(whole: Opened, steps: list[Seen], logs: list[Again]) -> Iterator[str]:
    """What was seen, for people."""
    yield f"replay: {len(steps)} steps run in float64 at random inputs, each before and after"
    for one in steps:
        mark = {"equal": "ok  ", "changes": "note", "differs": "note", "not run": "note"}[one.verdict]
        yield f"{mark}  {one.verdict:<10}  {one.index:>3} {plain(one.step)} ({plain(one.rule)}): {_told(one)}"
    for log in logs:
        mark = "ok  " if log.holds else "FAIL"
        ties = f", {log.ties} near ties" * (log.ties > 0)
        yield f"{mark}  re-executed {log.agreeing} of {log.compared} rows of {plain(log.data)} agree with the log{ties}"
        if log.compared < log.rows:
            chances = ", ".join(f"{chance(log.compared, share):.4f} for {share:.0%}" for share in DETECTED)
            yield f"                  a sample of {log.rows} rows; the chance to meet a forged row: {chances} forged"
    left = len(whole.logs) - len(logs)
    if left > 0:
        yield f"note  attested    {left} logs were not executed again: give their rows with --data"
    if not all(log.holds for log in logs):
        yield "Rejected: V17 a log is not what the models say   (exit 4)"


def _told(one: Seen) -> str:
    if one.verdict == "not run":
        return plain(one.reason) or "the outputs are no numbers"
    if one.rule == "prune-channels/1":
        against = "the net whose cut weights are zero"
        return f"the cut net is {against}" if one.verdict == "equal" else f"{one.difference:.2g} away from {against}"
    if one.difference == 0:
        return "nothing changes"
    kind = "agree to" if one.verdict == "equal" else "change by"
    return f"the outputs {kind} {one.difference:.2g} of the largest"


if __name__ == "__main__":
    sys.exit(main())
