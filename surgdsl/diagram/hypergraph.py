"""Hypergraphs: wires with sorts, operations between them.

The objects that spans, matches and pushouts are made of. Immutable: a change of shape or weight deletes an item and
creates another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import field, frozen

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort


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


def _incidence(wires: Iterable[str], ports: Iterable[tuple[str, tuple[str, ...]]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {wire: [] for wire in wires}
    for name, ends in ports:
        for wire in ends:
            found[wire].append(name)
    return {wire: tuple(names) for wire, names in found.items()}
