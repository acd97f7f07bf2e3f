"""Ranks for new operations: that a step closes no cycle is seen from the operations around it, not from the whole net.

Ranks rise along wires. A new operation must rank above the writers of what it reads and below the readers of what it
writes; where there is a number between, there is no cycle, and where there is none, a search over the net decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surgdsl.diagram.hypergraph import GAP, Hypergraph


def ranked(graph: Hypergraph, known: Mapping[str, int], created: Sequence[str]) -> Mapping[str, int] | None:
    """Ranks for the operations `created`, given those of all others; None where the others leave no room.

    Args:
        graph: the result of a step.
        known: the ranks of the operations that were there before.
        created: new operations, each after those whose results it reads.
    """
    ceilings, heights = _ceilings(graph, known, created)
    found: dict[str, int] = {}
    for name in created:
        writers = [maker for wire in graph.operations[name].sources for maker in graph.producers[wire]]
        floors = [found[maker] if maker in found else known[maker] for maker in writers]
        height, ceiling = heights[name], ceilings[name]
        floor = max(floors) if floors else (GAP if ceiling is None else ceiling - GAP * height)
        top = floor + GAP * height if ceiling is None else ceiling
        rank = floor + (top - floor) // height
        if rank <= floor:
            return None
        found[name] = rank
    return found


def _ceilings(
    graph: Hypergraph, known: Mapping[str, int], created: Sequence[str]
) -> tuple[dict[str, int | None], dict[str, int]]:
    """What each new operation must stay below, and into how many parts the room up to there is to be cut."""
    ceilings: dict[str, int | None] = {}
    heights: dict[str, int] = {}
    for name in reversed(created):
        readers = {reader for wire in graph.operations[name].targets for reader in graph.consumers[wire]}
        bounds = [ceilings[reader] if reader in ceilings else known[reader] for reader in readers]
        ceilings[name] = min((bound for bound in bounds if bound is not None), default=None)
        heights[name] = 1 + max((heights[reader] for reader in readers if reader in heights), default=1)
    return ceilings, heights
