"""Gram matrices: H = Σ x xᵀ over everything a layer reads, added up batch by batch in float64.

H is all that the loss of a layer needs to know of the data (Hassibi and Stork 1993), and takes d² numbers however many
rows there are. Layers that read one wire are measured in one run, and nothing behind the last of them is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from attrs import define, field, frozen
from scipy.linalg import get_blas_funcs
from torch.nn import functional

from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import BATCH, Seen, watch
from surgdsl.bridge.weight import State
from surgdsl.curvature.layer import Layer
from surgdsl.curvature.solution import Values

(SYRK,) = get_blas_funcs(("syrk",), dtype=np.float64)
CHUNK = 1 << 23
"""How many numbers of patches are laid out at a time."""


@frozen(eq=False)
class Moments:
    """What was summed over everything that readers of a weight read, laid out as their layer is."""

    layer: Layer
    moment: Values
    """Σ x xᵀ, float64[groups, d, d]."""
    total: Values
    """Σ x, float64[groups, d]."""
    count: int
    """Over how many rows and positions."""

    @property
    def mean(self) -> Values:
        """Σ x / count, float64[groups, d]."""
        return self.total / max(1, self.count)

    @property
    def centred(self) -> Values:
        """Σ (x − mean)(x − mean)ᵀ: the Gram matrix for a layer whose bias moves by (W − V)·mean with its weight."""
        return self.moment - self.total[:, :, None] * self.mean[:, None, :]


@define(eq=False)
class Gram:
    """Sums over rows and positions of what a layer reads, for each of its groups."""

    layer: Layer
    count: int = 0
    """Over how many rows and positions."""
    total: Values = field(init=False)
    """Σ x, float64[groups, d]."""
    sums: list[Values] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.total = np.zeros((self.layer.groups, self.layer.inputs))
        square = (self.layer.inputs, self.layer.inputs)
        self.sums = [np.zeros(square, order="F") for _ in range(self.layer.groups)]

    @property
    def moment(self) -> Values:
        """Σ x xᵀ, float64[groups, d, d], symmetric."""
        found = np.stack([one + one.T for one in self.sums])
        places = np.arange(self.layer.inputs)
        found[:, places, places] /= 2
        return found

    def take(self, values: torch.Tensor) -> None:
        """Take in what the layer reads in one batch; on the device where it is."""
        window = self.layer.window
        if not window:
            self._add(values.reshape(1, -1, values.shape[-1]))
            return
        positions = self.layer.inputs * self.layer.groups * int(np.prod(values.shape[2:]))
        size = max(1, CHUNK // max(1, positions))
        for start in range(0, len(values), size):
            self._add(patches(self.layer, values[start : start + size]))

    def _add(self, rows: torch.Tensor) -> None:
        """Add rows[groups, n, d]."""
        exact = rows.to(torch.float64)
        self.count += exact.shape[1]
        self.total += exact.sum(dim=1).cpu().numpy()
        for place, one in enumerate(exact):
            self.sums[place] = _added(self.sums[place], one)


def patches(layer: Layer, values: torch.Tensor) -> torch.Tensor:
    """What a convolution multiplies with its filters: [groups, rows · positions, d], from x[rows, channels, …]."""
    margins = [margin for _, _, pair, _ in reversed(layer.window) for margin in pair]
    padded = functional.pad(values, margins) if any(margins) else values
    for place, (kernel, stride, _, dilation) in enumerate(layer.window):
        padded = padded.unfold(place + 2, dilation * (kernel - 1) + 1, stride)[..., ::dilation]
    rank = len(layer.window)
    apart = padded.unflatten(1, (layer.groups, -1))  # rows, groups, channels, positions…, kernel…
    positions, kernel = range(3, 3 + rank), range(3 + rank, 3 + 2 * rank)
    return apart.permute(1, 0, *positions, 2, *kernel).reshape(layer.groups, -1, layer.inputs)


def _added(held: Values, rows: torch.Tensor) -> Values:
    """`held` + rowsᵀ·rows, of which only the upper triangle is kept."""
    if rows.device.type == "cpu":
        plain = np.ascontiguousarray(rows.numpy())
        return SYRK(1.0, plain.T, beta=1.0, c=held, overwrite_c=1)
    held += np.triu((rows.T @ rows).cpu().numpy())
    return held


def grams(state: State, rows: Rows, layers: Sequence[Layer], batch: int = BATCH) -> Mapping[str, Gram]:
    """The Gram matrix of each layer, by its name, in one pass over all rows in order.

    Args:
        state: the net and its weights, as far as they are changed.
        rows: what the net is run on.
        layers: what is measured; layers that multiply the same patches of one wire share a measurement.
        batch: rows of a batch.
    """
    shared: dict[tuple[object, ...], Gram] = {}
    by_name: dict[str, Gram] = {}
    heard: dict[str, list[Gram]] = {}
    for layer in layers:
        key = layer.wire, layer.window, layer.groups, layer.inputs
        if key not in shared:
            shared[key] = Gram(layer)
            heard.setdefault(layer.wire, []).append(shared[key])
        by_name[layer.name] = shared[key]
    watch(state, rows, {wire: _all(found) for wire, found in heard.items()}, batch)
    return by_name


def _all(found: Sequence[Gram]) -> Seen:
    def hear(values: torch.Tensor) -> None:
        for one in found:
            one.take(values)

    return hear
