"""Matches: injective morphisms from a rule's left side into a net, with every reason why one cannot be rewritten.

A match is a value; whether the pushout complement exists is decided by its violations, which are all reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from attrs import frozen

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.gluing import gluing_violations
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.morphism import HypergraphMorphism
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

    @property
    def morphism(self) -> HypergraphMorphism:
        """m as a morphism of hypergraphs."""
        return HypergraphMorphism(self.rule.left, self.host.graph, self.wires, self.operations)

    @cached_property
    def deletes(self) -> frozenset[Item]:
        """m(L∖K): what the step takes out of the net."""
        gone = self.rule.deleted
        return items((self.wires[wire] for wire in gone.wires), (self.operations[name] for name in gone.operations))

    @cached_property
    def reads(self) -> frozenset[Item]:
        """m(K): what the step needs and leaves."""
        glue = self.rule.glue
        return items((self.wires[wire] for wire in glue.wires), (self.operations[name] for name in glue.operations))

    def violations(self) -> tuple[Fault, ...]:
        """Breaches of being an injective morphism (M), of the gluing condition (G1, G2) and of the interface (G3).

        The items of M and G2 are those of L, the items of G1 and G3 those of the net.
        """
        morphism = self.morphism
        faults = morphism.faults()
        if faults:
            return faults
        shared = fault("M", "items of L go to one item of the net", morphism.merged())
        return shared + gluing_violations(self.rule.glue, morphism) + self._interface()

    def _interface(self) -> tuple[Fault, ...]:
        images = (self.wires[wire] for wire in self.rule.deleted.wires)
        return fault("G3", "a wire of an interface would go", [wire for wire in images if wire in self.host.interface])
