"""`surg sweep`: carries a surgery out for many values of its params, and says which runs no other beats.

Every run is a job of its own in a folder of its own; what cannot be met is part of the answer and ends nothing.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from pathlib import Path

from attrs import evolve

from surgdsl.api import Result
from surgdsl.api import run as carried_out
from surgdsl.cli.check import named
from surgdsl.cli.output import Settings, Threads, Voice
from surgdsl.cli.progress import Progress
from surgdsl.cli.replacing import replace
from surgdsl.diagnostic import Diagnostic, Refusal, Source
from surgdsl.execution.measuring import compare, judge, key
from surgdsl.execution.writing import Outcome
from surgdsl.formula.fields import Undefined
from surgdsl.language import Program, program, settings, with_settings
from surgdsl.language.claim import Measured, Require
from surgdsl.language.claims import MOST_CANDIDATES
from surgdsl.language.program import Goal, SweepDecl
from surgdsl.metrics import count, ones
from surgdsl.planning import choosing
from surgdsl.planning.claims import value
from surgdsl.planning.deciding import DECIDES
from surgdsl.report.pareto import Ran, kept, record, told
from surgdsl.report.scatter import scatter

JSON, PICTURE, FOLDER = "sweep.json", "sweep.svg", re.compile(r"run-\d+")
UNMET = 3


def sweep(
    file: str,
    /,
    *,
    out: Path | None = None,
    name: str | None = None,
    setting: Settings = (),
    threads: Threads = 1,
    voice: Voice | None = None,
) -> int:
    """Run a surgery for every combination of values that a sweep varies, to its limit; keep the best.

    Args:
        file: The .surg file.
        out: The folder of the runs, of sweep.json and of sweep.svg (default: build/NAME, NAME being the sweep's).
        name: Which sweep, where the file has several.
        setting: A value for a param that is not varied, as name=value.
        threads: Threads of torch; part of what makes a result repeatable.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    source, given = named(file), settings(setting)
    declared = choosing.sweep(program(with_settings(source, given)), name)
    jobs = _jobs(source, given, declared)
    folder = out or Path("build") / declared.name
    _check(folder)
    runs: list[Ran] = []
    for number, (values, job) in enumerate(jobs, 1):
        voice.remark(f"run {number} of {len(jobs)}: {spelled(values)}")
        place = folder / f"run-{number}"
        with Progress(silent=voice.quiet or voice.json) as progress:
            runs.append(_ran(job, declared, (number, values, place), threads, progress))
        _write(folder, declared, runs)
    _clear(folder, len(jobs))
    for line in told(declared, runs):
        voice.say(line)
    voice.remark(f"written to {folder}/: {JSON}, {PICTURE}, and a folder for each run")
    voice.line(record(declared, runs, {"folder": str(folder)}))
    return 0 if any(kept(declared, runs)) else UNMET


Job = tuple[dict[str, str], Program]


def _jobs(source: Source, given: Mapping[str, str], declared: SweepDecl) -> tuple[Job, ...]:
    """The values and the program of every run; all are checked before any is carried out.

    Raises:
        Refusal: with what is wrong with a value, once for each value, or with values that do not go together.
    """
    names = [one.name for one in declared.varied]
    _checked(source, given, [{one.name: text} for one in declared.varied for text in one.values])
    turns = islice(product(*(one.values for one in declared.varied)), declared.limit)
    jobs = _checked(source, given, [dict(zip(names, values, strict=True)) for values in turns])
    return tuple((values, among(job, len(jobs))) for values, job in jobs)


def among(job: Program, runs: int) -> Program:
    """The program of one run of many: whoever chooses among them has compared them all on the same rows.

    Raises:
        Refusal: E0207, there are more candidates in all than a certificate counts.
    """

    def counted(one: Require) -> Require:
        if not isinstance(one.claim, Measured) or one.claim.confidence is None:
            return one
        many = one.claim.candidates * runs
        if many > MOST_CANDIDATES:
            raise Refusal(
                Diagnostic("E0207", f"{many} candidates are too many", one.span, f"at most {MOST_CANDIDATES}")
            )
        return evolve(one, claim=evolve(one.claim, candidates=many))

    surgeries = (evolve(one, requires=tuple(map(counted, one.requires))) for one in job.surgeries)
    return evolve(job, surgeries=tuple(surgeries))


def _checked(source: Source, given: Mapping[str, str], choices: Sequence[dict[str, str]]) -> tuple[Job, ...]:
    made: list[Job] = []
    faults: list[Diagnostic] = []
    for choice in choices:
        try:
            made.append((choice, program(with_settings(source, {**given, **choice}))))
        except Refusal as refusal:
            told = f"with {spelled(choice)}"
            faults += (evolve(one, help=(*one.help, told)) for one in refusal.diagnostics)
    if faults:
        raise Refusal(*faults)
    return tuple(made)


def spelled(values: Mapping[str, str]) -> str:
    """``share = 50%, width = 4bit``."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _ran(
    job: Program, declared: SweepDecl, run: tuple[int, Mapping[str, str], Path], threads: int, progress: Progress
) -> Ran:
    number, values, place = run
    try:
        result = carried_out(job, place, declared.surgery, threads, progress.stage)
    except Refusal as refusal:
        if refusal.exit_code != UNMET and any(one.code not in DECIDES for one in refusal.diagnostics):
            raise
        shutil.rmtree(place, ignore_errors=True)  # a result of an earlier sweep is none of this one
        first = refusal.diagnostics[0]
        return Ran(number, values, None, f"{first.code} {first.message}{f': {first.label}' if first.label else ''}")
    try:
        return Ran(number, values, tuple(_figure(goal, result) for goal in declared.goals), folder=place.name)
    except Undefined as undefined:
        return Ran(number, values, None, str(undefined), place.name)


def _figure(goal: Goal, result: Result) -> Fraction:
    outcome = result.outcome
    if goal.measure:
        return _measured(goal, outcome)
    assert goal.expr is not None
    final = outcome.carried.final
    return value(goal.expr, outcome.plan.before, count(final.net, final.weights, ones(final.net)))


def _measured(goal: Goal, outcome: Outcome) -> Fraction:
    (data,) = {one.rows.name for one in outcome.compared.values()}
    claim = Measured(goal.measure, "<=", Fraction(1), data)
    asked, opened, compared = [Require(goal.text, claim)], outcome.plan.opened, outcome.compared
    if key(claim) not in compared:
        compared = compare(opened.start, outcome.carried.final, asked, opened.rows)
    return judge(asked, compared)[0].figure


def _check(folder: Path) -> None:
    """Refuse a folder that holds other things than a sweep.

    Raises:
        Refusal: E0901.
    """
    strange = [] if not folder.exists() else ["a file"] if not folder.is_dir() else _strange(folder)
    if strange:
        helps = (f"it holds {', '.join(strange[:4])}", "choose another folder with --out")
        raise Refusal(Diagnostic("E0901", f"`{folder}` cannot become the folder of a sweep", help=helps))


def _strange(folder: Path) -> list[str]:
    names = sorted(one.name for one in folder.iterdir())
    return [one for one in names if one not in (JSON, PICTURE) and not FOLDER.fullmatch(one) and one[0] != "."]


def _write(folder: Path, declared: SweepDecl, runs: Sequence[Ran]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record(declared, runs, {}), indent=2, ensure_ascii=False)
    replace(folder / JSON, text + "\n")
    replace(folder / PICTURE, scatter(declared, runs))


def _clear(folder: Path, runs: int) -> None:
    """Remove the runs of an earlier and longer sweep."""
    for one in folder.iterdir():
        if FOLDER.fullmatch(one.name) and int(one.name.partition("-")[2]) > runs:
            shutil.rmtree(one)
