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
RUN = 1 << 18
"""Codes that are packed at a time, a multiple of 8: what is computed on the way stays small."""


def packed_size(count: int, bits: int) -> int:
    """Bytes that `count` codes take: ⌈count·bits/8⌉."""
    return (count * bits + 7) // 8


def pack(codes: Codes, bits: int) -> Codes:
    """Code i takes bits [i·bits, (i+1)·bits); the padding is zero. Codes must lie below 2^bits."""
    flat = codes.reshape(-1)
    if bits == 8:
        return flat.copy()
    found = np.empty(packed_size(flat.size, bits), dtype=np.uint8)
    for start in range(0, flat.size, RUN):
        run = found[start * bits // 8 : (start + RUN) * bits // 8]
        run[:] = _packed(flat[start : start + RUN], bits)[: run.size]
    return found


def _packed(codes: Codes, bits: int) -> Codes:
    if 8 % bits == 0:  # whole codes in a byte: no need of longer words
        short = -codes.size % (8 // bits)
        columns = (np.pad(codes, (0, short)) if short else codes).reshape(-1, 8 // bits).T
        found = columns[0].copy()
        for place, column in enumerate(columns[1:], 1):
            found |= column << np.uint8(place * bits)
        return found
    padded = np.zeros((-(-codes.size // 8), 8), dtype=np.uint8)
    padded.reshape(-1)[: codes.size] = codes
    words = np.zeros(len(padded), dtype="<u8")
    for place in range(8):
        words |= padded[:, place].astype("<u8") << np.uint64(place * bits)
    return words.view(np.uint8).reshape(-1, 8)[:, :bits].reshape(-1)


def unpack(data: Codes, bits: int, count: int) -> Codes:
    """The first `count` codes of the bit string `data`."""
    if bits == 8:
        return data[:count].copy()
    found = np.empty(count, dtype=np.uint8)
    for start in range(0, count, RUN):
        run = found[start : start + RUN]
        run[:] = _unpacked(data[start * bits // 8 : (start + RUN) * bits // 8], bits)[: run.size]
    return found


def _unpacked(data: Codes, bits: int) -> Codes:
    if 8 % bits == 0:
        columns = np.empty((data.size, 8 // bits), dtype=np.uint8)
        for place in range(8 // bits):
            columns[:, place] = (data >> np.uint8(place * bits)) & np.uint8((1 << bits) - 1)
        return columns.reshape(-1)
    padded = np.zeros((-(-data.size // bits), bits), dtype=np.uint8)
    padded.reshape(-1)[: data.size] = data
    words = np.zeros((len(padded), 8), dtype=np.uint8)
    words[:, :bits] = padded
    joined = words.view("<u8").reshape(-1)
    codes = np.empty((len(padded), 8), dtype=np.uint8)
    for place in range(8):
        codes[:, place] = (joined >> np.uint64(place * bits)) & np.uint64((1 << bits) - 1)
    return codes.reshape(-1)
