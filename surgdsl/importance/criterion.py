"""Criteria: functions from a net (and rows) to a score for each index of each axis, summed over all coupled to it.

An index of an axis is a slice of several tensors; judging it by one of them alone would miss what goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.dim import Axis, positions
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.operations.coupling import Coupling

Scores = NDArray[np.float64]
"""One score for each index of an axis; larger is worth more."""


@frozen
class Criterion:
    """A criterion: its name in the language, whether it needs rows, and how it scores axes."""

    name: str
    needs_rows: bool
    score: Callable[[State, Coupling, Sequence[Axis], Rows | None], Mapping[Axis, Scores]]


def coupled(state: State, coupling: Coupling, axis: Axis) -> Iterator[tuple[str, int, Array]]:
    """The parameters in which `axis` occurs: operation, dimension, and the index of each position there (−1: none)."""
    for member in coupling.members[axis]:
        operation = state.net.graph.operations[member.operation]
        if operation.payload and operation.payload.role == "parameter":
            yield (
                member.operation,
                member.dimension,
                positions(coupling.dims[operation.targets[0]][member.dimension], axis),
            )


def summed(values: NDArray[Any], dimension: int, place: Array, size: int) -> Scores:
    """`values` summed over all dimensions but one, and along that by the index that each position belongs to.

    >>> summed(np.ones((2, 4)), 1, np.array([0, 0, 1, -1]), 2).tolist()
    [4.0, 2.0]
    """
    along = values.astype(np.float64).sum(axis=tuple(i for i in range(values.ndim) if i != dimension))
    inside = place >= 0
    return np.bincount(place[inside], weights=along[inside], minlength=size).astype(np.float64)


def naturals(scores: Scores) -> tuple[int, ...]:
    """Scores as naturals in parts per billion of the largest, so that a ranking can be checked without floats.

    >>> naturals(np.array([0.5, 1.0, 0.0]))
    (500000000, 1000000000, 0)
    """
    shifted = scores - min(0.0, float(scores.min(initial=0.0)))
    largest = float(shifted.max(initial=0.0))
    return tuple(int(value) for value in np.rint(shifted / largest * 1e9)) if largest > 0 else (0,) * len(scores)
