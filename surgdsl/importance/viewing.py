"""Views: a weight as a criterion names it, one index of the axis that is judged after the other.

Whatever goes with a channel is seen as the tensor that the criterion speaks of: the channel is its first axis, wherever
it lies in the weight, and the other dimensions follow in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.weight import Array
from surgdsl.formula import EVERY
from surgdsl.formula.tensor import Tensor


@frozen(eq=False)
class View:
    """How the positions of a weight are laid out over `axes`, and which of its dimensions each of them is.

    `order` are the positions along `dimension` that belong to the judged axis, index after index, `extent` indices in
    all, with −1 where an index has fewer positions than others. An axis of `sources` that is None stands for no
    dimension of its own.
    """

    dimension: int
    order: NDArray[np.intp]
    extent: int
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    sources: tuple[int | None, ...]
    repetition: str | None
    """The axis of its own along which positions of one index are counted, where there is one."""

    @property
    def repeats(self) -> int:
        """How many positions each index has."""
        return len(self.order) // self.extent

    def along(self, values: Array, dimension: int) -> Array:
        """The positions along a dimension, index after index, zeros where an index has fewer than others."""
        taken = values.take(np.maximum(self.order, 0), axis=dimension)
        if (self.order < 0).any():
            np.moveaxis(taken, dimension, 0)[self.order < 0] = 0
        return taken

    def tensor(self, values: Array) -> Tensor:
        """An array of the shape of the weight, as the criterion sees it, in float64."""
        front = np.moveaxis(self.along(values.astype(np.float64), self.dimension), self.dimension, 0)
        split = front.reshape(self.extent, -1, *front.shape[1:])  # index, repetition, the other dimensions
        return Tensor(self.axes, np.moveaxis(split, 1, -1).reshape(self.shape))

    def name_of(self, dimension: int) -> str | None:
        """The axis that a dimension of the weight is, if it is one alone."""
        found = [axis for axis, source in zip(self.axes, self.sources, strict=True) if source == dimension]
        return found[0] if found else None


def view(axes: tuple[str, ...], shape: Sequence[int], dimension: int, place: Array) -> View | None:
    """The view of a weight of `shape` in which an axis lies along `dimension`, or nothing where it has too many axes.

    Args:
        axes: the names of the axes, the judged one first; ``("*",)`` for as many as there are.
        shape: of the weight.
        dimension: along which the axis lies.
        place: for each position there the index of the axis that it belongs to, or −1.

    >>> seen = view(("cout", "cin", "kh"), (3, 4), 1, np.array([0, 0, 1, 1]))
    >>> seen.axes, seen.shape, seen.tensor(np.arange(12).reshape(3, 4)).values[1].tolist()
    (('cout', 'cin', 'kh'), (2, 3, 2), [[2.0, 3.0], [6.0, 7.0], [10.0, 11.0]])
    """
    order, extent = _ordered(place)
    repeated = len(order) // extent
    others: list[int | None] = [source for source in range(len(shape)) if source != dimension]
    sizes = [shape[source] for source in others if source is not None]
    names = axes if axes != (EVERY,) else ("cout", *(str(source) for source in range(1, len(sizes) + 2)))
    room, alone = len(names) - 1, None
    if len(sizes) > room:
        return None
    if len(sizes) < room:  # repetitions are an axis of their own, or of the last one
        missing, alone = room - len(sizes), names[1 + len(sizes)]
        sizes, others = [*sizes, repeated, *[1] * (missing - 1)], [*others, *[None] * missing]
    elif sizes:
        sizes[-1], others[-1] = sizes[-1] * repeated, others[-1] if repeated == 1 else None
    elif repeated > 1:
        return None
    return View(dimension, order, extent, names, (extent, *sizes), (dimension, *others), alone)


def _ordered(place: Array) -> tuple[NDArray[np.intp], int]:
    """The positions of index 0, then those of index 1 and so on, equally many by padding with −1; how many indices.

    >>> _ordered(np.array([1, 0, 1, -1]))
    (array([ 1, -1,  0,  2]), 2)
    """
    counts = np.bincount(place[place >= 0])
    rows = np.full((len(counts), counts.max(initial=1)), -1, dtype=np.intp)
    sorted_places = np.argsort(place, kind="stable")[np.count_nonzero(place < 0) :]
    rows[np.arange(rows.shape[1]) < counts[:, None]] = sorted_places
    return rows.ravel(), len(counts)
