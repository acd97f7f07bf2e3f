"""The picture of a sweep: every run as a point over its first two figures, the kept ones joined by a line.

SVG of its own: no library is needed, and the same runs give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from xml.sax.saxutils import escape

from attrs import frozen

from surgdsl.language.program import Goal, SweepDecl
from surgdsl.report.pareto import Ran, figure, kept

WIDTH, HEIGHT = 720.0, 480.0
LEFT, RIGHT, TOP, BOTTOM = 96.0, 28.0, 84.0, 62.0
TICKS = 5
STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px;fill:#1d2430}"
    ".q{font-size:15px;font-weight:700}.m{fill:#5c6470}.g{stroke:#e3e7ec}.a{stroke:#7a8494}"
    ".f{fill:none;stroke:#0b6e4f;stroke-width:1.6;stroke-dasharray:5 4}.k{fill:#0b6e4f}.o{fill:#fff;stroke:#7a8494;"
    "stroke-width:1.6}"
)


@frozen
class Scale:
    """An axis: the values that it begins and ends with, and the pixels between which it lies."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: Fraction) -> float:
        """Where `value` stands, in pixels."""
        return self.start + (float(value) - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[Fraction]:
        """Round values, about `TICKS` of them."""
        step = Fraction(10) ** math.floor(math.log10((self.high - self.low) / TICKS))
        step = next(step * factor for factor in (1, 2, 5, 10) if (self.high - self.low) / float(step * factor) <= TICKS)
        first = math.ceil(self.low / float(step))
        return [step * turn for turn in range(first, math.floor(self.high / float(step)) + 1)]


def scatter(sweep: SweepDecl, runs: Sequence[Ran]) -> str:
    """The picture; where a sweep has one figure, it stands over the number of the run."""
    goals = (*(() if len(sweep.goals) > 1 else (Goal("run"),)), *sweep.goals)[:2]
    marked = zip(runs, kept(sweep, runs), strict=True)
    points = [(run, _place(sweep, run), good) for run, good in marked if run.figures is not None]
    across = _scale([place[0] for _, place, _ in points], LEFT, WIDTH - RIGHT)
    up = _scale([place[1] for _, place, _ in points], HEIGHT - BOTTOM, TOP)
    lines = [*_frame(sweep, goals, (across, up), len(runs) - len(points))]
    lines += _front(points, (across, up), goals[0].largest)
    for run, place, good in points:
        x, y = across.at(place[0]), up.at(place[1])
        values = ", ".join(f"{name} = {value}" for name, value in run.values.items())
        lines.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if good else 5}" class="{"k" if good else "o"}">'
            f"<title>run {run.number}: {escape(values)}</title></circle>"
        )
    lines += _labels([(across.at(place[0]), up.at(place[1]), str(run.number)) for run, place, _ in points])
    return "\n".join([*lines, "</svg>"]) + "\n"


def _place(sweep: SweepDecl, run: Ran) -> tuple[Fraction, Fraction]:
    assert run.figures is not None
    return (run.figures[0], run.figures[1]) if len(sweep.goals) > 1 else (Fraction(run.number), run.figures[0])


def _scale(values: Sequence[Fraction], start: float, stop: float) -> Scale:
    """An axis with some room on both sides of its values."""
    low, high = (float(min(values)), float(max(values))) if values else (0.0, 1.0)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(low - room, high + room, start, stop)


def _frame(sweep: SweepDecl, goals: Sequence[Goal], scales: tuple[Scale, Scale], lost: int) -> Iterator[str]:
    across, up = scales
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" '
        f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">'
    )
    yield f"<title>{escape(sweep.name)}</title><style>{STYLE}</style>"
    yield f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" rx="10" fill="#ffffff"/>'
    yield f'<text x="24" y="28" class="q">{escape(sweep.name)}</text>'
    note = "filled: kept, no run is better in every figure" + (f"; {lost} runs have no result" if lost else "")
    yield f'<text x="24" y="46" class="m">over {escape(sweep.surgery)}; {note}</text>'
    for tick in across.ticks():
        x = across.at(tick)
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" class="g"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_tick(goals[0], tick)}</text>'
    for tick in up.ticks():
        y = up.at(tick)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="g"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_tick(goals[1], tick)}</text>'
    yield f'<line x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH - RIGHT}" y2="{HEIGHT - BOTTOM}" class="a"/>'
    yield f'<line x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{HEIGHT - BOTTOM}" class="a"/>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 14}" text-anchor="end" class="m">{escape(goals[0].text)} →</text>'
    yield f'<text x="{LEFT}" y="{TOP - 6}" class="m">↑ {escape(goals[1].text)}</text>'


def _tick(goal: Goal, value: Fraction) -> str:
    """A round value without the digits that it does not need."""
    if goal.measure:
        return f"{float(value) * 100:.6g} %"
    return figure(goal, value)


def _front(
    points: Sequence[tuple[Ran, tuple[Fraction, Fraction], bool]], scales: tuple[Scale, Scale], largest: bool
) -> Iterator[str]:
    """The border of what the kept runs reach, as stairs: between two of them nothing better was found."""
    across, up = scales
    places = sorted({place for _, place, good in points if good})
    corners = [(low, new) if largest else (right, old) for (low, old), (right, new) in pairwise(places)]
    path = [place for pair in zip(places, corners, strict=False) for place in pair] + places[-1:]
    if corners:
        told = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in path)
        yield f'<polyline points="{told}" class="f"/>'


def _labels(places: Sequence[tuple[float, float, str]]) -> Iterator[str]:
    """The numbers of the runs, those of points in one place joined, each where no other stands if there is room."""
    joined: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
    for x, y, text in places:
        joined.setdefault((round(x / 4), round(y / 4)), []).append((x, y, text))
    taken: list[tuple[float, float]] = [(x, y) for x, y, _ in places]
    for group in joined.values():
        x, y, _ = group[0]
        spots = [(x + dx, y + dy) for dx, dy in ((10.0, -8.0), (10.0, 16.0), (-16.0, -8.0), (-16.0, 16.0))]
        free = [spot for spot in spots if all(math.dist(spot, one) > 12 for one in taken)]
        at = (free or spots)[0]
        taken.append(at)
        yield f'<text x="{at[0]:.1f}" y="{at[1]:.1f}">{", ".join(text for _, _, text in group)}</text>'
