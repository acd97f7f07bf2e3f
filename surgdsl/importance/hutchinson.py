"""Hutchinson: the diagonal and the traces of a Hessian from products with random signs, each with its standard error.

E[z ⊙ Hz] is the diagonal for independent signs z (Hutchinson 1990; Bekas, Kokiopoulou, Saad 2007). The variance of one
probe in place i is Σ over j ≠ i of H_ij²; the errors that are stated are estimated from the probes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.arguments import to_tensor
from surgdsl.bridge.slopes import slopes
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State

Floats = NDArray[np.float64]


@frozen
class Trace:
    """The trace of the block of one tensor, and the standard error of the estimate."""

    value: float
    error: float


@frozen(eq=False)
class Estimate:
    """Second derivatives of the mean loss, by the name of the weight, from so many `probes`."""

    weights: Mapping[str, Floats]
    diagonal: Mapping[str, Floats]
    error: Mapping[str, Floats]
    """The standard error of each element of the diagonal; not a number after a single probe."""
    traces: Mapping[str, Trace]
    probes: int


def estimate(state: State, rows: Rows, probes: int, seed: int = 0) -> Estimate:
    """Second derivatives of the mean loss over all rows, in one pass over the data for each probe.

    Args:
        state: the net and its weights.
        rows: over which the loss is taken.
        probes: how many random directions; the standard error falls with their root.
        seed: of the signs, which are drawn for the weights in the order of their names.
    """
    here, generator = slopes(state, rows), np.random.Generator(np.random.PCG64(seed))
    weights = {name: one.detach().double().cpu().numpy() for name, one in sorted(here.weights.items())}
    mean = {name: np.zeros(one.shape) for name, one in weights.items()}
    spread = {name: np.zeros(one.shape) for name, one in weights.items()}
    traces: dict[str, list[float]] = {name: [] for name in weights}
    for count in range(1, probes + 1):
        signs = {name: generator.integers(0, 2, one.shape) * 2.0 - 1.0 for name, one in weights.items()}
        curved = here.curved({name: to_tensor(one, "F64") for name, one in signs.items()})
        for name, sign in signs.items():
            drawn = sign * curved[name].cpu().numpy()
            apart = drawn - mean[name]
            mean[name] += apart / count
            spread[name] += apart * (drawn - mean[name])  # Welford
            traces[name].append(float(drawn.sum()))
    freedom = probes * (probes - 1)
    error = {name: np.sqrt(one / freedom) if freedom else np.full(one.shape, np.nan) for name, one in spread.items()}
    return Estimate(weights, mean, error, {name: _trace(one) for name, one in traces.items()}, probes)


def _trace(drawn: list[float]) -> Trace:
    error = float(np.std(drawn, ddof=1) / len(drawn) ** 0.5) if len(drawn) > 1 else float("nan")
    return Trace(float(np.mean(drawn)), error)
