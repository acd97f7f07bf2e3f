"""Operations on columns by numpy. The module `plain` has the same functions, and says what they return.

Elements are integers of 64 bits or, where bytes are read as larger words, unsigned ones; floats are float64.
"""
# ruff: noqa: D103

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

np: Any = import_module("numpy")  # whose stubs are typed in part only
PIECE = 1 << 18
sqrt, exp, log1p, tanh, where, rint, div = np.sqrt, np.exp, np.log1p, np.tanh, np.where, np.rint, np.divide
erf: Any = np.vectorize(math.erf, otypes=[float])
every, count, take = np.all, np.count_nonzero, np.take
INDIVIDUAL = {"min": np.argmin, "max": np.argmax}
RUNNING = {"sum": np.add, "mean": np.add, "prod": np.multiply}


def column(raw: Any, letter: str) -> Any:
    words = np.frombuffer(raw, f"<{letter}")
    with np.errstate(all="ignore"):  # a NaN that signals is a NaN
        return words.astype(np.float64) if letter in "efd" else words.astype(np.int64) if letter == "B" else words


def buffer(size: int) -> memoryview:
    return memoryview(np.empty(size, dtype=np.uint8))


def numbers(values: Iterable[float]) -> Any:
    return np.array(list(values), dtype=np.float64)


def packed(values: Any, letter: str) -> bytes | None:
    with np.errstate(all="ignore"):
        found = values.astype(f"<{letter}")
    return found.tobytes() if np.all(np.isfinite(found)) else None


def single(value: Any) -> Any:
    return value.astype(np.float32).astype(np.float64)


def lesser(left: Any, right: Any) -> Any:
    return np.where((left <= right) | np.isnan(left), left, right)


def greater(left: Any, right: Any) -> Any:
    return np.where((left >= right) | np.isnan(left), left, right)


def each(function: Callable[..., Any], *columns: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(*columns)


def top(values: Any) -> float:
    return float(values.max(initial=0.0))


def kept(start: int, stop: int, mask: bytes | None) -> Any:
    return np.arange(start, stop) if mask is None else start + np.flatnonzero(np.frombuffer(mask, bool)[start:stop])


def places(lists: Iterable[Sequence[int]]) -> Any:
    found = np.zeros(1, dtype=np.int64)
    for row in lists:
        found = np.add.outer(found, np.asarray(row, dtype=np.int64)).ravel()
    return found


def lay(values: Any, extents: Sequence[int], strides: Sequence[int], start: int = 0) -> Any:
    values = np.ascontiguousarray(values)[start:]
    return np.lib.stride_tricks.as_strided(values, extents, [values.itemsize * step for step in strides]).ravel()


def put(size: int, at: Any, values: Any) -> Any:
    found = np.zeros(size, dtype=values.dtype)
    found[at] = values
    return found


def join(columns: Iterable[Any]) -> Any:
    return np.concatenate(list(columns))


def items(raw: Any, size: int) -> Any:
    return np.frombuffer(raw, f"<u{size}" if size in (1, 2, 4, 8) else f"V{size}")


def gather(raw: Any, item: int, at: Any) -> bytes:
    return items(raw, item).take(at).tobytes()


def choose(raw: Any, item: int, shape: Sequence[int], kept: Sequence[Sequence[int] | None]) -> Any:
    size, others = item * math.prod(shape[1:]), enumerate(kept[1:], 1)
    rows, cuts = np.arange(shape[0]) if kept[0] is None else np.asarray(kept[0]), list(others)
    extents = (extent if some is None else len(some) for some, extent in zip(kept, shape, strict=True))
    found, done, step = np.empty(item * math.prod(extents), np.uint8), 0, max(1, 4 * PIECE // size)
    for start in range(0, shape[0], step):
        some = rows[slice(*np.searchsorted(rows, (start, start + step)))] - start
        block = items(raw[start * size : (start + step) * size], item).reshape(-1, *shape[1:]).take(some, axis=0)
        for dim, some in cuts:
            block = block if some is None else block.take(some, axis=dim)
        found[done : done + block.nbytes] = block.reshape(-1).view(np.uint8)
        done += block.nbytes
    return memoryview(found)


def tally(runs: Iterable[Any], size: int) -> Any:
    found = np.zeros(size, dtype=np.int64)
    for run in runs:
        np.add.at(found, run, 1)
    return found


def unpack(raw: bytes, bits: int, size: int) -> bytes:
    data, found = np.frombuffer(raw, np.uint8), np.zeros(size, dtype=np.uint8)
    if bits == 1:
        return np.unpackbits(data, count=size, bitorder="little").tobytes()
    for start in range(0, size, PIECE):
        piece = found[start : start + PIECE]
        flat = np.unpackbits(data[start * bits // 8 : (start + PIECE) * bits // 8], bitorder="little")
        for bit in range(bits):
            piece |= flat[bit : len(piece) * bits : bits] << bit
    return found.tobytes()


def pack(codes: bytes, bits: int) -> bytes:
    data = np.frombuffer(codes, np.uint8)
    runs = (data[start : start + PIECE, None] >> np.arange(bits) & 1 for start in range(0, len(data), PIECE))
    return b"".join(np.packbits(run.astype(np.uint8), bitorder="little").tobytes() for run in runs)


def scan(raw: Any, size: int, unsigned: bool, limit: int) -> tuple[int, int]:
    words: Any = np.frombuffer(raw, f"<u{size}")
    words = words if unsigned else words & words.dtype.type((1 << 8 * size - 1) - 1)
    beyond = limit and len(words) and int(words.max()) >= limit
    return int(np.count_nonzero(words)), int(np.count_nonzero(words >= limit)) if beyond else 0


def nearest(bounds: Any, values: Any) -> Any:
    return np.searchsorted(bounds, values, side="left")


def fold(kind: str, values: Any, size: int) -> Any:
    rows = values.reshape(-1, size)
    if kind in INDIVIDUAL:  # the first of those that are NaN, else the first of equals
        return np.take_along_axis(rows, INDIVIDUAL[kind](rows, axis=1)[:, None], axis=1)[:, 0]
    with np.errstate(all="ignore"):
        return RUNNING[kind].accumulate(rows, axis=1)[:, -1] / (size if kind == "mean" else 1)


def dots(left: Any, right: Any, size: int) -> Any:
    with np.errstate(all="ignore"):
        return (left.reshape(-1, size) @ right.reshape(-1, size).T).ravel()


def singular(values: Any, rows: int) -> list[float]:
    return np.linalg.svd(values.reshape(rows, -1), compute_uv=False).tolist()


def normal(seed: int, size: int) -> Any:
    random = np.random.default_rng(seed)
    return random.standard_normal(size) * np.exp2(random.uniform(-3, 5, size))
