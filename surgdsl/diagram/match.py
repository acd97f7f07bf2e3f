"""Matches: injective morphisms from a rule's left side into a net, with every reason why one cannot be rewritten.

A match is a value; whether the pushout complement exists is decided by its violations, which are all reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from surgdsl.diagram.fault import Fault
from surgdsl.diagram.net import Net
from surgdsl.diagram.rule import Rule


@frozen(slots=False)
class Match:
    """m : L → G on wires and operations.

    Source: the gluing condition of double-pushout rewriting (Ehrig, Pfender, Schneider 1973), with the net's interface
        as a second glue.
    """

    rule: Rule
    host: Net
    wires: Mapping[str, str]
    operations: Mapping[str, str]

    def violations(self) -> tuple[Fault, ...]:
        """Breaches of being an injective morphism (M), of the dangling condition (G1) and of the interface (G3)."""
        faults = self._morphism()
        return faults or self._dangling() + self._interface()

    def _morphism(self) -> tuple[Fault, ...]:
        left, host = self.rule.left, self.host.graph
        if set(self.wires) != set(left.wires) or set(self.operations) != set(left.operations):
            return (Fault("M", "the match does not say where every item of L goes"),)
        if len(set(self.wires.values())) < len(self.wires) or len(set(self.operations.values())) < len(self.operations):
            return (Fault("M", "two items of L go to one item of the net"),)
        wrong = [wire for wire, image in self.wires.items() if host.wires.get(image) != left.wires[wire]]
        for name, image in self.operations.items():
            pattern, found = left.operations[name], host.operations.get(image)
            if found is None or not (
                found.label == pattern.label
                and found.sources == tuple(self.wires[wire] for wire in pattern.sources)
                and found.targets == tuple(self.wires[wire] for wire in pattern.targets)
            ):
                wrong.append(name)
        return (Fault("M", "the match does not preserve sorts, labels or ports", tuple(wrong)),) if wrong else ()

    def _dangling(self) -> tuple[Fault, ...]:
        host, gone = self.host.graph, {self.operations[name] for name in self.rule.deleted.operations}
        left_over = tuple(
            name
            for wire in self.rule.deleted.wires
            for name in host.producers[self.wires[wire]] + host.consumers[self.wires[wire]]
            if name not in gone
        )
        return (
            (Fault("G1", "an operation outside the match uses a wire that would go", left_over),) if left_over else ()
        )

    def _interface(self) -> tuple[Fault, ...]:
        held = tuple(self.wires[wire] for wire in self.rule.deleted.wires if self.wires[wire] in self.host.interface)
        return (Fault("G3", "a wire of an interface would go", held),) if held else ()
