"""Convexity: whether a path leaves a match and comes back, and the match with all such paths taken in.

A step at a weakly convex match closes no cycle, whatever acyclic R it puts there. Other matches may be taken too, and
their results are then searched; taking the operations between into K makes them convex and changes no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from attrs import evolve

from surgdsl.diagram.hypergraph import Incidence
from surgdsl.diagram.match import Match
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import placed


def between(match: Match) -> tuple[str, ...]:
    """Operations outside of a match on paths from a wire that L writes to a wire that L only reads.

    Paths from one wire that L only reads to another do no harm and are not meant.
    """
    graph, left = match.host.graph, match.rule.left
    inside = frozenset(match.operations.values())
    written = [match.wires[wire] for wire in left.wires if left.producers[wire]]
    read = [match.wires[wire] for wire in left.wires if not left.producers[wire]]
    after = _reached(written, graph.consumers, lambda name: graph.operations[name].targets, inside)
    before = _reached(read, graph.producers, lambda name: graph.operations[name].sources, inside)
    return tuple(name for name in graph.operations if name in after and name in before)


def is_weakly_convex(match: Match) -> bool:
    """Whether no path leaves what L writes and enters what it only reads."""
    return not between(match)


def closure(match: Match) -> Match:
    """The match with the operations between taken into L, K and R: convex, with the same step.

    `match` has no violations. What is taken in keeps its name, primed where the rule uses that already.
    """
    host, rule = match.host.graph, match.rule
    names = between(match)
    within = {image: wire for wire, image in match.wires.items()}
    ports = dict.fromkeys(wire for name in names for wire in _ports(host.operations[name]) if wire not in within)
    wires = _fresh(ports, {*rule.left.wires, *rule.right.wires})
    operations = _fresh(names, {*rule.left.operations, *rule.right.operations})
    sorts = {wires[wire]: host.wires[wire] for wire in ports}
    kept = {operations[name]: placed(host.operations[name], {**within, **wires}) for name in names}
    left, glue, right = (side.extended(sorts, kept) for side in (rule.left, rule.glue, rule.right))
    return evolve(
        match,
        rule=evolve(rule, left=left, glue=glue, right=right),
        wires={**match.wires, **{wire: image for image, wire in wires.items()}},
        operations={**match.operations, **{name: image for image, name in operations.items()}},
    )


def _ports(operation: Operation) -> tuple[str, ...]:
    return operation.sources + operation.targets


def _fresh(names: Iterable[str], taken: AbstractSet[str]) -> dict[str, str]:
    """A name for each, itself if possible, that is not taken."""
    found, used = dict[str, str](), set(taken)
    for name in names:
        free = name
        while free in used:
            free += "'"
        used.add(free)
        found[name] = free
    return found


def _reached(
    wires: Iterable[str],
    next_to: Incidence,
    onward: Callable[[str], tuple[str, ...]],
    inside: AbstractSet[str],
) -> AbstractSet[str]:
    """The operations outside that are met by walking on from some wires."""
    seen, waiting = set[str](), list(wires)
    while waiting:
        new = [name for name in next_to[waiting.pop()] if name not in inside and name not in seen]
        seen.update(new)
        waiting += [wire for name in new for wire in onward(name)]
    return seen
