"""The picture of the curves: one panel a model, scores over stored bytes, a line for each method.

SVG of its own: no library is needed, and the same rows give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from subject import Subject

Row = Mapping[str, Any]
WIDE, HIGH, ACROSS = 470.0, 300.0, 2
LEFT, RIGHT, TOP, BOTTOM = 58.0, 16.0, 40.0, 46.0
LEGEND_LINE, LEGEND_TOP = 18.0, 20.0
SHARES = (0.03, 0.06, 0.125, 0.25, 0.5, 1.0)
TICKS = 4
COLOURS = (
    "#0b6e4f", "#1b6ca8", "#7a3e9d", "#c0392b", "#5c6470", "#111827",
    "#b4552d", "#d39b22", "#8a8f98", "#e0729a", "#4aa3a2", "#93a13a",
    "#d1242f", "#1f883d", "#8250df", "#9a6700",
)  # fmt: skip
STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px;fill:#1d2430}"
    ".q{font-size:12px;font-weight:700}.m{fill:#5c6470}.g{stroke:#e3e6eb}.a{stroke:#7a8494}.l{fill:none;stroke-width:1.8}"
)


@frozen
class Panel:
    """Where a model's panel lies, and what its upward axis runs between."""

    x: float
    y: float
    low: float
    high: float

    def at(self, share: float, score: float) -> tuple[float, float]:
        """The place of a point; scores below the axis lie on it."""
        start, stop = math.log(SHARES[0]), math.log(SHARES[-1])
        along = (math.log(max(share, SHARES[0])) - start) / (stop - start)
        up = (min(max(score, self.low), self.high) - self.low) / (self.high - self.low)
        wide, tall = WIDE - LEFT - RIGHT, HIGH - TOP - BOTTOM
        return self.x + LEFT + along * wide, self.y + TOP + (1 - up) * tall


def draw(kept: Mapping[Subject, Sequence[Row]]) -> str:
    """The picture of all models that were measured."""
    methods = list(
        dict.fromkeys(row["method"] for rows in kept.values() for row in rows if row["method"] != "as trained")
    )
    deep = -(-len(kept) // ACROSS) * HIGH
    width, height = WIDE * ACROSS, deep + LEGEND_TOP + LEGEND_LINE * -(-len(methods) // 3)
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        "<title>Accuracy against stored bytes</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#ffffff"/>',
    ]
    for number, (subject, rows) in enumerate(kept.items()):
        parts += _panel(subject, rows, methods, (number % ACROSS * WIDE, number // ACROSS * HIGH))
    parts += _legend(methods, deep)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(subject: Subject, rows: Sequence[Row], methods: list[str], corner: tuple[float, float]) -> Iterator[str]:
    trained = next(row for row in rows if row["method"] == "as trained")
    best = trained["scores"][0]
    low, high = (best - 0.1, best + 1.4) if subject.falling else (best - 0.3, min(1.0, best + 0.03))
    panel = Panel(*corner, low, high)
    yield f'<text x="{panel.x + LEFT:g}" y="{panel.y + 24:g}" class="q">{subject.what}</text>'
    yield from _grid(panel)
    for colour, method in zip(COLOURS[: len(methods)], methods, strict=True):
        found = sorted(
            (row for row in rows if row["method"] == method and "scores" in row), key=lambda row: row["bytes"]
        )
        points = [panel.at(row["bytes"] / trained["bytes"], row["scores"][0]) for row in found]
        dash = ' stroke-dasharray="5 4"' if not method.startswith("surgdsl") else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" stroke="{colour}" class="l"{dash}/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def _grid(panel: Panel) -> Iterator[str]:
    left, right = panel.at(SHARES[0], panel.low)[0], panel.at(SHARES[-1], panel.low)[0]
    floor, roof = panel.at(1.0, panel.low)[1], panel.at(1.0, panel.high)[1]
    for share in SHARES:
        x, _ = panel.at(share, panel.low)
        yield f'<line x1="{x:.1f}" y1="{roof:.1f}" x2="{x:.1f}" y2="{floor:.1f}" class="g"/>'
        yield f'<text x="{x:.1f}" y="{floor + 16:.1f}" text-anchor="middle" class="m">{share:.3g}</text>'
    for tick in range(TICKS + 1):
        score = panel.low + (panel.high - panel.low) * tick / TICKS
        _, y = panel.at(1.0, score)
        yield f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" class="g"/>'
        yield f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end" class="m">{score:.2f}</text>'
    middle = f'x="{(left + right) / 2:.1f}" y="{floor + 34:.1f}" text-anchor="middle"'
    yield f'<text {middle} class="m">share of bytes</text>'


def _legend(methods: list[str], top: float) -> Iterator[str]:
    for number, (colour, method) in enumerate(zip(COLOURS[: len(methods)], methods, strict=True)):
        x, y = LEFT + number % 3 * 300, top + LEGEND_TOP + number // 3 * LEGEND_LINE - 6
        dash = ' stroke-dasharray="5 4"' if not method.startswith("surgdsl") else ""
        yield f'<line x1="{x:g}" y1="{y - 4:g}" x2="{x + 28:g}" y2="{y - 4:g}" stroke="{colour}" class="l"{dash}/>'
        yield f'<text x="{x + 36:g}" y="{y:g}">{method}</text>'
