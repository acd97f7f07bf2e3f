"""`surg run`: plans, applies and verifies, and publishes the result as one folder."""

from __future__ import annotations

from pathlib import Path

from surgdsl.api import run as carried_out
from surgdsl.cli.check import asked
from surgdsl.cli.output import Settings, Threads, Voice
from surgdsl.cli.progress import Progress
from surgdsl.report.done import records, told
from surgdsl.report.planned import told as plan_told


def run(
    file: str,
    /,
    *,
    out: Path | None = None,
    surgery: str | None = None,
    setting: Settings = (),
    supersedes: Path | None = None,
    threads: Threads = 1,
    voice: Voice | None = None,
) -> int:
    """Carry out a .surg file: plan, apply, recover, measure, certify, verify.

    Args:
        file: The .surg file.
        out: The folder of the result (default: build/NAME beside where you stand, NAME being the file's).
        surgery: Which surgery, where the file has several.
        setting: A value for a param of the file, as name=value.
        supersedes: An earlier result whose certificate the new one replaces.
        threads: Threads of torch; part of what makes a result repeatable.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    program = asked(file, setting)
    folder = out or Path("build") / Path(file).stem.strip("<>")  # standard input is called <stdin>
    with Progress(silent=voice.quiet or voice.json) as progress:
        result = carried_out(program, folder, surgery, threads, progress.stage, supersedes)
    for line in plan_told(result.outcome.plan, everything=voice.verbose):
        voice.remark(line)
    voice.remark("")
    for line in told(result.outcome, folder, result.verdict):
        voice.say(line)
    for record in records(result.outcome, folder):
        voice.line(record)
    return 0
