"""Rules: linear spans L ← K → R of hypergraphs, what a surgery may do.

K is given by inclusion, so both legs are injective: the pushout complement is then unique and every step has an
inverse.
"""

from __future__ import annotations

from functools import cached_property

from attrs import evolve, frozen

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph


@frozen(slots=False)
class Rule:
    """A span: `left` ⊇ `glue` ⊆ `right`, where glue items have the same names in both.

    >>> from surgdsl.diagram.operation import Operation
    >>> from surgdsl.diagram.sort import Sort
    >>> v = Sort("F32", (2,))
    >>> ends = {"x": v, "y": v}
    >>> swap = Rule("swap", Hypergraph(ends, {"a": Operation("aten.relu.default", ("x",), ("y",))}), Hypergraph(ends),
    ...             Hypergraph(ends, {"b": Operation("aten.tanh.default", ("x",), ("y",))}))
    >>> swap.faults(), swap.inverse().inverse() == swap
    ((), True)
    """

    name: str
    left: Hypergraph
    glue: Hypergraph
    right: Hypergraph

    @cached_property
    def deleted(self) -> Hypergraph:
        """L∖K, as wires and operations (not a graph by itself)."""
        return _difference(self.left, self.glue)

    @cached_property
    def created(self) -> Hypergraph:
        """R∖K."""
        return _difference(self.right, self.glue)

    def inverse(self) -> Rule:
        """The span read backwards."""
        return evolve(self, left=self.right, right=self.left)

    def faults(self) -> tuple[Fault, ...]:
        """All breaches of R1 (inclusions), R2 (glue wires keep writers), R3 (new ones have one), R4 (acyclic), R5."""
        return self._faults

    @cached_property
    def _faults(self) -> tuple[Fault, ...]:
        loose = _inclusion(self.glue, self.left, "L") + _inclusion(self.glue, self.right, "R")
        return loose or self._writers() + self._cycles() + self._dead()

    def _writers(self) -> tuple[Fault, ...]:
        left, right, glue = self.left.producers, self.right.producers, self.glue.producers
        moved = tuple(wire for wire in glue if len(left[wire]) != len(right[wire]))
        loose = tuple(wire for wire in self.created.wires if len(right[wire]) != 1)
        return fault("R2", "R must write a wire of K exactly when L does", moved) + fault(
            "R3", "a created wire must be written exactly once", loose
        )

    def _cycles(self) -> tuple[Fault, ...]:
        stuck = tuple(name for name in self.right.operations if name not in self.right.ranks)
        return fault("R4", "R has a cycle", stuck)

    def _dead(self) -> tuple[Fault, ...]:
        kept, readers = self.glue.wires, self.right.consumers
        dead = tuple(
            name
            for name, operation in self.created.operations.items()
            if not any(wire in kept or readers[wire] for wire in operation.targets)
        )
        return fault("R5", "the results of a created operation reach nothing", dead)


def _difference(whole: Hypergraph, part: Hypergraph) -> Hypergraph:
    return Hypergraph(
        {wire: sort for wire, sort in whole.wires.items() if wire not in part.wires},
        {name: operation for name, operation in whole.operations.items() if name not in part.operations},
    )


def _inclusion(part: Hypergraph, whole: Hypergraph, side: str) -> tuple[Fault, ...]:
    wires = tuple(wire for wire, sort in part.wires.items() if whole.wires.get(wire) != sort)
    operations = tuple(name for name, operation in part.operations.items() if whole.operations.get(name) != operation)
    broken = wires + operations + part.loose_ends() + whole.loose_ends()
    return fault("R1", f"K is not a sub-hypergraph of {side}", broken)
