"""Hypergraphs: wires with sorts, operations between them.

The objects that spans, matches and pushouts are made of. Immutable: a change of shape or weight deletes an item and
creates another. Versions of one graph share what they have in common, and what was derived from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from attrs import field, frozen

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.persistent import changed
from surgdsl.diagram.sort import Sort

GAP = 1 << 32
"""Between neighbouring ranks, so that a step finds room for new operations between old ones."""

Incidence = Mapping[str, tuple[str, ...]]
"""For each wire the operations at it, once a port, in the order of the graph."""


@frozen(slots=False)
class Hypergraph:
    """Wires and operations by name.

    >>> from surgdsl.diagram.sort import Sort
    >>> relu = Operation("aten.relu.default", ("x",), ("y",))
    >>> graph = Hypergraph({"x": Sort("F32", (2,)), "y": Sort("F32", (2,))}, {"r": relu})
    >>> graph.producers["y"], graph.consumers["x"], eval(repr(graph)) == graph
    (('r',), ('r',), True)
    """

    wires: Mapping[str, Sort] = field(factory=dict[str, Sort])
    operations: Mapping[str, Operation] = field(factory=dict[str, Operation])

    @cached_property
    def producers(self) -> Mapping[str, tuple[str, ...]]:
        """Operations that write each wire, once a port."""
        return _incidence(self.wires, ((name, operation.targets) for name, operation in self.operations.items()))

    @cached_property
    def consumers(self) -> Mapping[str, tuple[str, ...]]:
        """Operations that read each wire, once a port."""
        return _incidence(self.wires, ((name, operation.sources) for name, operation in self.operations.items()))

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Numbers that rise along wires, `GAP` apart, for all operations that do not depend on themselves."""
        return {name: place * GAP for place, name in enumerate(topological(self))}

    def without(self, wires: Collection[str], operations: Collection[str]) -> Hypergraph:
        """The graph less some items; the ranks of the others are kept."""
        lost = [self.operations[name] for name in operations]
        ends, gone = frozenset(wires), frozenset(operations)
        return Hypergraph(changed(self.wires, wires, {}), changed(self.operations, operations, {})).knowing(
            producers=_less(self.producers, (one.targets for one in lost), gone, ends),
            consumers=_less(self.consumers, (one.sources for one in lost), gone, ends),
            ranks=changed(self.ranks, operations, {}),
        )

    def extended(self, wires: Mapping[str, Sort], operations: Mapping[str, Operation]) -> Hypergraph:
        """The graph with new items, which come last."""
        targets = ((name, one.targets) for name, one in operations.items())
        sources = ((name, one.sources) for name, one in operations.items())
        return Hypergraph(changed(self.wires, (), wires), changed(self.operations, (), operations)).knowing(
            producers=_more(self.producers, targets, wires), consumers=_more(self.consumers, sources, wires)
        )

    def knowing(self, **derived: Incidence | Mapping[str, int]) -> Hypergraph:
        """The graph, told what it would otherwise derive from its items: `producers`, `consumers` or `ranks`."""
        vars(self).update(derived)
        return self

    def touching(self, wires: Iterable[str]) -> tuple[str, ...]:
        """Every operation with a port on one of `wires`, in the order of the graph."""
        found = {name for wire in wires for name in self.producers[wire] + self.consumers[wire]}
        return tuple(name for name in self.operations if name in found)

    def loose_ends(self) -> tuple[str, ...]:
        """Wires that an operation names and the graph does not have."""
        return tuple(
            wire
            for operation in self.operations.values()
            for wire in operation.sources + operation.targets
            if wire not in self.wires
        )


def _incidence(wires: Iterable[str], ports: Iterable[tuple[str, tuple[str, ...]]]) -> Incidence:
    found: dict[str, list[str]] = {wire: [] for wire in wires}
    for name, ends in ports:
        for wire in ends:
            found[wire].append(name)
    return {wire: tuple(names) for wire, names in found.items()}


def _less(
    known: Incidence, lost: Iterable[tuple[str, ...]], gone: AbstractSet[str], wires: AbstractSet[str]
) -> Incidence:
    touched = dict.fromkeys(wire for ends in lost for wire in ends)
    left = {wire: tuple(name for name in known[wire] if name not in gone) for wire in touched if wire not in wires}
    return changed(known, wires, left)


def _more(known: Incidence, ports: Iterable[tuple[str, tuple[str, ...]]], wires: Iterable[str]) -> Incidence:
    found: dict[str, tuple[str, ...]] = dict.fromkeys(wires, ())
    for name, ends in ports:
        for wire in ends:
            found[wire] = (found[wire] if wire in found else known[wire]) + (name,)
    return changed(known, (), found)


def topological(graph: Hypergraph) -> tuple[str, ...]:
    """Operations, each after those whose results it reads; those on or behind a cycle are left out (Kahn 1962)."""
    waiting = {
        name: sum(len(graph.producers[wire]) for wire in set(operation.sources))
        for name, operation in graph.operations.items()
    }
    ready = [name for name, count in waiting.items() if not count]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for wire in graph.operations[name].targets:
            for reader in set(graph.consumers[wire]):
                waiting[reader] -= 1
                if not waiting[reader]:
                    ready.append(reader)
    return tuple(order)
