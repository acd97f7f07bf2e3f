"""Pushouts: the complement of a match and the step that it makes possible.

For injective legs a commuting square of hypergraphs is a pushout exactly when the corners cover the whole and meet in
the glue (L ∪ D = G, L ∩ D = K), so both squares are computed by set difference and disjoint union.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from surgdsl.diagram.fault import Fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net


class NoPushout(Exception):
    """A step that cannot be: the faults say why."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@frozen(slots=False)
class Step:
    """A direct derivation G ⇒ H: the match, the context D between G and H, and where R lies in H."""

    match: Match
    context: Hypergraph
    result: Net
    comatch_wires: Mapping[str, str]
    comatch_operations: Mapping[str, str]


def complement(match: Match) -> Hypergraph:
    """D = G ∖ m(L∖K), with D → G an inclusion.

    Raises:
        NoPushout: the gluing condition fails.
    """
    faults = match.violations()
    if faults:
        raise NoPushout(faults)
    wires = {match.wires[wire] for wire in match.rule.deleted.wires}
    operations = {match.operations[name] for name in match.rule.deleted.operations}
    graph = match.host.graph
    return Hypergraph(
        {wire: sort for wire, sort in graph.wires.items() if wire not in wires},
        {name: operation for name, operation in graph.operations.items() if name not in operations},
    )


def apply(match: Match, stem: str) -> Step:
    """The step of `match`: H = D ∪ n(R∖K), new items named ``stem.k`` in the order of R, wires first.

    Raises:
        NoPushout: the rule is not a linear span, the gluing condition fails, or the result is not a net.
    """
    rule = match.rule
    faults = rule.faults()
    if faults:
        raise NoPushout(faults)
    context = complement(match)
    created = rule.created
    wires = {wire: match.wires[wire] for wire in rule.glue.wires}
    wires |= {wire: f"{stem}.{number}" for number, wire in enumerate(created.wires)}
    operations = {name: match.operations[name] for name in rule.glue.operations}
    operations |= {name: f"{stem}.{number}" for number, name in enumerate(created.operations, len(created.wires))}
    placed = {
        operations[name]: evolve(
            operation,
            sources=tuple(wires[wire] for wire in operation.sources),
            targets=tuple(wires[wire] for wire in operation.targets),
        )
        for name, operation in created.operations.items()
    }
    sorts = {wires[wire]: sort for wire, sort in created.wires.items()}
    result = evolve(match.host, graph=Hypergraph({**context.wires, **sorts}, {**context.operations, **placed}))
    faults = result.faults()
    if faults:
        raise NoPushout(faults)
    return Step(match, context, result, wires, operations)
