"""`surg plan`: says what a file would do to its model, and changes nothing."""

from __future__ import annotations

from surgdsl.api import plan as planned
from surgdsl.cli.check import asked
from surgdsl.cli.output import Settings, Threads, Voice
from surgdsl.cli.progress import Progress
from surgdsl.report.planned import records, told


def plan(
    file: str,
    /,
    *,
    surgery: str | None = None,
    setting: Settings = (),
    threads: Threads = 1,
    voice: Voice | None = None,
) -> int:
    """Resolve every step on the model and predict what it saves; nothing is changed.

    Args:
        file: The .surg file.
        surgery: Which surgery, where the file has several.
        setting: A value for a param of the file, as name=value.
        threads: Threads of torch; part of what makes a result repeatable.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    program = asked(file, setting)
    with Progress(silent=voice.quiet or voice.json) as progress:
        made = planned(program, surgery, threads, progress.stage)
    for line in told(made, everything=voice.verbose):
        voice.say(line)
    voice.remark("Nothing has been changed yet.")
    for record in records(made):
        voice.line(record)
    return 0
