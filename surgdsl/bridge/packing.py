"""Packing: small codes as a bit string, least significant bit first.

Eight codes of b bits are exactly b bytes, so columns of codes are shifted at once and no element is touched alone.

>>> data = pack(np.array([1, 2, 3], dtype=np.uint8), 2)
>>> data.tolist(), unpack(data, 2, 3).tolist()
([57], [1, 2, 3])
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]


def packed_size(count: int, bits: int) -> int:
    """Bytes that `count` codes take: ⌈count·bits/8⌉."""
    return (count * bits + 7) // 8


def pack(codes: Codes, bits: int) -> Codes:
    """Code i takes bits [i·bits, (i+1)·bits); the padding is zero. Codes must lie below 2^bits."""
    flat = codes.reshape(-1)
    if bits == 8:
        return flat.copy()
    padded = np.zeros((-(-flat.size // 8), 8), dtype=np.uint8)
    padded.reshape(-1)[: flat.size] = flat
    words = np.zeros(len(padded), dtype="<u8")
    for place in range(8):
        words |= padded[:, place].astype("<u8") << np.uint64(place * bits)
    return words.view(np.uint8).reshape(-1, 8)[:, :bits].reshape(-1)[: packed_size(flat.size, bits)].copy()


def unpack(data: Codes, bits: int, count: int) -> Codes:
    """The first `count` codes of the bit string `data`."""
    if bits == 8:
        return data[:count].copy()
    padded = np.zeros((-(-count // 8), bits), dtype=np.uint8)
    padded.reshape(-1)[: data.size] = data
    words = np.zeros((len(padded), 8), dtype=np.uint8)
    words[:, :bits] = padded
    joined = words.view("<u8").reshape(-1)
    codes = np.empty((len(padded), 8), dtype=np.uint8)
    for place in range(8):
        codes[:, place] = (joined >> np.uint64(place * bits)) & np.uint64((1 << bits) - 1)
    return codes.reshape(-1)[:count]
