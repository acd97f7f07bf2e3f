"""Tensors over named axes: the values of formulas.

Axes are told apart by name and never by position, so there is no broadcasting by accident: what has the name in common
is aligned, what has it not is spread.

>>> a, b = Tensor(("i", "j"), np.ones((2, 3))), Tensor(("j", "k"), np.ones((3, 4)))
>>> union(a, b), [array.shape for array in aligned(a, b)]
(('i', 'j', 'k'), [(2, 3, 1), (1, 3, 4)])
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

Values = NDArray[Any]


@frozen(eq=False)
class Tensor:
    """`values` with one named axis for each dimension; without axes, a single number."""

    axes: tuple[str, ...]
    values: Values = field(converter=np.asarray)

    def __attrs_post_init__(self) -> None:
        assert self.values.ndim == len(self.axes) == len(set(self.axes)), f"{self.axes} for {self.values.shape}"

    @property
    def extents(self) -> dict[str, int]:
        """The size of each axis."""
        return dict(zip(self.axes, self.values.shape, strict=True))

    def laid(self, axes: tuple[str, ...]) -> Tensor:
        """The same tensor with its axes in another order.

        >>> Tensor(("i", "j"), np.zeros((2, 3))).laid(("j", "i")).values.shape
        (3, 2)
        """
        return Tensor(axes, self.values.transpose([self.axes.index(axis) for axis in axes]))


class Misfit(ValueError):
    """Axes of one name have different extents, or an axis is not there."""


def union(*tensors: Tensor) -> tuple[str, ...]:
    """The axes of all tensors, each once, in the order in which they come."""
    return tuple(dict.fromkeys(axis for one in tensors for axis in one.axes))


def aligned(*tensors: Tensor) -> list[Values]:
    """The values of all tensors with one dimension for each axis of `union`; 1 where a tensor lacks it.

    Raises:
        Misfit: an axis has two extents.
    """
    axes, extents = union(*tensors), dict[str, int]()
    for one in tensors:
        for axis, extent in one.extents.items():
            if extents.setdefault(axis, extent) != extent:
                raise Misfit(f"the axis {axis} has {extents[axis]} and {extent} indices")
    return [_spread(one, axes) for one in tensors]


def _spread(tensor: Tensor, axes: tuple[str, ...]) -> Values:
    laid = tensor.laid(tuple(axis for axis in axes if axis in tensor.axes))
    return laid.values.reshape([tensor.extents.get(axis, 1) for axis in axes])


def unrolled(tensor: Tensor, axes: tuple[str, ...]) -> tuple[tuple[str, ...], Values]:
    """The axes that are left without `axes`, and the values with these merged row-major into dimension 0.

    Raises:
        Misfit: the tensor lacks one of `axes`.
    """
    missing = [axis for axis in axes if axis not in tensor.axes]
    if missing:
        raise Misfit(f"there is no axis {missing[0]} to reduce, only {', '.join(tensor.axes) or 'a number'}")
    rest = tuple(axis for axis in tensor.axes if axis not in axes)
    laid = tensor.laid((*axes, *rest)).values
    return rest, laid.reshape((-1, *laid.shape[len(axes) :]))
