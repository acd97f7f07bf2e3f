"""Pages: a picture that would be long and thin stands in columns, each of which goes on at the top of the next.

Columns end only where at most a few wires pass, so that what hangs together stays together.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from surgdsl.report.picture.geometry import Curve, Scene, together
from surgdsl.report.picture.ink import Ink
from surgdsl.report.picture.layer import Link
from surgdsl.report.picture.layout import Placing, lands, pieces, placing
from surgdsl.report.picture.sketch import Sketch

LONG = 1500.0
"""Pixels that may stand in one column."""
SHAPE = 1.414
"""Height to width of a sheet of paper."""
WIRES = 2
"""Wires that may pass from one column to the next."""
GUTTER, TURN, STEP = 56.0, 14.0, 7.0
"""Pixels between columns, between the last layer and a turn, and between wires beside each other."""


@frozen
class Column:
    """Layers `first` to `last`, moved by (`dx`, `dy`), with its edges after that."""

    first: int
    last: int
    dx: float
    dy: float
    right: float
    bottom: float


def page(sketch: Sketch, ink: Ink) -> Scene:
    """A sketch laid out in as many columns as fill a sheet best."""
    placed = placing(sketch, ink)
    columns = min(_choices(placed), key=lambda made: (_scale(made), len(made)))
    home = [column for column in columns for _ in range(column.first, column.last + 1)]
    rank = placed.layers.rank
    parts: list[Scene] = []
    jumps: dict[tuple[int, int], int] = {}
    for link in placed.layers.links:
        above, below = home[rank[link.upper]], home[rank[link.lower]]
        found = pieces(placed, link)
        if above is not below:
            number = jumps.setdefault(
                (link.upper, link.port), len([one for one in jumps if home[rank[one[0]]] is above])
            )
            parts.append(Scene(0, 0, curves=(_jump(placed, link, above, below, number),)))
            found = found[:-1]
        parts.append(Scene(0, 0, curves=found).shifted(above.dx, above.dy))
    for cell, one in enumerate(placed.bodies):
        column = home[rank[cell]]
        x, y = placed.centres[cell] - one.width / 2, placed.tops[rank[cell]]
        parts.append(one.placed(x + column.dx, y + column.dy))
    return together(columns[-1].right, max(column.bottom for column in columns), parts)


def _scale(columns: Sequence[Column]) -> float:
    """How far the picture must shrink to fit a sheet."""
    return max(columns[-1].right, max(column.bottom for column in columns) / SHAPE)


def _choices(placed: Placing) -> list[list[Column]]:
    """The columns for many heights of the sheet; one column where that is not long."""
    if not placed.tops:
        return [[Column(0, 0, 0.0, 0.0, placed.width, 0.0)]]
    total = placed.tops[-1] + placed.heights[-1]
    if total <= LONG:
        return [_columns(placed, total)]
    return [_columns(placed, total * 0.96**number) for number in range(60)]


def _columns(placed: Placing, height: float) -> list[Column]:
    """Layers packed into columns of at most `height` where the wires allow it."""
    parts = _parts(placed)
    spans: list[tuple[int, int]] = [parts[0]]
    for first, last in parts[1:]:
        start = spans[-1][0]
        if placed.tops[last] + placed.heights[last] - placed.tops[start] <= height:
            spans[-1] = (start, last)
        else:
            spans.append((first, last))
    top = TURN + STEP * WIRES if len(spans) > 1 else 0.0
    columns: list[Column] = []
    for first, last in spans:
        left, right = _extent(placed, first, last)
        dx = (columns[-1].right + GUTTER if columns else 0.0) - left
        dy = top - placed.tops[first]
        bottom = placed.tops[last] + placed.heights[last] + dy + top
        columns.append(Column(first, last, dx, dy, right + dx, bottom))
    return columns


def _parts(placed: Placing) -> list[tuple[int, int]]:
    """Runs of layers that a column may not part."""
    rank = placed.layers.rank
    passing: list[set[tuple[int, int]]] = [set() for _ in placed.tops]
    for link in placed.layers.links:
        passing[rank[link.upper]].add((link.upper, link.port))
    parts: list[tuple[int, int]] = []
    first = 0
    for layer, wires in enumerate(passing):
        if len(wires) <= WIRES:
            parts.append((first, layer))
            first = layer + 1
    return parts


def _extent(placed: Placing, first: int, last: int) -> tuple[float, float]:
    """The leftmost and rightmost pixels of some layers."""
    edges = [
        (placed.centres[cell] - placed.room(cell) / 2, placed.centres[cell] + placed.room(cell) / 2)
        for row in placed.layers.order[first : last + 1]
        for cell in row
    ]
    return min(left for left, _ in edges), max(right for _, right in edges)


def _jump(placed: Placing, link: Link, above: Column, below: Column, number: int) -> Curve:
    """A wire from the bottom of a column through the gutter to the top of the next."""
    before, after = placed.layers.rank[link.upper], placed.layers.rank[link.lower]
    start, end = placed.leaves(link) + above.dx, placed.enters(link) + below.dx
    floor = placed.tops[before] + placed.heights[before] + above.dy
    ceiling = placed.tops[after] + below.dy
    low, high, between = (
        floor + TURN + STEP * number,
        ceiling - TURN - STEP * number,
        above.right + GUTTER / 2 + STEP * number,
    )
    points = ((start, floor), (start, low), (between, low), (between, high), (end, high), (end, ceiling))
    return Curve(points, arrow=lands(placed, link))
