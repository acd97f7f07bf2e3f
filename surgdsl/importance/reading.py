"""Reading: which layer a weight belongs to, and what that layer reads, as rows, positions and channels.

Only layers whose second dimension of the weight is the channels of the input have an activation in this sense: linear
maps and convolutions without groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from attrs import frozen

from surgdsl.bridge.weight import Array
from surgdsl.diagram.net import Net
from surgdsl.formula.tensor import Tensor
from surgdsl.language.criterion import BATCH

CHANNELS = {
    "aten.linear.default": -1, "aten.conv1d.default": 1, "aten.conv2d.default": 1, "aten.conv3d.default": 1,
}  # fmt: skip
"""The dimension of the input that holds the channels."""


@frozen
class Read:
    """The wire that a layer reads, and the dimension of its channels."""

    wire: str
    channels: int

    def tensor(self, values: Array, extras: tuple[str, ...], channels: str) -> Tensor:
        """Rows first, then `extras`, then the channels; positions that no extra names are rows.

        >>> one = Read("x", 1).tensor(np.zeros((5, 3, 2, 4)), (), "cin")
        >>> one.axes, one.values.shape
        (('B', 'cin'), (40, 3))
        >>> Read("x", -1).tensor(np.zeros((5, 7, 3)), ("T", "U"), "cin").values.shape
        (5, 7, 1, 3)
        """
        laid = np.moveaxis(values.astype(np.float64), self.channels, -1)
        rows, *between, width = laid.shape
        if not extras:
            return Tensor((BATCH, channels), laid.reshape(-1, width))
        named = between[: len(extras)] + [1] * (len(extras) - len(between))
        named[-1] *= math.prod(between[len(extras) :])
        return Tensor((BATCH, *extras, channels), laid.reshape(rows, *named, width))


def readers(net: Net) -> Mapping[str, Read]:
    """By the wire of a weight, what its layer reads; weights that several layers share have none."""
    found: dict[str, Read | None] = {}
    for operation in net.graph.operations.values():
        if operation.name in CHANNELS and dict(operation.attributes).get("groups", 1) == 1:
            weight = operation.sources[1]
            found[weight] = None if weight in found else Read(operation.sources[0], CHANNELS[operation.name])
    return {wire: read for wire, read in found.items() if read is not None}
