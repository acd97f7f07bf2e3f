"""Nets: open hypergraphs that are garbage-free term graphs, the states of surgery.

Wires may be read many times (copying) but are written once; what nothing reads does not exist. A net holds no tensor
values, only payloads that say what the weights are; `bridge` holds the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import field, frozen

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.sort import Sort


@frozen(slots=False)
class Net:
    """A hypergraph with ordered, named inputs and outputs, and named boundary wires that must survive.

    `faults` checks N2 to N4; typing (N1) needs the signatures of `operations` and is checked there.

    >>> from surgdsl.diagram.sort import Sort
    >>> wires = {"x": Sort("F32", (2,)), "y": Sort("F32", (2,))}
    >>> relu = Operation("aten.relu.default", ("x",), ("y",))
    >>> Net(Hypergraph(wires, {"r": relu}), (("x", "x"),), (("y", "y"),)).faults()
    ()
    >>> [fault.code for fault in Net(Hypergraph(wires, {"r": relu}), (("x", "x"), ("y", "y")), ()).faults()]
    ['N2']
    """

    graph: Hypergraph
    inputs: tuple[tuple[str, str], ...]
    """(name, wire), in the order of the model's arguments."""
    outputs: tuple[tuple[str, str], ...]
    boundary: Mapping[str, str] = field(factory=dict[str, str])

    @cached_property
    def interface(self) -> frozenset[str]:
        """The wires that no step may touch."""
        return frozenset((*(wire for _, wire in self.inputs + self.outputs), *self.boundary.values()))

    def sort(self, wire: str) -> Sort:
        """What `wire` carries."""
        return self.graph.wires[wire]

    def params(self) -> Mapping[str, Operation]:
        """The weights, by operation name, in the order of the graph."""
        return {name: operation for name, operation in self.graph.operations.items() if operation.name == PARAM}

    def faults(self) -> tuple[Fault, ...]:
        """Every breach of N2 (one writer), N3 (acyclic) and N4 (live)."""
        ends = self.graph.loose_ends() + tuple(wire for wire in sorted(self.interface) if wire not in self.graph.wires)
        loose = fault("N2", "an operation or an interface names a wire that the net does not have", ends)
        return loose or self._writers() + self.cycles() + self.dead(self.graph.operations)

    def _writers(self) -> tuple[Fault, ...]:
        given = [wire for _, wire in self.inputs]
        wrong = tuple(wire for wire, names in self.graph.producers.items() if len(names) + given.count(wire) != 1)
        return fault("N2", "a wire must be written by exactly one operation port, or be an input", wrong)

    def cycles(self) -> tuple[Fault, ...]:
        """The breach of N3, if there is one."""
        stuck = tuple(name for name in self.graph.operations if name not in self.graph.ranks)
        return fault("N3", "operations depend on themselves", stuck)

    def dead(self, names: Iterable[str]) -> tuple[Fault, ...]:
        """The breaches of N4 among some operations."""
        held, readers = self.interface, self.graph.consumers
        found = tuple(
            name
            for name in names
            if not any(wire in held or readers[wire] for wire in self.graph.operations[name].targets)
        )
        return fault("N4", "an operation's results reach nothing", found)
