"""Weights as the forge stores them: encoded by numpy, decoded beside it, and nothing taken from the verifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = {
    "uint8": "U8", "float16": "F16", "float32": "F32", "float64": "F64", "int64": "I64", "int32": "I32", "bool": "BOOL",
}  # fmt: skip


class Weight:
    """A weight as it is stored: its encoding, its parts (role, name, dtype, shape, bytes), and what it decodes to."""

    def __init__(self, base: str, encoding: dict[str, Any], arrays: dict[str, Array], decoded: Array) -> None:
        plain = encoding["kind"] == "dense"
        self.base, self.encoding, self.decoded = base, encoding, decoded
        self.parts = [
            (role, base if plain else f"{base}.{role}", DTYPES[a.dtype.name], a.shape, a.tobytes())
            for role, a in arrays.items()
        ]

    @property
    def size(self) -> int:
        return sum(len(part[4]) for part in self.parts)


def bits(codes: Array, width: int) -> Array:
    flat = [(int(code) >> bit) & 1 for code in codes.ravel() for bit in range(width)]
    return np.packbits(np.array(flat, dtype=np.uint8), bitorder="little")


def dense(base: str, values: Array, mask: Array | None = None) -> Weight:
    values = values.astype(np.float32)
    if mask is None:
        return Weight(base, {"kind": "dense"}, {"values": values}, values)
    arrays = {"mask": bits(mask.astype(int), 1), "values": values[mask]}
    return Weight(base, {"inner": {"kind": "dense"}, "kind": "masked"}, arrays, np.where(mask, values, np.float32(0)))


def recoded(base: str, kept: dict[str, Array], inner: dict[str, Any], decoded: Array, mask: Array | None) -> Weight:
    if mask is None:
        return Weight(base, inner, kept, decoded.reshape(decoded.shape))
    whole = np.zeros(mask.shape, dtype=np.float32)
    whole[mask] = decoded
    return Weight(base, {"inner": inner, "kind": "masked"}, {"mask": bits(mask.astype(int), 1), **kept}, whole)


def nearest(book: Array, values: Array) -> Array:
    gaps = np.abs(values.astype(np.float64).ravel()[:, None] - book.astype(np.float64))
    return np.argmin(gaps, axis=1)


def codebook(
    base: str,
    values: Array,
    width: int,
    mask: Array | None = None,
    book: Array | None = None,
    codes: Array | None = None,
) -> Weight:
    kept = values if mask is None else values[mask]
    book = np.unique(np.quantile(kept, np.linspace(0.1, 0.9, 1 << width)).astype(np.float32)) if book is None else book
    codes = nearest(book, kept) if codes is None else codes
    found = book[np.minimum(codes, len(book) - 1)].reshape(kept.shape)
    return recoded(
        base, {"codes": bits(codes, width), "codebook": book}, {"bits": width, "kind": "codebook"}, found, mask
    )


def affine(base: str, values: Array, width: int, axis: int = -1) -> Weight:
    shape = [1] * values.ndim
    if axis >= 0:
        shape[axis] = values.shape[axis]
    over = tuple(dim for dim in range(values.ndim) if dim != axis)
    scale = (np.abs(values).max(axis=over) / (1 << (width - 1))).astype(np.float32).reshape(shape)
    zero = np.full(shape, 1 << (width - 1), dtype=np.uint8)
    codes = np.clip(np.rint(values.astype(np.float64) / scale.astype(np.float64)) + zero, 0, (1 << width) - 1).astype(
        int
    )
    found = (scale.astype(np.float64) * (codes - zero.astype(int))).astype(np.float32)
    arrays = {"codes": bits(codes, width), "scale": scale.ravel(), "zero": zero.ravel()}
    return Weight(base, {"axis": axis, "bits": width, "kind": "affine"}, arrays, found)


def grouped(
    base: str, values: Array, width: int, axis: int, group: int, scale: Array | None = None, *, symmetric: bool = True
) -> Weight:
    """On a grid with a scale for each run of elements of each index of the axis, element by element."""
    rows = 1 if axis < 0 else values.shape[axis]
    flat = values.reshape(1, -1) if axis < 0 else np.moveaxis(values, axis, 0).reshape(rows, -1)
    runs = -(-flat.shape[1] // group)
    if scale is None:
        largest = [[np.abs(row[at * group : (at + 1) * group]).max() for at in range(runs)] for row in flat]
        scale = (np.array(largest) / (1 << (width - 1))).astype(np.float16)
    middle, codes, found = 1 << (width - 1), np.zeros(flat.shape, dtype=int), np.zeros(flat.shape, dtype=np.float32)
    for row, column in np.ndindex(*flat.shape):
        one = float(scale[row, column // group])
        code = min(max(round(float(flat[row, column]) / one) + middle, 0), (1 << width) - 1)
        codes[row, column], found[row, column] = code, np.float32(one * (code - middle))

    def back(array: Array) -> Array:
        if axis < 0:
            return array.reshape(values.shape)
        return np.moveaxis(array.reshape(rows, *np.delete(values.shape, axis)), 0, axis)

    arrays = {"codes": bits(back(codes), width), "scale": scale}
    told = {"axis": axis, "bits": width, "group": group, "kind": "symmetric" if symmetric else "affine"}
    if not symmetric:
        arrays["zero"] = np.full(scale.shape, middle, dtype=np.uint8)
    return Weight(base, told, arrays, back(found))
