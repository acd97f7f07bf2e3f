"""Nets: open hypergraphs that are garbage-free term graphs, the states of surgery.

Wires may be read many times (copying) but are written once; what nothing reads does not exist. A net holds no tensor
values, only payloads that say what the weights are; `bridge` holds the values.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from surgdsl.diagram.fault import Fault
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

    @property
    def interface(self) -> frozenset[str]:
        """The wires that no step may touch."""
        return frozenset(wire for _, wire in self.inputs + self.outputs) | frozenset(self.boundary.values())

    def sort(self, wire: str) -> Sort:
        """What `wire` carries."""
        return self.graph.wires[wire]

    def params(self) -> Mapping[str, Operation]:
        """The weights, by operation name, in the order of the graph."""
        return {name: operation for name, operation in self.graph.operations.items() if operation.name == PARAM}

    def faults(self) -> tuple[Fault, ...]:
        """Every breach of N2 (one writer), N3 (acyclic) and N4 (live)."""
        loose = self.graph.loose_ends()
        if loose:
            return (Fault("N2", "an operation names a wire that the net does not have", loose),)
        return self._writers() + self._cycles() + self._dead()

    def _writers(self) -> tuple[Fault, ...]:
        given = [wire for _, wire in self.inputs]
        wrong = tuple(wire for wire, names in self.graph.producers.items() if len(names) + given.count(wire) != 1)
        return (
            (Fault("N2", "a wire must be written by exactly one operation port, or be an input", wrong),)
            if wrong
            else ()
        )

    def _cycles(self) -> tuple[Fault, ...]:
        order = set(topological(self.graph))
        stuck = tuple(name for name in self.graph.operations if name not in order)
        return (Fault("N3", "operations depend on themselves", stuck),) if stuck else ()

    def _dead(self) -> tuple[Fault, ...]:
        seen = self.interface
        dead = tuple(
            name
            for name, operation in self.graph.operations.items()
            if not any(wire in seen or self.graph.consumers[wire] for wire in operation.targets)
        )
        return (Fault("N4", "an operation's results reach nothing", dead),) if dead else ()


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
