"""Composite steps: a whole derivation as one step, whose rule deletes and makes what the steps together do.

What a step makes and a later one deletes does not show. Metrics change by the sum, so a step that gains nothing can
ride in one that does (the concurrency theorem).
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item
from surgdsl.diagram.match import Match
from surgdsl.diagram.pushout import Naming, Step, rewrite
from surgdsl.diagram.rule import Rule


def composite(derivation: Derivation) -> Step:
    """The step from the start to the result of a derivation, read off: L, K and R lie in the nets by their own names.

    L is what of the start any step touches, K what of it none deletes, and R adds what is made and left.

    Source: E-concurrent rules (Ehrig et al. 2006, 3.4), with the joint match given by the derivation.
    """
    before = derivation.start.graph
    effects = [step.effects for step in derivation.steps]
    gone = {item for effect in effects for item in effect.deletes}
    made = {item for effect in effects for item in effect.creates}
    touched = gone.union(*(effect.reads for effect in effects))
    left, glue, right = (
        _part(before, touched),
        _part(before, touched - gone),
        _part(derivation.result.graph, touched - gone | made),
    )
    rule = Rule("; ".join(step.match.rule.name for step in derivation.steps), left, glue, right)
    match = Match(rule, derivation.start, _same(left.wires), _same(left.operations))
    return rewrite(match, Naming(_same(rule.created.wires), _same(rule.created.operations)))


def _part(graph: Hypergraph, chosen: AbstractSet[Item]) -> Hypergraph:
    """What of some items a graph has."""
    names = sorted(chosen)
    return Hypergraph(
        {one.name: graph.wires[one.name] for one in names if one.kind == "wire" and one.name in graph.wires},
        {
            one.name: graph.operations[one.name]
            for one in names
            if one.kind == "operation" and one.name in graph.operations
        },
    )


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}
