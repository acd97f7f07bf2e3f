"""Morphisms of hypergraphs: maps on wires and on operations that keep sorts, labels and ports.

Matches, the legs of spans and the sides of squares are morphisms. That a pair of maps is one is never assumed, it is
checked, and every breach is told.

>>> from attrs import evolve
>>> from surgdsl.diagram.operation import Operation
>>> from surgdsl.diagram.sort import Sort
>>> graph = Hypergraph({"x": Sort("F32", (2,)), "y": Sort("F32", (2,))}, {"r": Operation("relu", ("x",), ("y",))})
>>> one = identity(graph)
>>> one.faults(), one.then(one) == one, [fault.items for fault in evolve(one, wires={"x": "y", "y": "x"}).faults()]
((), True, [('r',)])
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item, items


@frozen(slots=False)
class HypergraphMorphism:
    """f : dom → cod, on wires and on operations."""

    dom: Hypergraph
    cod: Hypergraph
    wires: Mapping[str, str]
    operations: Mapping[str, str]

    def faults(self) -> tuple[Fault, ...]:
        """Every reason (M) why this is no morphism: where it is not total, leaves the codomain, or is not natural."""
        return self._partial() or self._outside() or self._sorts() + self._labels() + self._ports()

    def _partial(self) -> tuple[Fault, ...]:
        sides = ((self.dom.wires, self.wires), (self.dom.operations, self.operations))
        missing = [name for asked, given in sides for name in asked if name not in given]
        surplus = [name for asked, given in sides for name in given if name not in asked]
        return fault("M", "it is not said where these items go", missing) + fault(
            "M", "these are no items of the left side", surplus
        )

    def _outside(self) -> tuple[Fault, ...]:
        wires = [wire for wire, image in self.wires.items() if image not in self.cod.wires]
        operations = [name for name, image in self.operations.items() if image not in self.cod.operations]
        return fault("M", "these go to no item of the net", wires + operations)

    def _sorts(self) -> tuple[Fault, ...]:
        other = [wire for wire, image in self.wires.items() if self.cod.wires[image] != self.dom.wires[wire]]
        return fault("M", "these wires go to wires of another sort", other)

    def _labels(self) -> tuple[Fault, ...]:
        pairs = ((name, self.dom.operations[name], self.cod.operations[at]) for name, at in self.operations.items())
        return fault(
            "M", "these go to operations with another label", [name for name, one, at in pairs if one.label != at.label]
        )

    def _ports(self) -> tuple[Fault, ...]:
        other = [
            name
            for name, image in self.operations.items()
            if self._carried(self.dom.operations[name].sources) != self.cod.operations[image].sources
            or self._carried(self.dom.operations[name].targets) != self.cod.operations[image].targets
        ]
        return fault("M", "these go to operations at other wires", other)

    def _carried(self, ports: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.wires[wire] for wire in ports)

    def image(self) -> frozenset[Item]:
        """The items of the codomain that are reached."""
        return items(self.wires.values(), self.operations.values())

    def merged(self) -> tuple[str, ...]:
        """Items of the domain that share their image with another one: none if this is injective."""
        return tuple(name for maps in (self.wires, self.operations) for name in _shared(maps))

    def then(self, other: HypergraphMorphism) -> HypergraphMorphism:
        """First this, then `other`."""
        return HypergraphMorphism(
            self.dom,
            other.cod,
            {wire: other.wires[image] for wire, image in self.wires.items()},
            {name: other.operations[image] for name, image in self.operations.items()},
        )


def identity(graph: Hypergraph) -> HypergraphMorphism:
    """The morphism from a graph to itself that changes nothing."""
    return inclusion(graph, graph)


def inclusion(part: Hypergraph, whole: Hypergraph) -> HypergraphMorphism:
    """The morphism of a sub-hypergraph, by equal names."""
    return HypergraphMorphism(
        part, whole, {wire: wire for wire in part.wires}, {name: name for name in part.operations}
    )


def _shared(images: Mapping[str, str]) -> list[str]:
    first: dict[str, str] = {}
    twice = {image for name, image in images.items() if first.setdefault(image, name) != name}
    return [name for name, image in images.items() if image in twice]
