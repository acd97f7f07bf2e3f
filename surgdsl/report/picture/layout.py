"""Layout: gives every node of a sketch its place, from the inside out.

Wires bend only between layers, and their shapes stand right below the box that writes them: neither can meet a box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import frozen

from surgdsl.report.picture.body import Body, body, frame_body
from surgdsl.report.picture.geometry import Curve, Scene, together
from surgdsl.report.picture.ink import Ink
from surgdsl.report.picture.layer import Layers, Link, layers
from surgdsl.report.picture.settle import settle
from surgdsl.report.picture.sketch import Card, Frame, Port, Sketch, Terminal

BESIDE, BELOW = 26.0, 26.0
"""Pixels between boxes beside and below each other."""
APART = 22.0
"""Pixels between the places where wires enter a box."""
ROUNDS = 24
FIRM = 8.0
"""How much more a straight chain counts than a box in the middle of its neighbours."""


@frozen
class Placing:
    """A sketch in layers: bodies of the nodes, centres of all cells, tops of the layers, heights of the layers."""

    layers: Layers
    bodies: tuple[Body, ...]
    entries: Mapping[tuple[int, int], float]
    """Where a wire enters a cell, from its centre."""
    centres: tuple[float, ...]
    tops: tuple[float, ...]
    heights: tuple[float, ...]
    width: float

    def room(self, cell: int) -> float:
        """Pixels that a cell takes from left to right."""
        return _wide(self.bodies, cell)

    def leaves(self, link: Link) -> float:
        """Where a link starts, from the left."""
        return self.centres[link.upper] + _out(self.bodies, link)

    def enters(self, link: Link) -> float:
        """Where a link ends, from the left."""
        return self.centres[link.lower] + self.entries.get((link.lower, link.into), 0.0)


def placing(sketch: Sketch, ink: Ink) -> Placing:
    """Sizes and places for everything in a sketch."""
    found = layers(sketch)
    bodies = tuple(_body(sketch, node, ink) for node in range(len(sketch.nodes)))
    entries = _entries(found, bodies)
    centres = _centres(found, bodies, entries)
    left = min((centres[cell] - _wide(bodies, cell) / 2 for cell in range(len(centres))), default=0.0)
    right = max((centres[cell] + _wide(bodies, cell) / 2 for cell in range(len(centres))), default=0.0)
    shifted = tuple(centre - left for centre in centres)
    heights = tuple(
        max((bodies[cell].height + bodies[cell].drop for cell in row if cell < len(bodies)), default=0.0)
        for row in found.order
    )
    tops = _tops(found, bodies, entries, shifted, heights)
    return Placing(found, bodies, entries, shifted, tops, heights, right - left)


def drawn(placed: Placing) -> Scene:
    """Boxes, tags and wires at their places."""
    rank, tops, heights = placed.layers.rank, placed.tops, placed.heights
    parts = [
        one.placed(placed.centres[cell] - one.width / 2, tops[rank[cell]]) for cell, one in enumerate(placed.bodies)
    ]
    curves = tuple(curve for link in placed.layers.links for curve in pieces(placed, link))
    height = tops[-1] + heights[-1] if tops else 0.0
    return together(placed.width, height, (Scene(0, 0, curves=curves), *parts))


def pieces(placed: Placing, link: Link) -> tuple[Curve, ...]:
    """A link: down beside its own layer, over to its end, and down through that layer where it is a bend."""
    above, below = placed.layers.rank[link.upper], placed.layers.rank[link.lower]
    start, end = placed.leaves(link), placed.enters(link)
    floor, ceiling = placed.tops[above] + placed.heights[above], placed.tops[below]
    found: list[Curve] = []
    bottom = placed.tops[above]
    if link.upper < len(placed.bodies):
        bottom += placed.bodies[link.upper].height + placed.bodies[link.upper].drop
        if bottom < floor:
            found.append(Curve(((start, bottom), (start, floor))))
    elif placed.heights[above]:
        found.append(Curve(((start, bottom), (start, floor))))
    return (*found, Curve(((start, floor), (end, ceiling)), arrow=lands(placed, link), bent=True))


def lands(placed: Placing, link: Link) -> bool:
    """Whether the wire ends there, at a box."""
    return link.lower < len(placed.bodies) and isinstance(placed.bodies[link.lower].node, (Card, Terminal))


def _body(sketch: Sketch, number: int, ink: Ink) -> Body:
    node, writes = sketch.nodes[number], sketch.writes[number]
    if not isinstance(node, Frame):
        return body(node, writes, ink)
    placed = placing(node.inner, ink)
    ports = tuple(
        [
            placed.centres[cell]
            for cell, inside in enumerate(node.inner.nodes)
            if isinstance(inside, Port) and inside.side == side
        ]
        for side in ("in", "out")
    )
    return frame_body(node, writes, ink, drawn(placed), (ports[0], ports[1]))


def _wide(bodies: Sequence[Body], cell: int) -> float:
    """Room for a node with its tags; a bend takes a little, too."""
    if cell >= len(bodies):
        return 8.0
    one = bodies[cell]
    tags = (
        2 * max(out + tag[1] / 2 - one.width / 2, one.width / 2 - out + tag[1] / 2)
        for out, tag in zip(one.outs, one.tags, strict=True)
        if tag
    )
    return max(one.width, *tags, 0.0)


def _out(bodies: Sequence[Body], link: Link) -> float:
    """Where a link starts, from the centre of its cell."""
    if link.upper >= len(bodies):
        return 0.0
    return bodies[link.upper].outs[link.port] - bodies[link.upper].width / 2


def _entries(found: Layers, bodies: Sequence[Body]) -> dict[tuple[int, int], float]:
    """Where wires enter: at the ports of a frame; else in the order in which they come, around the middle."""
    place = {cell: number for row in found.order for number, cell in enumerate(row)}
    into: dict[int, list[Link]] = {}
    for link in found.links:
        if link.lower < len(bodies):
            into.setdefault(link.lower, []).append(link)
    entries: dict[tuple[int, int], float] = {}
    for cell, links in into.items():
        one = bodies[cell]
        step = min(APART, one.width / (len(links) + 1))
        for number, link in enumerate(sorted(links, key=lambda link: (place[link.upper], link.port))):
            spread = (number - (len(links) - 1) / 2) * step
            entries[cell, link.into] = spread if one.ins is None else one.ins[link.into] - one.width / 2
    return entries


def _centres(found: Layers, bodies: Sequence[Body], entries: Mapping[tuple[int, int], float]) -> list[float]:
    """Centres that keep wires straight, found by settling each layer to its neighbours, down and up."""
    centres = [0.0] * len(found.rank)
    pulls = _pulls(found, bodies, entries)
    widths = [_wide(bodies, cell) for cell in range(len(centres))]
    for turn in range(2 * ROUNDS + 1):
        near = ((-1,), (1,))[turn % 2] if turn < 2 * ROUNDS else (-1, 1)
        for row in found.order if turn % 2 == 0 else reversed(found.order):
            wanted, weights = _wanted(row, pulls, centres, found.rank, near)
            for cell, centre in zip(row, settle(wanted, [widths[cell] for cell in row], weights, BESIDE), strict=True):
                centres[cell] = centre
    return centres


Pulls = Sequence[Sequence[tuple[int, float, float]]]
"""For each cell its neighbours, how far from their centres it would like to be, and how much."""


def _pulls(found: Layers, bodies: Sequence[Body], entries: Mapping[tuple[int, int], float]) -> Pulls:
    """A wire pulls the more the less there is to choose: between bends most, along a chain much, at a fork little."""
    leaving, coming = Counter(link.upper for link in found.links), Counter(link.lower for link in found.links)
    pulls: list[list[tuple[int, float, float]]] = [[] for _ in found.rank]
    for link in found.links:
        alone = leaving[link.upper] == 1 and coming[link.lower] == 1
        bends = link.upper >= len(bodies) and link.lower >= len(bodies)
        weight = FIRM * FIRM if bends else FIRM if alone else 1.0
        slant = entries.get((link.lower, link.into), 0.0) - _out(bodies, link)
        pulls[link.lower].append((link.upper, -slant, weight))
        pulls[link.upper].append((link.lower, slant, weight))
    return pulls


def _wanted(
    row: Sequence[int],
    pulls: Pulls,
    centres: Sequence[float],
    rank: Sequence[int],
    near: Sequence[int],
) -> tuple[list[float], list[float]]:
    """For each cell of a layer where its neighbours on the `near` sides want it, and how much."""
    wanted: list[float] = []
    weights: list[float] = []
    for cell in row:
        felt = [(there, by, weight) for there, by, weight in pulls[cell] if rank[there] - rank[cell] in near]
        mass = sum(weight for _, _, weight in felt)
        wanted.append(
            sum((centres[there] + by) * weight for there, by, weight in felt) / mass if felt else centres[cell]
        )
        weights.append(mass or 0.1)
    return wanted, weights


def _tops(
    found: Layers,
    bodies: Sequence[Body],
    entries: Mapping[tuple[int, int], float],
    centres: Sequence[float],
    heights: Sequence[float],
) -> tuple[float, ...]:
    """Where layers begin: the further wires go sideways, the more room they get."""
    sideways = [0.0] * len(heights)
    for link in found.links:
        start, end = (
            centres[link.upper] + _out(bodies, link),
            centres[link.lower] + entries.get((link.lower, link.into), 0.0),
        )
        above = found.rank[link.upper]
        sideways[above] = max(sideways[above], abs(end - start))
    tops = [0.0]
    for height, far in zip(heights, sideways, strict=True):
        tops.append(tops[-1] + height + BELOW + min(30.0, far / 8))
    return tuple(tops[:-1])
