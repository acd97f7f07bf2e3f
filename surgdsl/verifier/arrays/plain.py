"""Operations on columns in plain Python, for where there is no numpy: slower, not weaker.

`where`, `rint`, `div`, `sqrt` and such are the functions of one element that IEEE 754 means: they raise nothing.
"""

from __future__ import annotations

import math
import operator
import random
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain, compress
from typing import Any

SWEEPS = 64  # a dozen do, and more would be a fault of rounding
rint, erf, log1p, tanh, every = round, math.erf, math.log1p, math.tanh, all


def where(test: Any, yes: Any, no: Any) -> Any:
    """One of two, as a test says."""
    return yes if test else no


def div(left: float, right: float) -> float:
    """A quotient, infinite or NaN where the divisor is zero."""
    if right:
        return left / right
    return math.copysign(math.inf, left) * math.copysign(1.0, right) if left and not math.isnan(left) else math.nan


def lesser(left: float, right: float) -> float:
    """The left one where it is not above the right one, or NaN."""
    return left if left <= right or math.isnan(left) else right


def greater(left: float, right: float) -> float:
    """The left one where it is not below the right one, or NaN."""
    return left if left >= right or math.isnan(left) else right


FOLDS = {"sum": operator.add, "mean": operator.add, "prod": operator.mul, "min": lesser, "max": greater}


def sqrt(value: float) -> float:
    """A square root, NaN of what is negative."""
    return math.sqrt(value) if value >= 0 else math.nan


def exp(value: float) -> float:
    """A power of e, infinite where it is too large."""
    return math.inf if value > 709.78 else math.exp(value)


def single(value: float) -> float:
    """A float rounded to 32 bits, to nearest, ties to even."""
    return array("f", [value])[0]


def column(raw: Any, letter: str) -> Any:
    """The column that lies in bytes, little-endian, each element as `struct` writes this letter."""
    return struct.unpack(f"<{len(raw) // struct.calcsize('<' + letter)}{letter}", raw)


def buffer(size: int) -> memoryview:
    """Room for bytes."""
    return memoryview(bytearray(size))


def numbers(values: Iterable[float]) -> Any:
    """A column of floats."""
    return [float(value) for value in values]


def packed(values: Any, letter: str) -> bytes | None:
    """The bytes of floats, each rounded once, to nearest, ties to even; None when one of them is then not finite."""
    try:
        return struct.pack(f"<{len(values)}{letter}", *values) if all(map(math.isfinite, values)) else None
    except OverflowError:
        return None


def each(function: Callable[..., Any], *columns: Any) -> Any:
    """A function of elements that stand side by side."""
    return list(map(function, *columns))


def count(values: Any) -> int:
    """How many elements are not zero, nor false."""
    return sum(map(bool, values))


def top(values: Any) -> float:
    """The largest element, 0 of none."""
    return max(values, default=0.0)


def take(values: Any, at: Any) -> Any:
    """The elements at some positions."""
    return [values[place] for place in at]


def kept(start: int, stop: int, mask: bytes | None) -> Any:
    """The positions from start to stop, or those of them where the mask, a byte for each, is set."""
    return range(start, stop) if mask is None else list(compress(range(start, stop), mask[start:stop]))


def places(lists: Iterable[Sequence[int]]) -> Any:
    """The sums of one number from each list, the first list slowest."""
    found = [0]
    for row in lists:
        found = [start + step for start in found for step in row]
    return found


def lay(values: Any, extents: Sequence[int], strides: Sequence[int], start: int = 0) -> Any:
    """The elements in another order, row-major over extents: from each to the next along a dimension it is a stride."""
    rows = ([index * step for index in range(size)] for size, step in zip(extents, strides, strict=True))
    return [values[start + place] for place in places(rows)]


def put(size: int, at: Any, values: Any) -> Any:
    """Zeros, but for the values at some positions."""
    found: list[Any] = [0] * size
    for place, value in zip(at, values, strict=True):
        found[place] = value
    return found


def join(columns: Iterable[Any]) -> Any:
    """Columns one after the other."""
    return list(chain.from_iterable(columns))


def gather(raw: bytes, item: int, at: Any) -> bytes:
    """The items of so many bytes each at some positions."""
    return b"".join(raw[place * item : (place + 1) * item] for place in at)


def choose(raw: Any, item: int, shape: Sequence[int], kept: Sequence[Sequence[int] | None]) -> Any:
    """The items of so many bytes each, in a shape, at the kept indices of each dimension."""
    found = [0]
    for some, extent in zip(kept, shape, strict=True):
        found = [at * extent + index for at in found for index in some or range(extent)]
    return gather(raw[:], item, found)


def tally(runs: Iterable[Any], size: int) -> Any:
    """How often each number below size occurs."""
    found = [0] * size
    for run in runs:
        for place in run:
            found[place] += 1
    return found


def unpack(raw: bytes, bits: int, size: int) -> bytes:
    """So many codes of so many bits each, least significant bit first, as a byte for each.

    >>> list(unpack(bytes([0b11100100]), 2, 4))
    [0, 1, 2, 3]
    """
    words = (int.from_bytes(raw[start : start + bits], "little") for start in range(0, len(raw), bits))
    return bytes(word >> at & (1 << bits) - 1 for word in words for at in range(0, 8 * bits, bits))[:size]


def pack(codes: bytes, bits: int) -> bytes:
    """The inverse of unpack."""
    rows = (codes[start : start + 8] for start in range(0, len(codes), 8))
    words = (sum(code << bits * place for place, code in enumerate(row)) for row in rows)
    return b"".join(word.to_bytes(bits, "little") for word in words)[: (len(codes) * bits + 7) // 8]


def scan(raw: Any, size: int, unsigned: bool, limit: int) -> tuple[int, int]:
    """How many words are not zero, and how many are at least `limit`; the top bit is no part of one that has a sign.

    All words are one integer, a lane for each: what must be added to a word to carry into the top bit of its lane
    tells whether it is at least so large.
    """
    lanes, half = int.from_bytes((b"\1" + bytes(size - 1)) * (len(raw) // size), "little"), 1 << 8 * size - 1
    words = int.from_bytes(raw, "little")
    low, high = words & lanes * (half - 1), words if unsigned else 0
    found = [((low + lanes * (half - least) | high) & lanes * half).bit_count() for least in (1, limit or half)]
    return found[0], found[1] if limit else 0


def nearest(bounds: Any, values: Any) -> Any:
    """For each value how many of the rising bounds are below it."""
    return [bisect_left(bounds, value) for value in values]


def fold(kind: str, values: Any, size: int) -> Any:
    """A reduction of every so many elements, from the first to the last."""
    found = [reduce(FOLDS[kind], values[start : start + size]) for start in range(0, len(values), size)]
    return [value / size for value in found] if kind == "mean" else found


def dots(left: Any, right: Any, size: int) -> Any:
    """The scalar products of every so many elements of one column with every so many of another, as a matrix."""
    rows, others = ([c[start : start + size] for start in range(0, len(c), size)] for c in (left, right))
    return [sum(map(operator.mul, row, other)) for row in rows for other in others]


def singular(values: Any, rows: int) -> list[float]:
    """The singular values of a matrix, the largest first: one-sided Jacobi (Hestenes 1958)."""
    width, scale = len(values) // rows, top(map(abs, values)) or 1.0
    vectors = [[value / scale for value in values[start : start + width]] for start in range(0, len(values), width)]
    if rows > width:
        vectors = [list(vector) for vector in zip(*vectors, strict=True)]
    for _ in range(SWEEPS):
        if not any([rotated(vectors, other, at) for at in range(len(vectors)) for other in range(at)]):  # noqa: C419
            return sorted((scale * math.hypot(*vector) for vector in vectors), reverse=True)
    raise ArithmeticError(SWEEPS)


def rotated(vectors: list[list[float]], first: int, second: int) -> bool:
    """Make two vectors orthogonal; returns whether they were not, but for rounding."""
    x, y = vectors[first], vectors[second]
    a, b, c = (sum(map(operator.mul, *pair)) for pair in ((x, x), (y, y), (x, y)))
    if abs(c) <= 2.0**-50 * math.sqrt(a) * math.sqrt(b):
        return False
    zeta = (b - a) / (2 * c)
    tangent = math.copysign(1 / (abs(zeta) + math.hypot(1, zeta)), zeta)
    cosine = 1 / math.hypot(1, tangent)
    sine = cosine * tangent
    vectors[first] = [cosine * p - sine * q for p, q in zip(x, y, strict=True)]
    vectors[second] = [sine * p + cosine * q for p, q in zip(x, y, strict=True)]
    return True


def normal(seed: int, size: int) -> Any:
    """Normal random numbers times powers of 2 from 2^−3 to 2^5, by a seed."""
    source = random.Random(seed)  # noqa: S311 - a point to compute at, no secret
    return [source.gauss(0, 1) * 2 ** source.uniform(-3, 5) for _ in range(size)]
