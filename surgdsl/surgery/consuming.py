"""Consuming: the layers that read an axis, and which columns of their weights belong to each of its indices.

Where an index goes, these columns go, and the others of the layer can make up for them. Linear layers and convolutions
without groups have such columns; a convolution has as many for an index as its kernel has positions, and a linear layer
behind a flattening as many as there were positions before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.dim import Axis, positions, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.curvature.gram import Moments
from surgdsl.curvature.layer import Layer, layers
from surgdsl.curvature.solution import Values
from surgdsl.curvature.structured import structured
from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Dense, innermost
from surgdsl.operations.coupling import Coupling
from surgdsl.surgery.solving import curved

FLOATS = ("F64", "F32", "F16")


@frozen(eq=False)
class Consumer:
    """A weight that reads an axis along its columns."""

    base: str
    weight: str
    """The operation that produces it."""
    readers: tuple[Layer, ...]
    bias: str | None
    """The operation that produces the bias of its layer, where nothing else reads that."""
    places: NDArray[np.intp]
    """For each column the index of the axis that it belongs to, or −1; intp[d]."""

    def moment(self, seen: Moments) -> Values:
        """The Gram matrix for its columns; means count only where no bias makes up for them."""
        return (seen.moment if self.bias is None else seen.centred)[0]


def consumers(state: State, coupling: Coupling, axis: Axis) -> tuple[Consumer, ...]:
    """The weights whose columns belong to an axis and that can be solved for, in the order of the net."""
    found: list[Consumer] = []
    for member in coupling.members[axis]:
        weight = state.weights[member.operation]
        readers = layers(state.net, member.operation)
        plain = isinstance(innermost(weight.encoding), Dense) and weight.dtype in FLOATS
        if member.dimension != 1 or readers is None or not plain or any(one.groups > 1 for one in readers):
            continue
        (wire,) = state.net.graph.operations[member.operation].targets
        along = positions(coupling.dims[wire][1], axis)
        kernel = readers[0].inputs // len(along)
        places = np.repeat(along, kernel).astype(np.intp)
        found.append(Consumer(member.tensor, member.operation, readers, _bias(state, readers), places))
    return tuple(found)


def _bias(state: State, readers: Sequence[Layer]) -> str | None:
    """The bias that only this layer reads, if it has one that can be moved."""
    bias = readers[0].bias if len(readers) == 1 else None
    if bias is None:
        return None
    weight = state.weights[bias]
    alone = len(_reading(state.net, bias)) == 1
    return bias if alone and weight.encoding == Dense() and weight.dtype in FLOATS else None


def _reading(net: Net, param: str) -> tuple[str, ...]:
    return tuple(name for wire in net.graph.operations[param].targets for name in net.graph.consumers[wire])


def order(
    state: State, rows: Rows, coupling: Coupling, axes: Sequence[Axis], damping: float
) -> Mapping[Axis, NDArray[np.float64]]:
    """For each index of an axis, how many others structured OBS lets go before it (Kurtic et al. 2023, ZipLM).

    Where several layers read an axis, what its indices cost in all of them is added up. An axis that no layer reads so
    that it could be solved for is left out.
    """
    read = {axis: consumers(state, coupling, axis) for axis in axes}
    every = {one.base: one.readers for found in read.values() for one in found}
    seen = curved(state, rows, every) if every else dict[str, Moments]()
    return {axis: _order(state, axis, found, seen, damping) for axis, found in read.items() if _even(axis, found)}


def _even(axis: Axis, found: Sequence[Consumer]) -> bool:
    """Whether there are consumers, and every index has as many columns in each."""
    counts = [np.bincount(one.places[one.places >= 0], minlength=whole(axis)) for one in found]
    return bool(counts) and all(len(set(one.tolist())) == 1 for one in counts)


def _order(
    state: State, axis: Axis, found: Sequence[Consumer], seen: Mapping[str, Moments], damping: float
) -> NDArray[np.float64]:
    weights = [seen[one.base].layer.matrices(decode(state.weights[one.weight]))[0] for one in found]
    moments = [one.moment(seen[one.base]) for one in found]
    starts = np.cumsum([0, *(len(one.places) for one in found)])
    groups = [np.argsort(one.places, kind="stable")[np.count_nonzero(one.places < 0) :] for one in found]
    columns = [one.reshape(whole(axis), -1) + start for one, start in zip(groups, starts, strict=False)]
    solved = structured(
        _diagonal(weights), _diagonal(moments), np.concatenate(columns, axis=1), whole(axis) - 1, damping
    )
    last = np.setdiff1d(np.arange(whole(axis)), solved.removed)
    rank = np.empty(whole(axis))
    rank[[*solved.removed, *last]] = np.arange(whole(axis))
    return rank


def _diagonal(blocks: Sequence[Values]) -> Values:
    """The matrix with these blocks on its diagonal, and zeros elsewhere."""
    rows, columns = (sum(one.shape[side] for one in blocks) for side in (0, 1))
    made = np.zeros((rows, columns))
    at = [0, 0]
    for one in blocks:
        made[at[0] : at[0] + one.shape[0], at[1] : at[1] + one.shape[1]] = one
        at = [at[0] + one.shape[0], at[1] + one.shape[1]]
    return made
