"""Pushouts: the complement of a match and the step that it makes possible.

For injective legs a commuting square of hypergraphs is a pushout exactly when the corners cover the whole and meet in
the glue (L ∪ D = G, L ∩ D = K), so both squares are computed by set difference and disjoint union, in time that
depends on the rule and on the operations next to it, not on the net.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from attrs import evolve, frozen

from surgdsl.diagram.causality import Effects
from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.persistent import changed
from surgdsl.diagram.ranking import ranked
from surgdsl.diagram.rule import Rule


class NoPushout(Exception):
    """A step that cannot be: the faults say why."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@frozen
class Naming:
    """How the new items of a step are called in H: the names of the wires and of the operations of R∖K."""

    wires: Mapping[str, str]
    operations: Mapping[str, str]


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

    @property
    def naming(self) -> Naming:
        """The names of what the step makes."""
        new = self.match.rule.created
        return Naming(
            {wire: self.comatch_wires[wire] for wire in new.wires},
            {name: self.comatch_operations[name] for name in new.operations},
        )

    @cached_property
    def creates(self) -> frozenset[Item]:
        """n(R∖K): the items of H that are not in G."""
        return items(self.naming.wires.values(), self.naming.operations.values())

    @property
    def effects(self) -> Effects:
        """What the step deletes, reads and creates."""
        return Effects(self.match.deletes, self.match.reads, self.creates)

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


def numbered(rule: Rule, stem: str) -> Naming:
    """The names ``stem.k`` in the order of R, wires first."""
    wires, operations = rule.created.wires, rule.created.operations
    return Naming(
        {wire: f"{stem}.{number}" for number, wire in enumerate(wires)},
        {name: f"{stem}.{number}" for number, name in enumerate(operations, len(wires))},
    )


def apply(match: Match, stem: str) -> Step:
    """The step of `match`: H = D ∪ n(R∖K), new items named ``stem.k`` in the order of R, wires first.

    Raises:
        NoPushout: as `rewrite`.
    """
    return rewrite(match, numbered(match.rule, stem))


def rewrite(match: Match, naming: Naming) -> Step:
    """The step of `match`: H = D ∪ n(R∖K), new items named as told.

    Raises:
        NoPushout: the rule is not a linear span, the gluing condition fails, a name is taken, or the result is not a
            net.
    """
    faults = match.rule.faults()
    if faults:
        raise NoPushout(faults)
    context = complement(match)
    faults = taken(context, [naming])
    if faults:
        raise NoPushout(faults)
    step = _glued(match, context, naming)
    faults = _cycles(step) + _dead(step)
    if faults:
        raise NoPushout(faults)
    return step


def replayed(step: Step, host: Net) -> Step:
    """The same step on another net that has the items of its match: the same maps, the same names.

    Raises:
        NoPushout: as `rewrite`.
    """
    return rewrite(evolve(step.match, host=host), step.naming)


def taken(context: Hypergraph, namings: Sequence[Naming]) -> tuple[Fault, ...]:
    """The breach of P2: new items that have the name of an item of the context or of each other."""
    wires = Counter(name for naming in namings for name in naming.wires.values())
    operations = Counter(name for naming in namings for name in naming.operations.values())
    sides = ((wires, context.wires), (operations, context.operations))
    twice = [name for counts, old in sides for name, count in counts.items() if count > 1 or name in old]
    return fault("P2", "a new item would have the name of another one", twice)


def _glued(match: Match, context: Hypergraph, naming: Naming) -> Step:
    """The second square."""
    rule = match.rule
    wires = {wire: match.wires[wire] for wire in rule.glue.wires} | dict(naming.wires)
    operations = {name: match.operations[name] for name in rule.glue.operations} | dict(naming.operations)
    moved = {operations[name]: placed(one, wires) for name, one in rule.created.operations.items()}
    sorts = {wires[wire]: sort for wire, sort in rule.created.wires.items()}
    result = evolve(match.host, graph=context.extended(sorts, moved))
    return Step(match, context, result, wires, operations)


def placed(operation: Operation, wires: Mapping[str, str]) -> Operation:
    """The operation at the images of its wires."""
    return evolve(
        operation,
        sources=tuple(wires[wire] for wire in operation.sources),
        targets=tuple(wires[wire] for wire in operation.targets),
    )


def _cycles(step: Step) -> tuple[Fault, ...]:
    """N3 of the result: by the ranks around the new operations, and by a search where those do not decide."""
    rule, graph = step.match.rule, step.result.graph
    order = [step.comatch_operations[name] for name in rule.right.ranks if name in rule.created.operations]
    ranks = ranked(graph, step.context.ranks, order)
    if ranks is None:
        return step.result.cycles()
    graph.knowing(ranks=changed(step.context.ranks, (), ranks))
    return ()


def _dead(step: Step) -> tuple[Fault, ...]:
    """N4 of the result: new operations, and old ones that lost a reader."""
    match, graph = step.match, step.context
    kept = match.rule.glue.wires
    lost = (wire for one in match.rule.deleted.operations.values() for wire in one.sources if wire in kept)
    old = (name for wire in lost for name in graph.producers[match.wires[wire]])
    new = (step.comatch_operations[name] for name in match.rule.created.operations)
    return step.result.dead(dict.fromkeys((*old, *new)))
