"""Ahead: new encodings of weights, computed side by side on threads before the turn of their rewrite comes.

What a layer does to different weights is independent, and so are the rewrites of one step; fitting codes is where the
time goes. The squares are still formed one after the other in the canonical order, so the bytes are the same as
without threads: a result is only used if the weight is still the one that it was computed from.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager

from attrs import evolve, field, frozen

from surgdsl.bridge.weight import State, Weight
from surgdsl.planning.action import Action
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import Coded, Quantize

Begun = tuple[Weight, "Future[Coded]"]
LEAST = 1 << 20
"""Elements below which a weight waits for its turn: handing it over would cost more than it saves."""


@frozen(eq=False)
class Ahead:
    """What was begun on the threads, by action; nothing where there are none."""

    threads: Executor | None = None
    least: int = LEAST
    begun: dict[int, Begun] = field(factory=dict[int, Begun])

    def begin(self, actions: Iterable[Action], state: State) -> None:
        """Begin what depends on nothing but one weight, for every action whose weight is there."""
        if self.threads is None:
            return
        named = {one.payload.base: name for name, one in state.net.params().items() if one.payload}
        for action in actions:
            if isinstance(action, Mask | Quantize) and action.base in named and _alone(action):
                weight = state.weights[named[action.base]]
                if id(action) not in self.begun and math.prod(weight.shape) >= self.least:
                    self.begun[id(action)] = weight, self.threads.submit(action.coded, weight)

    def done(self, action: Action) -> Action:
        """The action with what was computed for it."""
        if id(action) not in self.begun:
            return action
        assert isinstance(action, Mask | Quantize)
        weight, result = self.begun.pop(id(action))
        return evolve(action, ready=(weight, result.result()))


def _alone(action: Mask | Quantize) -> bool:
    """Whether an action looks at its weight only: a judge may run the model."""
    return isinstance(action, Quantize) or action.judge is None


@contextmanager
def ahead(threads: int, least: int = LEAST) -> Generator[Ahead]:
    """Something to compute weights of `least` elements ahead with; on one thread, everything waits for its turn."""
    if threads < 2:
        yield Ahead()
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield Ahead(pool, least)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
