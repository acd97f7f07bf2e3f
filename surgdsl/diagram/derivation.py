"""Derivations: sequences of steps, with the causal order between them and what becomes of each item.

Items keep their names from the step that makes them to the step that deletes them. So a step is the same maps on every
net that it can be taken on, and any order that keeps to the causes is carried out by taking the steps again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from attrs import evolve, frozen

from surgdsl.diagram.causality import Causes, causality, layers
from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.net import Net
from surgdsl.diagram.pushout import Step, replayed


@frozen(slots=False)
class Derivation:
    """G₀ ⇒ G₁ ⇒ … ⇒ Gₙ."""

    start: Net
    steps: tuple[Step, ...] = ()

    @property
    def result(self) -> Net:
        """Gₙ."""
        return self.steps[-1].result if self.steps else self.start

    def faults(self) -> tuple[Fault, ...]:
        """Steps that do not begin with the result of the one before (D)."""
        nets = (self.start, *(step.result for step in self.steps))
        torn = [str(number) for number, step in enumerate(self.steps) if step.match.host != nets[number]]
        return fault("D", "these steps do not begin where the one before ends", torn)

    @cached_property
    def causes(self) -> Causes:
        """For each step the earlier ones that it must come after."""
        return causality(step.effects for step in self.steps)

    def layers(self) -> tuple[tuple[int, ...], ...]:
        """Foata's normal form: the steps of a layer are pairwise independent."""
        return layers(self.causes)

    def track(self) -> Mapping[Item, Item]:
        """What of G₀ is left in Gₙ, and as what: a partial map, since deleted items have no image.

        An item that was deleted and one made later under its name are two items.
        """
        gone = {item for step in self.steps for item in step.match.deletes}
        graph = self.start.graph
        return {item: item for item in sorted(items(graph.wires, graph.operations) - gone)}

    def then(self, step: Step) -> Derivation:
        """One step more."""
        return evolve(self, steps=(*self.steps, step))

    def inverse(self) -> Derivation:
        """The derivation read backwards, from Gₙ to G₀."""
        return Derivation(self.result, tuple(step.inverse() for step in reversed(self.steps)))

    def reordered(self, order: Sequence[int]) -> Derivation:
        """The same steps in another order.

        Raises:
            NoPushout: the order breaks with the causes, so some step does not find its match.
        """
        taken, net = list[Step](), self.start
        for number in order:
            taken.append(replayed(self.steps[number], net))
            net = taken[-1].result
        return Derivation(self.start, tuple(taken))

    def switched(self, first: int) -> Derivation:
        """The same steps, `first` and the one after it exchanged (Church–Rosser).

        Raises:
            NoPushout: the second one needs the first.
        """
        order = list(range(len(self.steps)))
        order[first : first + 2] = [first + 1, first]
        return self.reordered(order)
