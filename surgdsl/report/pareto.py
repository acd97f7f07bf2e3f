"""The runs of a sweep compared: which ones no other beats, as a table and as records.

>>> front([(Fraction(1), Fraction(9)), (Fraction(2), Fraction(8)), (Fraction(2), Fraction(9)), None])
(True, True, False, False)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from attrs import frozen

from surgdsl.language.program import Goal, SweepDecl
from surgdsl.report.figures import table

Scores = tuple[Fraction, ...] | None
"""The figures of a run with small ones the better, or nothing where it has none."""


@frozen
class Ran:
    """A run of a sweep: its number, the values of the params, its figures, or why it has none."""

    number: int
    values: Mapping[str, str]
    figures: tuple[Fraction, ...] | None
    why: str = ""
    folder: str = ""


def front(scores: Sequence[Scores]) -> tuple[bool, ...]:
    """Which runs are kept: those than which none is at least as good in every figure and better in one."""
    return tuple(one is not None and not any(_beats(other, one) for other in scores) for one in scores)


def _beats(one: Scores, other: tuple[Fraction, ...]) -> bool:
    return one is not None and one != other and all(a <= b for a, b in zip(one, other, strict=True))


def kept(sweep: SweepDecl, runs: Sequence[Ran]) -> tuple[bool, ...]:
    """Which runs of a sweep are kept."""
    return front([run.figures and _signed(sweep.goals, run.figures) for run in runs])


def _signed(goals: Sequence[Goal], figures: Sequence[Fraction]) -> tuple[Fraction, ...]:
    return tuple(-one if goal.largest else one for goal, one in zip(goals, figures, strict=True))


def told(sweep: SweepDecl, runs: Sequence[Ran]) -> Iterator[str]:
    """The runs as lines of text, the kept ones marked."""
    names, goals = [one.name for one in sweep.varied], [one.text for one in sweep.goals]
    rows = [("run", "", *names, *goals)]
    for run, good in zip(runs, kept(sweep, runs), strict=True):
        figures = [figure(goal, one) for goal, one in zip(sweep.goals, run.figures or (), strict=False)]
        cells = figures or [*["-"] * len(goals)]
        rows.append((str(run.number), "kept" if good else "", *run.values.values(), *cells))
    yield f"sweep {sweep.name} over {sweep.surgery}    {len(runs)} runs"
    yield from table(rows)
    yield from (f"  run {run.number} has no result: {run.why}" for run in runs if run.figures is None)


def figure(goal: Goal, value: Fraction) -> str:
    """A figure of `goal` for people.

    >>> figure(Goal("accuracy(after)", measure="accuracy.after"), Fraction(9, 10)), figure(Goal("x"), Fraction(12345))
    ('90.00 %', '12,345')
    """
    if goal.measure:
        return f"{float(value):.2%}".replace("%", " %")
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.4g}"


def record(sweep: SweepDecl, runs: Sequence[Ran], files: Mapping[str, str]) -> dict[str, Any]:
    """The sweep as one JSON object; figures are exact fractions, as texts."""
    goals = [{"text": one.text, "better": "large" if one.largest else "small"} for one in sweep.goals]
    return {
        "type": "sweep", "name": sweep.name, "surgery": sweep.surgery, "goals": goals, **files,
        "runs": [
            {
                "number": run.number, "values": dict(run.values), "folder": run.folder or None,
                "figures": None if run.figures is None else [str(one) for one in run.figures],
                "kept": good, "why": run.why or None,
            }
            for run, good in zip(runs, kept(sweep, runs), strict=True)
        ],
    }  # fmt: skip
