"""Pushouts: the complement of a match and the step that it makes possible.

For injective legs a commuting square of hypergraphs is a pushout exactly when the corners cover the whole and meet in
the glue (L ∪ D = G, L ∩ D = K), so both squares are computed by set difference and disjoint union, in time that
depends on the rule and on the operations next to it, not on the net.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from attrs import evolve, frozen

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.persistent import changed
from surgdsl.diagram.ranking import ranked


class NoPushout(Exception):
    """A step that cannot be: the faults say why."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@frozen(slots=False)
class Step:
    """A direct derivation G ⇒ H: the match, the context D between G and H, and where R lies in H.

    D is a part of both G and H under the same names, so it also says what becomes of each item of G.
    """

    match: Match
    context: Hypergraph
    result: Net
    comatch_wires: Mapping[str, str]
    comatch_operations: Mapping[str, str]

    @cached_property
    def creates(self) -> frozenset[Item]:
        """n(R∖K): the items of H that are not in G."""
        new = self.match.rule.created
        return items(
            (self.comatch_wires[wire] for wire in new.wires), (self.comatch_operations[name] for name in new.operations)
        )

    def inverse(self) -> Step:
        """The step H ⇒ G that takes this one back, to the very names."""
        back = Match(self.match.rule.inverse(), self.result, self.comatch_wires, self.comatch_operations)
        return Step(back, self.context, self.match.host, self.match.wires, self.match.operations)


def complement(match: Match) -> Hypergraph:
    """D = G ∖ m(L∖K), with D → G an inclusion.

    Raises:
        NoPushout: the gluing condition fails.
    """
    faults = match.violations()
    if faults:
        raise NoPushout(faults)
    gone = match.rule.deleted
    return match.host.graph.without(
        [match.wires[wire] for wire in gone.wires], [match.operations[name] for name in gone.operations]
    )


def apply(match: Match, stem: str) -> Step:
    """The step of `match`: H = D ∪ n(R∖K), new items named ``stem.k`` in the order of R, wires first.

    Raises:
        NoPushout: the rule is not a linear span, the gluing condition fails, or the result is not a net.
    """
    created = match.rule.created
    return rewrite(
        match,
        {wire: f"{stem}.{number}" for number, wire in enumerate(created.wires)},
        {name: f"{stem}.{number}" for number, name in enumerate(created.operations, len(created.wires))},
    )


def rewrite(match: Match, wires: Mapping[str, str], operations: Mapping[str, str]) -> Step:
    """The step of `match`, with names for the new items: for the wires and the operations of R∖K.

    Raises:
        NoPushout: the rule is not a linear span, the gluing condition fails, a name is taken, or the result is not a
            net.
    """
    faults = match.rule.faults()
    if faults:
        raise NoPushout(faults)
    context = complement(match)
    step = _glued(match, context, wires, operations)
    faults = _taken(context, wires, operations) or _cycles(step, context) + _dead(step)
    if faults:
        raise NoPushout(faults)
    return step


def _taken(context: Hypergraph, wires: Mapping[str, str], operations: Mapping[str, str]) -> tuple[Fault, ...]:
    sides = ((wires, context.wires), (operations, context.operations))
    taken = [
        name for names, old in sides for name, count in Counter(names.values()).items() if count > 1 or name in old
    ]
    return fault("P2", "a new item would have the name of another one", taken)


def _glued(match: Match, context: Hypergraph, wires: Mapping[str, str], operations: Mapping[str, str]) -> Step:
    """The second square."""
    rule = match.rule
    on_wires = {wire: match.wires[wire] for wire in rule.glue.wires} | dict(wires)
    on_operations = {name: match.operations[name] for name in rule.glue.operations} | dict(operations)
    placed = {on_operations[name]: _placed(one, on_wires) for name, one in rule.created.operations.items()}
    sorts = {on_wires[wire]: sort for wire, sort in rule.created.wires.items()}
    result = evolve(match.host, graph=context.extended(sorts, placed))
    return Step(match, context, result, on_wires, on_operations)


def _placed(operation: Operation, wires: Mapping[str, str]) -> Operation:
    return evolve(
        operation,
        sources=tuple(wires[wire] for wire in operation.sources),
        targets=tuple(wires[wire] for wire in operation.targets),
    )


def _cycles(step: Step, context: Hypergraph) -> tuple[Fault, ...]:
    """N3 of the result: by the ranks around the new operations, and by a search where those do not decide."""
    rule, graph = step.match.rule, step.result.graph
    order = [step.comatch_operations[name] for name in rule.right.ranks if name in rule.created.operations]
    ranks = ranked(graph, context.ranks, order)
    if ranks is None:
        return step.result.cycles()
    graph.knowing(ranks=changed(context.ranks, (), ranks))
    return ()


def _dead(step: Step) -> tuple[Fault, ...]:
    """N4 of the result: new operations, and old ones that lost a reader."""
    match, graph = step.match, step.context
    kept = match.rule.glue.wires
    lost = (wire for one in match.rule.deleted.operations.values() for wire in one.sources if wire in kept)
    old = (name for wire in lost for name in graph.producers[match.wires[wire]])
    new = (step.comatch_operations[name] for name in match.rule.created.operations)
    return step.result.dead(dict.fromkeys((*old, *new)))
