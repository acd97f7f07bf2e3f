"""Parallel independence: whether two steps on one net may be taken in either order, and the items that forbid it.

What both touch, both must keep: m₁(L₁) ∩ m₂(L₂) ⊆ m₁(K₁) ∩ m₂(K₂). Then each match survives the other step as the same
map and both orders reach one hypergraph (local Church–Rosser). That the result is a net (acyclic, nothing dead) is
asked of the result: each of two steps may take one of the two readers of a wire.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from surgdsl.diagram.item import Item
from surgdsl.diagram.match import Match


@frozen(order=True)
class Conflict:
    """One item that stands between two steps, and what the first and the second do to it."""

    kind: Literal["delete-delete", "delete-use", "use-delete"]
    item: Item

    def __str__(self) -> str:
        return f"{self.kind} of {self.item}"


def conflicts(first: Match, second: Match) -> tuple[Conflict, ...]:
    """Every reason why two matches on one net are not parallel independent; empty if they are.

    Source: Ehrig, Pfender, Schneider (1973); as an intersection of images for injective matches.
    """
    both = [Conflict("delete-delete", item) for item in first.deletes & second.deletes]
    before = [Conflict("delete-use", item) for item in first.deletes & second.reads]
    after = [Conflict("use-delete", item) for item in first.reads & second.deletes]
    return tuple(sorted(both + before + after))


def clashes(matches: Sequence[Match]) -> Mapping[tuple[int, int], tuple[Conflict, ...]]:
    """The conflicts of every pair i < j that has any, found in time linear in the matches and the conflicts."""
    takers: dict[Item, list[int]] = defaultdict(list)
    readers: dict[Item, list[int]] = defaultdict(list)
    for number, match in enumerate(matches):
        for item in match.deletes:
            takers[item].append(number)
        for item in match.reads:
            readers[item].append(number)
    pairs = {
        (min(taker, other), max(taker, other))
        for item, found in takers.items()
        for taker in found
        for other in found + readers.get(item, [])
        if other != taker
    }
    return {(i, j): conflicts(matches[i], matches[j]) for i, j in sorted(pairs)}
