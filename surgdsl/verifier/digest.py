"""Digests: SHA-256, one domain for each kind of thing, so that bytes of one kind never pass for another.

Dtype and shape are bound into a tensor's digest: the same bytes under another reading are another tensor.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

from surgdsl.verifier.arrays import ops
from surgdsl.verifier.canonical import canon

CHUNK = 8 << 20
PIECE = 1 << 18
"""Bytes that are looked at a time, while they are near: hashed, then scanned."""
ITEMSIZE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
LIMIT = {"F64": 0x7FF << 52, "F32": 0xFF << 23, "F16": 0x1F << 10, "BF16": 0xFF << 7, "BOOL": 2}
"""From here on the bits of an element, the sign bit cleared, are no finite float, or no truth value."""
FLOATING = LIMIT.keys() - {"BOOL"}
Leaf = tuple[bytes, int, int]
"""Of some bytes the digest, how many of their elements are not zero, and how many have no value (LIMIT)."""


def nbytes(dtype: str, shape: Sequence[int]) -> int:
    """Bytes of a tensor.

    >>> nbytes("F32", [2, 3])
    24
    """
    return math.prod(shape, start=ITEMSIZE[dtype])


def leaf(dtype: str, pieces: Iterable[Any]) -> Leaf:
    """A leaf of a tensor that comes in pieces; each is hashed and, where there is a dtype, scanned while it is near."""
    inner, nonzero, odd = hashlib.sha256(b"\0"), 0, 0
    for piece in pieces:
        inner.update(piece)
        if dtype:
            found = ops.scan(piece, ITEMSIZE[dtype], dtype in ("U8", "BOOL"), LIMIT.get(dtype, 0))
            nonzero, odd = nonzero + found[0], odd + found[1]
    return inner.digest(), nonzero, odd


def pieces(data: Any, size: int) -> Iterable[Any]:
    """Bytes cut into pieces of a size, the last one shorter."""
    return (memoryview(data)[start : start + size] for start in range(0, len(data), size))


def leaves(dtype: str, data: Any, threads: int = 1) -> list[Leaf]:
    """The leaves of a tensor that lies in memory."""
    cut = [pieces(chunk, PIECE) for chunk in pieces(data, CHUNK)]
    if min(threads, len(cut)) < 2:
        return [leaf(dtype, chunk) for chunk in cut]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(partial(leaf, dtype), cut))


def tensor(dtype: str, shape: Sequence[int], found: Sequence[Leaf]) -> str:
    """Digest of a tensor, its bytes cut into leaves of CHUNK bytes."""
    sizes = struct.pack(f"<B{len(shape) + 1}Q", len(shape), *shape, nbytes(dtype, shape))
    digests = b"".join(row[0] for row in found)
    return hashlib.sha256(b"surg-tensor-v1\0" + dtype.encode() + b"\0" + sizes + digests).hexdigest()


@lru_cache(1 << 16)
def entry(name: str, dtype: str, shape: tuple[int, ...], digest: str) -> bytes:
    """What a manifest says of a tensor."""
    size = nbytes(dtype, shape)
    return canon({"digest": digest, "dtype": dtype, "name": name, "nbytes": size, "shape": shape})


def manifest(rows: Iterable[tuple[str, str, tuple[int, ...], str]]) -> str:
    """Digest of named tensors, given as (name, dtype, shape, digest)."""
    return listed((row[0], entry(*row)) for row in rows)


def listed(rows: Iterable[tuple[str, bytes]]) -> str:
    """Digest of tensors, given as their names and what the manifest says of each."""
    table = b",".join([row for _, row in sorted(rows)])
    return hashlib.sha256(b"surg-manifest-v1\0[" + table + b"]").hexdigest()


def tagged(domain: str, value: Any) -> str:
    """Digest of a JSON value in a domain."""
    return hashlib.sha256(domain.encode() + b"\0" + canon(value)).hexdigest()


def chain(previous: str, step: dict[str, Any]) -> str:
    """Digest of a step, tied to everything before it."""
    body = {key: value for key, value in step.items() if key != "chain"}
    return hashlib.sha256(b"surg-step-v1\0" + bytes.fromhex(previous) + canon(body)).hexdigest()
