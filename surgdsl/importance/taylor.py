"""Taylor: how much the loss would change, to first order, if an index were gone.

For each batch and each coupled parameter the change is (Σ over the slice of w · ∂loss/∂w)²; batches and parameters are
summed. Source: Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019, with the sum inside the
square taken over a slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surgdsl.axis.dim import Axis, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.running import gradients
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.importance.criterion import Criterion, Scores, coupled, summed
from surgdsl.operations.coupling import Coupling


def taylor(state: State, coupling: Coupling, axes: Sequence[Axis], rows: Rows | None) -> Mapping[Axis, Scores]:
    """score_i = Σ over batches and coupled parameters of (Σ over slice i of w·g)². One pass over the rows."""
    assert rows is not None
    found = {axis: np.zeros(whole(axis)) for axis in axes}
    places = {axis: tuple(coupled(state, coupling, axis)) for axis in axes}
    values = {name: decode(state.weights[name]).astype(np.float64) for group in places.values() for name, _, _ in group}
    bases = {name: payload.base for name in values if (payload := state.net.graph.operations[name].payload)}
    for batch in gradients(state, rows):
        products = {name: value * batch[bases[name]] for name, value in values.items() if bases[name] in batch}
        for axis, group in places.items():
            for name, dimension, place in group:
                if name in products:
                    found[axis] += summed(products[name], dimension, place, whole(axis)) ** 2
    return found


TAYLOR = Criterion("taylor", needs_rows=True, score=taylor)
