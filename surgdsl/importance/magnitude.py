"""Magnitude: Σ |w| over all slices that an index takes along.

The oldest criterion; needs no data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surgdsl.axis.dim import Axis, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.importance.criterion import Criterion, Scores, coupled, summed
from surgdsl.operations.coupling import Coupling


def magnitude(state: State, coupling: Coupling, axes: Sequence[Axis], rows: Rows | None) -> Mapping[Axis, Scores]:
    """score_i = Σ over coupled parameters and elements of slice i of |w|."""
    del rows
    found: dict[Axis, Scores] = {}
    for axis in axes:
        total = np.zeros(whole(axis))
        for name, dimension, place in coupled(state, coupling, axis):
            total += summed(np.abs(decode(state.weights[name])), dimension, place, whole(axis))
        found[axis] = total
    return found


MAGNITUDE = Criterion("magnitude", needs_rows=False, score=magnitude)
