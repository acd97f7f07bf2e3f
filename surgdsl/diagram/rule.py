"""Rules: linear spans L ← K → R of hypergraphs, what a surgery may do.

K is given by inclusion, so both legs are injective: the pushout complement is then unique and every step has an
inverse.
"""

from __future__ import annotations

from attrs import evolve, frozen

from surgdsl.diagram.fault import Fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import topological


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

    @property
    def deleted(self) -> Hypergraph:
        """L∖K, as wires and operations (not a graph by itself)."""
        return _difference(self.left, self.glue)

    @property
    def created(self) -> Hypergraph:
        """R∖K."""
        return _difference(self.right, self.glue)

    def inverse(self) -> Rule:
        """The span read backwards."""
        return evolve(self, left=self.right, right=self.left)

    def faults(self) -> tuple[Fault, ...]:
        """All breaches of R1 (inclusions), R2 (glue wires keep writers), R3 (new ones have one), R4 (acyclic), R5."""
        found = [*_inclusion(self.glue, self.left, "L"), *_inclusion(self.glue, self.right, "R")]
        if found:
            return tuple(found)
        moved = tuple(
            w for w in self.glue.wires if _writers(self.left, self.glue, w) != _writers(self.right, self.glue, w)
        )
        if moved:
            found.append(Fault("R2", "R must write a wire of K exactly when L does", moved))
        loose = tuple(w for w in self.created.wires if len(self.right.producers[w]) != 1)
        if loose:
            found.append(Fault("R3", "a created wire must be written exactly once", loose))
        stuck = tuple(sorted(set(self.right.operations) - set(topological(self.right))))
        if stuck:
            found.append(Fault("R4", "R has a cycle", stuck))
        dead = tuple(
            name
            for name, operation in self.created.operations.items()
            if not any(wire in self.glue.wires or self.right.consumers[wire] for wire in operation.targets)
        )
        if dead:
            found.append(Fault("R5", "the results of a created operation reach nothing", dead))
        return tuple(found)


def _difference(whole: Hypergraph, part: Hypergraph) -> Hypergraph:
    return Hypergraph(
        {wire: sort for wire, sort in whole.wires.items() if wire not in part.wires},
        {name: operation for name, operation in whole.operations.items() if name not in part.operations},
    )


def _inclusion(part: Hypergraph, whole: Hypergraph, side: str) -> list[Fault]:
    wires = tuple(wire for wire, sort in part.wires.items() if whole.wires.get(wire) != sort)
    operations = tuple(name for name, operation in part.operations.items() if whole.operations.get(name) != operation)
    broken = wires + operations + part.loose_ends() + whole.loose_ends()
    return [Fault("R1", f"K is not a sub-hypergraph of {side}", broken)] if broken else []


def _writers(side: Hypergraph, glue: Hypergraph, wire: str) -> int:
    return sum(name not in glue.operations for name in side.producers[wire])
