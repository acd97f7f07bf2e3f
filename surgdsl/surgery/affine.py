"""Affine scales: the step and the offset with which b-bit integers cover the range of each channel.

The range always includes zero, so that zero is a code exactly: pruned and padded elements stay what they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, with_affine
from surgdsl.bridge.weight import Weight

Values = NDArray[np.float32]
LEAST, GREATEST = np.nextafter(np.float32(0), np.float32(1)), np.finfo(np.float32).max


def quantize(weight: Weight, bits: int, axis: int) -> Weight:
    """The weight as `bits`-bit codes with one scale per index of `axis`, or one for all where `axis` is −1.

    Raises:
        Refusal: E0505 and E0506, as `with_affine`.
    """
    values = decode(weight)
    fits = values.dtype == np.float32 and np.isfinite(values).all()
    count = 1 if axis < 0 else weight.shape[axis]
    nothing = np.ones(count, dtype=np.float32), np.zeros(count, dtype=np.uint8)
    scale, zero = scales(values, bits, axis) if fits else nothing
    return with_affine(weight, scale, zero, bits, axis)


def scales(values: Values, bits: int, axis: int) -> tuple[Values, NDArray[np.uint8]]:
    """Scale and zero point of each channel: (max − min)/(2^bits − 1) and round(−min/scale), with min ≤ 0 ≤ max.

    >>> scales(np.array([[-1, 2], [0, 0]], dtype=np.float32), 2, 0)
    (array([1., 1.], dtype=float32), array([1, 0], dtype=uint8))

    Args:
        values: float32, finite.
        bits: 1 to 8.
        axis: the dimension whose indices have their own scales, or −1.

    Returns:
        float32[c], finite and positive, and uint8[c] below 2^bits.
    """
    rows = values.reshape(1, -1) if axis < 0 else np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    low = rows.min(axis=1, initial=0).astype(np.float64)
    high = rows.max(axis=1, initial=0).astype(np.float64)
    top = (1 << bits) - 1
    step = np.clip((high - low) / top, LEAST, GREATEST)
    scale = np.where(high > low, step, 1.0).astype(np.float32)
    zero = np.clip(np.rint(-low / scale.astype(np.float64)), 0, top)
    return scale, zero.astype(np.uint8)
