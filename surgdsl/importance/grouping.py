"""Grouping: what the scores of everything that goes with an index come to together, by a declared reduction.

A channel is rows of one weight and columns of others; what it is worth is decided over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from surgdsl.importance.ranking import Scores

Parts = Sequence[Scores]
"""For each weight that goes along, float64[indices, scores of each], in the order of the net."""


def _sum(parts: Parts) -> Scores:
    total = np.zeros(len(parts[0]))
    for part in parts:
        total += part.sum(axis=1)
    return total


REDUCTIONS: Mapping[str, Callable[[Parts], Scores]] = {
    "sum": _sum,
    "mean": lambda parts: _sum(parts) / sum(part.shape[1] for part in parts),
    "max": lambda parts: np.max([part.max(axis=1) for part in parts], axis=0),
    "norm": lambda parts: np.sqrt(_sum([part**2 for part in parts])),
    "abs": lambda parts: np.abs(_sum(parts)),
    "first": lambda parts: _sum(parts[:1]),
}
"""The total, the mean, the largest, the root of the sum of squares, the magnitude of the total, and the total of the
first weight alone, which is that of the layer that writes the axis."""


def grouped(reduction: str, parts: Parts) -> Scores:
    """One score for each index.

    >>> parts = [np.array([[1.0, -3.0], [2.0, 0.0]]), np.array([[-1.0], [5.0]])]
    >>> [grouped(name, parts).tolist() for name in ("sum", "abs", "max", "first")]
    [[-3.0, 7.0], [3.0, 7.0], [1.0, 5.0], [-2.0, 2.0]]
    """
    return REDUCTIONS[reduction](parts)
