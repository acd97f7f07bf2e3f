"""Layers: every node below what it reads, long wires bent through the layers between, and few crossings.

The method of Sugiyama, Tagawa and Toda (1981): longest paths, then sweeps that order layers by their neighbours.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from attrs import frozen

from surgdsl.report.picture.sketch import Card, Port, Sketch

SWEEPS = 12


@frozen
class Link:
    """A piece of a wire from a cell to one in the next layer; −1 for the port of a bend."""

    upper: int
    port: int
    lower: int
    into: int


@frozen
class Layers:
    """Cells, those of nodes first and then the bends, by layer from left to right, and the links between them."""

    rank: tuple[int, ...]
    order: tuple[tuple[int, ...], ...]
    links: tuple[Link, ...]


def layers(sketch: Sketch) -> Layers:
    """The layers of a sketch: the order with the fewest crossings that the sweeps came by."""
    rank = _ranks(sketch)
    links = _links(sketch, rank)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for cell, layer in enumerate(rank):
        rows[layer].append(cell)
    best, fewest = [list(row) for row in rows], _crossings(rows, links, rank)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        _sweep(rows, links, down=sweep % 2 == 0)
        found = _crossings(rows, links, rank)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return Layers(tuple(rank), tuple(map(tuple, best)), tuple(links))


def _ranks(sketch: Sketch) -> list[int]:
    """Longest paths from the top; boxes that read no wire come down to their readers, ports out to the bottom."""
    reads: list[list[int]] = [[] for _ in sketch.nodes]
    readers: list[list[int]] = [[] for _ in sketch.nodes]
    for edge in sketch.edges:
        reads[edge.target].append(edge.source)
        readers[edge.source].append(edge.target)
    rank = [0] * len(sketch.nodes)
    waiting = list(map(len, reads))
    ready = [node for node, count in enumerate(waiting) if not count]
    for node in ready:
        for reader in readers[node]:
            rank[reader] = max(rank[reader], rank[node] + 1)
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    bottom = max(rank, default=0)
    for node, what in enumerate(sketch.nodes):
        if isinstance(what, Card) and not reads[node] and readers[node]:
            rank[node] = min(rank[reader] for reader in readers[node]) - 1
        if isinstance(what, Port) and what.side == "out":
            rank[node] = bottom
    return [layer - min(rank) for layer in rank]


def _links(sketch: Sketch, rank: list[int]) -> list[Link]:
    """Edges cut into pieces of one layer; `rank` grows by the bends, which edges of one wire share."""
    bends: dict[tuple[int, int, int], int] = {}
    links: dict[Link, None] = {}
    for edge in sketch.edges:
        upper, port = edge.source, edge.port
        for layer in range(rank[edge.source] + 1, rank[edge.target]):
            place = (edge.source, edge.port, layer)
            if place not in bends:
                bends[place] = len(rank)
                rank.append(layer)
            links[Link(upper, port, bends[place], -1)] = None
            upper, port = bends[place], -1
        links[Link(upper, port, edge.target, edge.into)] = None
    return list(links)


def _sweep(rows: list[list[int]], links: Sequence[Link], *, down: bool) -> None:
    """Order each layer by the mean place of its neighbours in the layer before."""
    place = {cell: float(number) for row in rows for number, cell in enumerate(row)}
    near: dict[int, list[tuple[int, int]]] = {}
    for link in links:
        here, there, port = (link.lower, link.upper, link.port) if down else (link.upper, link.lower, link.into)
        near.setdefault(here, []).append((there, port))
    for row in rows if down else reversed(rows):
        wanted = {
            cell: sum(place[there] + port / 64 for there, port in near[cell]) / len(near[cell])
            if cell in near
            else place[cell]
            for cell in row
        }
        row.sort(key=lambda cell: wanted[cell])
        place |= {cell: float(number) for number, cell in enumerate(row)}


def _crossings(rows: Sequence[Sequence[int]], links: Sequence[Link], rank: Sequence[int]) -> int:
    """Pairs of links that cross: inversions between the order of their upper and of their lower ends."""
    place = {cell: number for row in rows for number, cell in enumerate(row)}
    between: list[list[tuple[tuple[int, int], int]]] = [[] for _ in rows]
    for link in links:
        between[rank[link.upper]].append(((place[link.upper], link.port), place[link.lower]))
    total = 0
    for ends in between:
        seen: list[int] = []
        for _, lower in sorted(ends):
            total += len(seen) - bisect_right(seen, lower)
            insort(seen, lower)
    return total
