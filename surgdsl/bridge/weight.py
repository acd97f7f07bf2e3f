"""Weights: the stored tensors of one weight, and a net together with all of its weights.

A net says what a weight is; here are its bytes, in the form in which they are stored, so that sizes and digests are of
what is written. Arrays are read-only: a surgery makes new weights and shares what it does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Encoding

Array = NDArray[Any]
"""A tensor in memory: row-major, little-endian; BF16 travels as the raw bits in uint16."""

NUMPY: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "F64": np.dtype("<f8"),
        "F32": np.dtype("<f4"),
        "F16": np.dtype("<f2"),
        "BF16": np.dtype("<u2"),
        "I64": np.dtype("<i8"),
        "I32": np.dtype("<i4"),
        "I16": np.dtype("<i2"),
        "I8": np.dtype("i1"),
        "U8": np.dtype("u1"),
        "BOOL": np.dtype("?"),
    }
)
"""How each dtype lies in memory."""


def plain(array: Array, dtype: str) -> Array:
    """The numbers that an array of a dtype holds: itself, but for BF16, which are the upper halves of F32.

    >>> plain(np.array([0x3F80, 0xC040], dtype=np.uint16), "BF16").tolist()
    [1.0, -3.0]
    """
    return (array.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else array


def is_stand_in(array: Array) -> bool:
    """Whether the array only stands for a shape: one element seen everywhere, which takes no memory."""
    return array.ndim > 0 and not any(array.strides)


def sealed(array: Array) -> Array:
    """A read-only, row-major array of the same elements: the one given, if it is already so."""
    laid = array if array.flags.c_contiguous or is_stand_in(array) else np.ascontiguousarray(array)
    if not laid.flags.writeable:
        return laid
    view = laid.view()
    view.flags.writeable = False
    return view


def _sealed(parts: Mapping[str, Array]) -> Mapping[str, Array]:
    return MappingProxyType({role: sealed(array) for role, array in parts.items()})


@frozen(slots=False, eq=False)
class Weight:
    """The parts of one weight by role: ``values``, ``codes``, ``codebook``, ``scale``, ``zero``, ``mask``.

    `dtype` and `shape` are those of the decoded weight. Compared by identity: whether two are equal, digests say.
    A `bare` weight has no parts: only its form is known, as where a step is rehearsed.
    """

    encoding: Encoding
    dtype: str
    shape: tuple[int, ...]
    parts: Mapping[str, Array] = field(converter=_sealed, repr=False)

    @property
    def bare(self) -> bool:
        """Whether only the form of the weight is known."""
        return not self.parts


@frozen(slots=False, eq=False)
class State:
    """A net and its weights, by the name of the operation that produces each."""

    net: Net
    weights: Mapping[str, Weight]
