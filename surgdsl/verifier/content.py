"""Weights as bytes: unpacking, decoding, selecting and packing again. Numpy is known here and in the rules only.

Elements are compared as bits, so that −0.0, NaN and dtypes that numpy does not know are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surgdsl.verifier import digest as digests
from surgdsl.verifier.reject import need
from surgdsl.verifier.tensors import Store
from surgdsl.verifier.weight import Weight

Array = NDArray[Any]

BITS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
EXPONENT = {"F64": 0x7FF << 52, "F32": 0xFF << 23, "F16": 0x1F << 10, "BF16": 0xFF << 7}
UNSIGNED = ("U8", "BOOL")
RUN = 1 << 18
"""Elements that are looked at a time, so that memory holds a weight as it is stored and no more; a multiple of 8."""


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a weight: mask as booleans, codes as integers, scales and codebooks as floats, values as bits."""

    weight: Weight
    arrays: dict[str, Array]

    def runs(self) -> Iterator[tuple[Array, slice]]:
        """All elements in runs: the positions of those that are stored, row-major, and where they are stored."""
        done = 0
        for start in range(0, self.weight.count, RUN):
            at = np.arange(start, min(start + RUN, self.weight.count))
            at = at[self.arrays["mask"][start : start + RUN]] if self.weight.masked else at
            yield at, slice(done, done + len(at))
            done += len(at)

    def grid(self, at: Array) -> tuple[Array, Array]:
        """The scale and the zero point of the elements at some positions."""
        place = scale_at(self.weight, self.weight.shape, at)
        middle = np.full(math.prod(self.weight.runs), 1 << (self.weight.bits - 1))
        return self.arrays["scale"][place].astype(np.float64), self.arrays.get("zero", middle)[place].astype(np.int64)

    def packed(self, at: Array, run: slice) -> Array:
        """The bits that a run of stored elements decodes to."""
        if self.weight.kind == "dense":
            return self.arrays["values"].ravel()[run]
        codes = self.arrays["codes"][run]
        if self.weight.kind == "codebook":
            return self.arrays["codebook"][codes].view("<u4")
        scale, zero = self.grid(at)
        with np.errstate(all="ignore"):
            return (scale * (codes - zero)).astype("<f4").view("<u4")

    def decoded(self) -> Iterator[Array]:
        """The bits of every element, run by run; cleared where the mask is."""
        for start, (at, run) in enumerate(self.runs()):
            bits = self.packed(at, run)
            if self.weight.masked:
                whole = np.zeros(min(RUN, self.weight.count - start * RUN), dtype=bits.dtype)
                whole[at - start * RUN] = bits
                bits = whole
            yield bits

    def nonzero(self) -> int:
        """Elements whose bits, the sign bit cleared, are not all zero."""
        size = digests.ITEMSIZE[self.weight.dtype]
        plain = (1 << 8 * size) - 1 if self.weight.dtype in UNSIGNED else (1 << 8 * size - 1) - 1
        parts = (self.packed(at, run) for at, run in self.runs())
        return sum(int(np.count_nonzero(bits & bits.dtype.type(plain))) for bits in parts)


def scale_at(weight: Weight, shape: tuple[int, ...], at: Array) -> Array:
    """For positions in a tensor of this shape, encoded like this weight, the number of the scale of each."""
    rows = shape[weight.axis] if weight.axis >= 0 else 1
    length = math.prod(shape) // max(1, rows)
    inner = math.prod(shape[weight.axis + 1 :]) if weight.axis >= 0 else length
    group = weight.group or max(1, length)
    within = at // (inner * rows) * inner + at % inner
    return at // inner % rows * -(-length // group) + within // group


class Load:
    """What gives the content of weights: from the files and blobs, and from what exact steps were found to make."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, weight: Weight) -> Content:
        """The content of a weight; V08 when bytes are missing, V15 when the encoding is invalid."""
        return load(weight, self._store)

    def learn(self, digest: str, data: bytes) -> None:
        """Bytes that a step makes of weights before it: nobody has to send them."""
        self._store.learn(digest, data)


def load(weight: Weight, store: Store) -> Content:
    """The content of a weight; V08 when bytes are missing, V15 when the encoding is invalid."""
    raw = {role: store.fetch(part.digest, part.name) for role, part in weight.parts.items()}
    mask = unpack(raw["mask"], 1, weight.count, weight.base).astype(bool) if weight.masked else None
    kept = weight.count if mask is None else int(np.count_nonzero(mask))
    for role, part in weight.parts.items():
        need(part.shape == weight.part_shape(role, kept), "V15", f"the shape of `{part.name}` does not fit its mask")
    arrays = {} if mask is None else {"mask": mask}
    for role in weight.parts.keys() - {"mask"}:
        arrays[role] = _array(role, raw[role], weight, kept)
    if weight.kind == "codebook":
        book, limit = arrays["codebook"], 1 << weight.bits
        need(kept >= 1 and 1 <= len(book) <= limit, "V15", f"the codebook of `{weight.base}` has {len(book)} entries")
        rises = bool(np.all(np.isfinite(book)) and np.all(book[1:] > book[:-1]))
        need(rises, "V15", f"the codebook of `{weight.base}` does not rise")
        need(int(arrays["codes"].max()) < len(book), "V15", f"a code of `{weight.base}` lies outside the codebook")
    if "scale" in arrays:
        scale = arrays["scale"]
        fits = bool(np.all(np.isfinite(scale)) and np.all(scale > 0))
        need(fits, "V15", f"a scale of `{weight.base}` is not finite and positive")
    return Content(weight, arrays)


def _array(role: str, raw: bytes, weight: Weight, kept: int) -> Array:
    if role == "codes":
        return unpack(raw, weight.bits, kept, weight.base)
    if role in ("codebook", "scale"):
        return np.frombuffer(raw, "<f2" if weight.parts[role].dtype == "F16" else "<f4")
    bits = np.frombuffer(raw, "u1" if role == "zero" else BITS[digests.ITEMSIZE[weight.dtype]])
    need(weight.dtype != "BOOL" or bool(np.all(bits <= 1)), "V15", f"`{weight.base}` holds a truth value above 1")
    return bits


def unpack(raw: bytes, bits: int, count: int, what: str) -> Array:
    """`count` codes of `bits` bits each, least significant bit first; V15 when the padding is not zero.

    >>> unpack(bytes([0b11100100]), 2, 4, "codes").tolist()
    [0, 1, 2, 3]
    """
    data, rest = np.frombuffer(raw, np.uint8), count * bits % 8
    need(not rest or data[-1] >> rest == 0, "V15", f"the padding bits of `{what}` are not zero")
    found = np.zeros(count, dtype=np.uint8)
    for start in range(0, count, RUN):
        piece = found[start : start + RUN]
        flat = np.unpackbits(data[start * bits // 8 : (start + RUN) * bits // 8], bitorder="little")
        for bit in range(bits):
            piece |= flat[bit : len(piece) * bits : bits] << bit
    return found


def pack(codes: Array, bits: int) -> bytes:
    """The inverse of unpack."""
    runs = (codes[start : start + RUN].astype(np.uint8) for start in range(0, len(codes), RUN))
    return b"".join(np.packbits((run[:, None] >> np.arange(bits)) & 1, bitorder="little").tobytes() for run in runs)


def finite(bits: Array, dtype: str) -> bool:
    """Whether floats given as bits are all finite."""
    mask = bits.dtype.type(EXPONENT[dtype])
    return not np.any((bits & mask) == mask)


def select(content: Content, kept: tuple[tuple[int, ...] | None, ...]) -> dict[str, bytes]:
    """The bytes of each part of a weight restricted to the kept indices of each dimension, encoded as before.

    V15 when elements of different scales would come to share one.
    """
    weight, arrays = content.weight, content.arrays
    index = [
        np.arange(extent) if some is None else np.array(some) for extent, some in zip(weight.shape, kept, strict=True)
    ]
    positions = (
        np.arange(weight.count).reshape(weight.shape)[np.ix_(*index)].ravel() if index else np.zeros(1, dtype=np.int64)
    )
    found, everywhere = dict[str, bytes](), positions
    if weight.masked:
        mask = arrays["mask"][positions]
        positions = (np.cumsum(arrays["mask"]) - 1)[positions][mask]
        found["mask"] = pack(mask, 1)
    if "values" in arrays:
        found["values"] = arrays["values"][positions].tobytes()
    if "codes" in arrays:
        found["codes"] = pack(arrays["codes"][positions], weight.bits)
    if "codebook" in arrays:
        found["codebook"] = arrays["codebook"].tobytes()
    if "scale" in arrays:
        before = scale_at(weight, weight.shape, everywhere)
        after = scale_at(weight, tuple(map(len, index)), np.arange(len(everywhere)))
        at = np.zeros(int(after.max()) + 1, dtype=np.int64)
        at[after] = before
        need(bool(np.array_equal(at[after], before)), "V15", f"the cut breaks groups of `{weight.base}`")
        for role in arrays.keys() & {"scale", "zero"}:
            found[role] = arrays[role][at].tobytes()
    return found


def check_parts(weight: Weight, expected: dict[str, bytes], load: Load) -> None:
    """The parts of a weight are these bytes, which are known from now on; V15 when a digest says otherwise."""
    for role, part in weight.parts.items():
        fits = digests.nbytes(part.dtype, part.shape) == len(expected[role])
        same = fits and digests.tensor(part.dtype, part.shape, digests.chunks(expected[role])) == part.digest
        need(same, "V15", f"`{part.name}` is not what the step makes of the weights before")
        load.learn(part.digest, expected[role])
