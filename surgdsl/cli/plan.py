"""`surg plan`: says what a file would do to its model, and changes nothing."""

from __future__ import annotations

from surgdsl.cli.check import named
from surgdsl.cli.output import Voice
from surgdsl.cli.progress import Progress
from surgdsl.language import program as checked
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.plan import plan as planned
from surgdsl.report.planned import records, told


def plan(file: str, /, *, surgery: str | None = None, threads: int = 1, voice: Voice | None = None) -> int:
    """Resolve every step on the model and predict what it saves; nothing is changed.

    Args:
        file: The .surg file.
        surgery: Which surgery, where the file has several.
        threads: Threads of torch; part of what makes a result repeatable.
        voice: How to speak.
    """
    from surgdsl.bridge.running import deterministic

    voice = voice or Voice()
    voice.begin()
    program = checked(named(file))
    with Progress(silent=voice.quiet or voice.json) as progress:
        progress.stage("capturing the model")
        opened = open_surgery(program, surgery)
        progress.stage("planning")
        with deterministic(opened.surgery.seed, threads):
            made = planned(opened)
    for line in told(made, everything=voice.verbose):
        voice.say(line)
    for record in records(made):
        voice.line(record)
    return 0
