"""SVG: writes a scene as text, with its legend, on a background of its own so that it can be read anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from surgdsl.report.picture.body import BAND, HEAD, INDENT, LINE, PAD, title
from surgdsl.report.picture.geometry import Box, Curve, Point, Scene, Tag
from surgdsl.report.picture.ink import PINNED, Ink, Row, advance
from surgdsl.report.picture.shape import Runs
from surgdsl.report.picture.sketch import Card, Frame, Line, Terminal

EDGE = 24.0
"""Pixels around everything."""
HEADER = 52.0
ROW = 20.0
SWATCH = 26.0
CORNER = 6.0
"""The radius of a wire's corners."""
STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px;fill:#1d2430}"
    "text{white-space:pre}.h{font-size:12px;font-weight:700}.q{font-size:15px;font-weight:700}"
    ".m,.n{fill:#5c6470}.n{font-size:11px;font-weight:400}.k{font-size:8px}.b{font-weight:700}.i{fill:#fff}"
    ".w{fill:none;stroke:#7a8494;stroke-width:1.4}.a{fill:#7a8494}.c{fill:#f6f7f9;stroke:#aab2be}.t{fill:#1d2430}"
    ".f{fill:#fff;stroke:#7a8494;stroke-dasharray:5 4}.g{fill:#fff}"
)


def svg(name: str, summary: str, scene: Scene, ink: Ink, pinned: Sequence[str]) -> str:
    """The picture of a net called `name`, with the axes of the legend and the names of pinned ones."""
    cell = max((advance(row.text) + SWATCH + 24 for row in ink.rows), default=0.0)
    width = max(scene.width, cell, advance(name) * 1.4, advance(summary), advance(_grey(pinned)) + SWATCH) + 2 * EDGE
    columns = max(1, int((width - 2 * EDGE) // cell)) if cell else 1
    deep = -(-len(ink.rows) // columns)
    top = HEADER + scene.height + EDGE
    height = top + ROW * (deep + 1) + EDGE / 2
    body = scene.shifted((width - scene.width) / 2, HEADER)
    parts = [
        _opening(width, height),
        f"<title>{clean(name)}: {clean(summary)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{_n(width)}" height="{_n(height)}" rx="10" fill="#ffffff"/>',
        f'<text x="{_n(EDGE)}" y="{_n(EDGE)}" class="q">{clean(name)}</text>',
        f'<text x="{_n(EDGE)}" y="{_n(EDGE + 16)}" class="m">{clean(summary)}</text>',
        *_scene(body, ink),
        *(
            line
            for number, row in enumerate(ink.rows)
            for line in _row(row, EDGE + number // deep * cell, top + number % deep * ROW)
        ),
        *_pinned(pinned, top + ROW * deep),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(width: float, height: float) -> str:
    w, h = _n(width), _n(height)
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'


def clean(text: str) -> str:
    """`text` as XML takes it: escaped, and without the control characters that XML has no way to write.

    >>> clean("a<b" + chr(0))
    'a&lt;b�'
    """
    allowed = (
        letter if letter >= " " and letter not in "\ufffe\uffff" and not "\ud800" <= letter <= "\udfff" else "�"
        for letter in text
    )
    return escape("".join(allowed), {'"': "&quot;"})


def _scene(scene: Scene, ink: Ink) -> Iterator[str]:
    """Frames first, wires over them, boxes and tags on top."""
    for box in scene.boxes:
        if isinstance(box.node, Frame):
            yield f'<rect class="f" {_rectangle(box)} rx="8"/>'
    for curve in scene.curves:
        yield f'<path class="w" d="{_path(curve)}"/>'
        if curve.arrow:
            x, y = curve.points[-1]
            yield f'<path class="a" d="M{_n(x)} {_n(y)}l-3.5 -7h7z"/>'
    for box in scene.boxes:
        yield from _box(box, ink)
    for tag in scene.tags:
        yield f'<rect class="g" {_rectangle(tag)} rx="3"/>'
        x, y = tag.x + tag.width / 2, tag.y + 12
        yield f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="middle">{_runs(tag.runs, ink)}</text>'


def _box(box: Box, ink: Ink) -> Iterator[str]:
    match box.node:
        case Card(lines):
            yield f'<rect class="c" {_rectangle(box)} rx="4"/>'
            for number, line in enumerate(lines):
                yield from _line(line, box, box.y + LINE * (number + 1), ink)
        case Terminal(kind, name):
            yield f'<rect class="t" {_rectangle(box)} rx="{_n(box.height / 2)}"/>'
            x, y = box.x + box.width / 2, box.y + box.height / 2 + 4
            yield (
                f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="middle" class="h i">'
                f'<tspan font-weight="400">{kind}</tspan> {clean(name)}</text>'
            )
        case Frame():
            text = title(box.node)
            wide = advance(text) * HEAD + 2 * PAD
            x, y = box.x + 6, box.y + 3
            yield f'<rect class="g" x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(BAND - 6)}"/>'
            yield f'<text x="{_n(x + PAD)}" y="{_n(y + 14)}" class="h">{clean(text)}</text>'


def _line(line: Line, box: Box, y: float, ink: Ink) -> Iterator[str]:
    x = box.x + PAD + (INDENT if line.kind == "weight" else 0.0)
    style = {"head": "h", "weight": "m", "step": "s"}[line.kind]
    note = f'<tspan class="n">  {clean(line.note)}</tspan>' if line.note else ""
    yield f'<text x="{_n(x)}" y="{_n(y)}" class="{style}">{clean(line.name)}{note}</text>'
    if line.shape:
        end = box.x + box.width - PAD
        yield f'<text x="{_n(end)}" y="{_n(y)}" text-anchor="end">{_runs(line.shape, ink)}</text>'


def _runs(runs: Runs, ink: Ink) -> str:
    """Text with each axis in its colour, followed by its letter; `dy` takes letters up and the rest down again."""
    found: list[str] = []
    raised = False
    for run in runs:
        back = ' dy="3.5"' if raised else ""
        raised = run.axis is not None
        if run.axis is None:
            found.append(f'<tspan class="n"{back}>{clean(run.text)}</tspan>')
            continue
        row = ink.by_axis[run.axis]
        found.append(f'<tspan class="b" style="fill:{row.colour}"{back}>{clean(run.text)}</tspan>')
        found.append(f'<tspan class="k" style="fill:{row.colour}" dy="-3.5">{row.key}</tspan>')
    return "".join(found)


def _row(row: Row, x: float, y: float) -> Iterator[str]:
    """A line of the legend; hovering over it tells every axis that it stands for."""
    yield f"<g><title>{clean(', '.join(axis.name for axis in row.axes))}</title>"
    yield f'<rect x="{_n(x)}" y="{_n(y)}" width="20" height="14" rx="3" fill="{row.colour}"/>'
    yield f'<text x="{_n(x + 10)}" y="{_n(y + 11)}" text-anchor="middle" class="b i">{row.key}</text>'
    yield f'<text x="{_n(x + SWATCH)}" y="{_n(y + 11)}">{clean(row.text)}</text></g>'


def _pinned(names: Sequence[str], y: float) -> Iterator[str]:
    yield f"<g><title>{clean(', '.join(names))}</title>" if names else "<g>"
    yield f'<rect x="{_n(EDGE)}" y="{_n(y)}" width="20" height="14" rx="3" fill="{PINNED}"/>'
    yield f'<text x="{_n(EDGE + SWATCH)}" y="{_n(y + 11)}" class="m">{clean(_grey(names))}</text></g>'


def _grey(names: Sequence[str]) -> str:
    return f"grey sizes cannot be cut; {len(names)} axes of weights are pinned, and `surg axes` says why"


def _path(curve: Curve) -> str:
    (x, y), *rest = curve.points
    if curve.bent:
        end = curve.points[-1]
        middle = (y + end[1]) / 2
        return f"M{_n(x)} {_n(y)}C{_n(x)} {_n(middle)} {_n(end[0])} {_n(middle)} {_n(end[0])} {_n(end[1])}"
    return f"M{_at((x, y))}" + "".join(map(_turn, curve.points, rest, rest[1:])) + f"L{_at(rest[-1])}"


def _turn(before: Point, corner: Point, after: Point) -> str:
    """A way to a corner and around it."""
    near, far = _towards(corner, before), _towards(corner, after)
    return f"L{_at(near)}Q{_at(corner)} {_at(far)}"


def _towards(corner: Point, end: Point) -> Point:
    (x, y), (to_x, to_y) = corner, end
    far = abs(to_x - x) + abs(to_y - y)
    share = min(CORNER, far / 2) / far if far else 0.0
    return x + (to_x - x) * share, y + (to_y - y) * share


def _at(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _rectangle(box: Box | Tag) -> str:
    return f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'


def _n(value: float) -> str:
    """A number in few characters."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
