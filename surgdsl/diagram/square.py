"""Squares of hypergraphs: pushouts and pullbacks of any two morphisms, computed pointwise from their definitions.

Steps take pushouts along inclusions by set difference and disjoint union; here are the general ones, for gluing nets
along their ends, and to say what those shortcuts must agree with. A graph without operations is a finite set.

>>> from surgdsl.diagram.sort import Sort
>>> one, two = (Hypergraph(dict.fromkeys(names, Sort("F32", ()))) for names in ("a", "bc"))
>>> glued = pushout(HypergraphMorphism(one, two, {"a": "b"}, {}), HypergraphMorphism(one, two, {"a": "c"}, {}))
>>> len(glued.corner.wires), glued.first.faults(), len(pullback(glued.first, glued.second).corner.wires)
(3, (), 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.morphism import HypergraphMorphism
from surgdsl.diagram.pushout import placed


@frozen(slots=False)
class Corner:
    """The fourth corner of a square with the two morphisms that lie at it, in the order of the given ones."""

    corner: Hypergraph
    first: HypergraphMorphism
    second: HypergraphMorphism


def pushout(first: HypergraphMorphism, second: HypergraphMorphism) -> Corner:
    """The pushout of B ← A → C: the disjoint union of B and C in which the two images of each item of A are one.

    Items are named after the least that became one, ``b:name`` or ``c:name``.
    """
    assert first.dom == second.dom
    wires = _quotient(first.dom.wires, (first.cod.wires, first.wires), (second.cod.wires, second.wires))
    names = _quotient(
        first.dom.operations, (first.cod.operations, first.operations), (second.cod.operations, second.operations)
    )
    sides = ((first.cod, wires[0], names[0]), (second.cod, wires[1], names[1]))
    corner = Hypergraph(
        {place[wire]: sort for graph, place, _ in sides for wire, sort in graph.wires.items()},
        {to[name]: placed(one, place) for graph, place, to in sides for name, one in graph.operations.items()},
    )
    one, other = (HypergraphMorphism(graph, corner, place, to) for graph, place, to in sides)
    return Corner(corner, one, other)


def pullback(first: HypergraphMorphism, second: HypergraphMorphism) -> Corner:
    """The pullback of B → D ← C: the pairs of items with one image, which lie at the pairs of their wires."""
    assert first.cod == second.cod
    wires = _pairs(first.wires, second.wires)
    names = _pairs(first.operations, second.operations)
    place = {pair: name for name, pair in wires.items()}
    operations = {
        name: evolve(
            first.dom.operations[b],
            sources=_both(place, first.dom.operations[b].sources, second.dom.operations[c].sources),
            targets=_both(place, first.dom.operations[b].targets, second.dom.operations[c].targets),
        )
        for name, (b, c) in names.items()
    }
    corner = Hypergraph({name: first.dom.wires[b] for name, (b, _) in wires.items()}, operations)
    return Corner(corner, _leg(corner, first.dom, wires, names, 0), _leg(corner, second.dom, wires, names, 1))


Side = tuple[Iterable[str], Mapping[str, str]]
"""The items of B or of C, and where those of A go in it."""


def _quotient(glue: Iterable[str], b: Side, c: Side) -> tuple[dict[str, str], dict[str, str]]:
    """Where the items of B and of C go when those that come from one item of A are made one."""
    tagged = {name: f"b:{name}" for name in b[0]}, {name: f"c:{name}" for name in c[0]}
    leader = {name: name for side in tagged for name in side.values()}
    for name in glue:
        one, other = sorted((_lead(leader, tagged[0][b[1][name]]), _lead(leader, tagged[1][c[1][name]])))
        leader[other] = one
    first, second = ({name: _lead(leader, one) for name, one in side.items()} for side in tagged)
    return first, second


def _lead(leader: Mapping[str, str], name: str) -> str:
    while leader[name] != name:
        name = leader[name]
    return name


def _pairs(to_b: Mapping[str, str], to_c: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {f"{b}&{c}": (b, c) for b, one in to_b.items() for c, other in to_c.items() if one == other}


def _both(place: Mapping[tuple[str, str], str], b: tuple[str, ...], c: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(place[name, c[port]] for port, name in enumerate(b))


def _leg(
    corner: Hypergraph,
    side: Hypergraph,
    wires: Mapping[str, tuple[str, str]],
    names: Mapping[str, tuple[str, str]],
    which: int,
) -> HypergraphMorphism:
    on_wires = {name: pair[which] for name, pair in wires.items()}
    return HypergraphMorphism(corner, side, on_wires, {name: pair[which] for name, pair in names.items()})
