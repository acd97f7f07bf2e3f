"""Schedules: how long and how fast to train, from the size of the change that is to be healed.

With δ = ‖θ − θ_c‖ / ‖θ‖ over the parameters that a step changed: epochs = ⌈α·δ·base⌉ and rate = base·(1 − min(δ,
0.9)). A larger change takes longer, and at a smaller rate, since less of the old optimum is left to trust.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from attrs import frozen

from surgdsl.bridge.encoding import decode
from surgdsl.bridge.running import Schedule
from surgdsl.bridge.weight import State
from surgdsl.language.program import Recover

ALPHA, EPOCHS, RATE, BATCH = 2, 6, Fraction(1, 250), 64


@frozen
class Change:
    """‖θ − θ_c‖² and ‖θ‖², summed over the weights that rewrites changed."""

    moved: float = 0.0
    total: float = 0.0

    @property
    def relative(self) -> Fraction:
        """δ, rounded to six decimals so that it can be stated exactly."""
        return Fraction(round(math.sqrt(self.moved / self.total) * 10**6), 10**6) if self.total else Fraction(0)


def change(before: State, after: State) -> Change:
    """The change that rewrites made to parameters, weight by weight under their names.

    A cut weight has lost the norm of what was cut; a masked or quantized one differs where it decodes differently.
    """
    old, new = _parameters(before), _parameters(after)
    moved = total = 0.0
    for base, values in old.items():
        norm = float(values @ values)
        total += norm
        found = new.get(base)
        if found is not None and found.size == values.size:
            moved += float(np.square(values - found).sum())
        else:
            moved += max(0.0, norm - (float(found @ found) if found is not None else 0.0))
    return Change(moved, total)


def _parameters(state: State) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return {
        operation.payload.base: decode(state.weights[name]).astype(np.float64).ravel()
        for name, operation in state.net.params().items()
        if operation.payload and operation.payload.role == "parameter"
    }


def schedule(delta: Fraction, asked: Recover, rows: int, seed: int) -> tuple[Schedule, Fraction]:
    """The schedule that the file asks for, with what it leaves open derived from δ; and the rate exactly.

    >>> schedule(Fraction(1, 2), Recover("train"), 4000, 7)
    (Schedule(epochs=6, rate=0.002, batch=64, seed=7), Fraction(1, 500))
    """
    batch = asked.batch or BATCH
    rate = asked.rate if asked.rate is not None else RATE * (1 - min(delta, Fraction(9, 10)))
    epochs = math.ceil(asked.epochs) if asked.epochs is not None else math.ceil(ALPHA * delta * EPOCHS)
    if asked.steps is not None:
        epochs = max(1, math.ceil(asked.steps * batch / rows))
    return Schedule(max(1, epochs), float(rate), batch, seed), rate
