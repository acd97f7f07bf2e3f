"""Causal order: which steps of a sequence must come before which, and the orders and layers that it leaves open.

A step needs what made the items that it touches (produce–use), and comes after whoever still read what it deletes
(read–delete). Every order that keeps to this reaches the same net.

>>> a, b, c = (Item("wire", name) for name in "abc")
>>> steps = [Effects({a}, set(), {b}), Effects(set(), {c}, set()), Effects({b, c}, set(), set())]
>>> causes = causality(steps)
>>> layers(causes), list(linear_extensions(causes)), linear_extension(causes, key=lambda step: -step)
(((0, 1), (2,)), [(0, 1, 2), (1, 0, 2)], (1, 0, 2))
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from attrs import field, frozen

from surgdsl.diagram.item import Item

Causes = tuple[frozenset[int], ...]
"""For each step the steps that it must come after; what these come after need not be repeated."""


@frozen
class Effects:
    """What a step does to the items of a net; an item that is deleted is not also read."""

    deletes: AbstractSet[Item]
    reads: AbstractSet[Item]
    creates: AbstractSet[Item]


@frozen(eq=False)
class _Past:
    """What has happened to the items so far, by the numbers of the steps."""

    maker: dict[Item, int] = field(factory=dict[Item, int])
    taker: dict[Item, int] = field(factory=dict[Item, int])
    readers: defaultdict[Item, set[int]] = field(factory=lambda: defaultdict[Item, set[int]](set))

    def causes(self, step: Effects) -> Iterator[int]:
        """Whoever made what the step touches, read what it deletes, or deleted what it makes again."""
        yield from (self.maker[item] for item in (*step.deletes, *step.reads) if item in self.maker)
        yield from (reader for item in step.deletes for reader in self.readers[item])
        yield from (self.taker[item] for item in step.creates if item in self.taker)

    def add(self, number: int, step: Effects) -> None:
        """The step happens."""
        for item in step.reads:
            self.readers[item].add(number)
        for item in step.deletes:
            self.taker[item] = number
        for item in step.creates:
            self.maker[item] = number


def causality(steps: Iterable[Effects]) -> Causes:
    """The causes of each step of a sequence, in time linear in what the steps touch."""
    past, found = _Past(), list[frozenset[int]]()
    for number, step in enumerate(steps):
        found.append(frozenset(past.causes(step)))
        past.add(number, step)
    return tuple(found)


def layers(causes: Causes) -> tuple[tuple[int, ...], ...]:
    """Foata's normal form: each step in the first layer after all its causes, so steps of a layer are independent.

    Steps on or behind a cycle are left out.
    """
    level: dict[int, int] = {}
    found: list[list[int]] = []
    for step in linear_extension(causes):
        level[step] = max((level[cause] + 1 for cause in causes[step]), default=0)
        if level[step] == len(found):
            found.append([])
        found[level[step]].append(step)
    return tuple(tuple(sorted(layer)) for layer in found)


def linear_extension(causes: Causes, key: Callable[[int], Any] = int) -> tuple[int, ...]:
    """The least order that keeps to the causes: of the steps that may come next, always the one with the least key.

    Steps on or behind a cycle are left out.

    Source: Kahn (1962), with a heap.
    """
    waiting, effects = [len(found) for found in causes], _effects(causes)
    ready = [(key(step), step) for step, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        _, step = heapq.heappop(ready)
        order.append(step)
        for later in effects[step]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, (key(later), later))
    return tuple(order)


def _effects(causes: Causes) -> Sequence[list[int]]:
    found: list[list[int]] = [[] for _ in causes]
    for step, before in enumerate(causes):
        for cause in before:
            found[cause].append(step)
    return found


def linear_extensions(causes: Causes) -> Iterator[tuple[int, ...]]:
    """Every order that keeps to the causes, least first; there may be as many as n!, so take what is needed."""
    chosen: list[int] = []
    left = [list(_next(causes, chosen))]
    while left:
        if left[-1]:
            chosen.append(left[-1].pop(0))
            left.append(list(_next(causes, chosen)))
        else:
            if len(chosen) == len(causes):
                yield tuple(chosen)
            left.pop()
            if chosen:
                chosen.pop()


def _next(causes: Causes, chosen: list[int]) -> Iterator[int]:
    done = frozenset(chosen)
    return (step for step, before in enumerate(causes) if step not in done and before <= done)
