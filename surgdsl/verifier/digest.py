"""Digests: SHA-256, one domain for each kind of thing, so that bytes of one kind never pass for another.

Dtype and shape are bound into a tensor's digest: the same bytes under another reading are another tensor.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from surgdsl.verifier.canonical import canon

CHUNK = 8 << 20
ITEMSIZE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FLOATING = frozenset({"F64", "F32", "F16", "BF16"})


def nbytes(dtype: str, shape: Sequence[int]) -> int:
    """Bytes of a tensor.

    >>> nbytes("F32", [2, 3])
    24
    """
    size = ITEMSIZE[dtype]
    for extent in shape:
        size *= extent
    return size


def chunks(data: bytes) -> Iterable[memoryview]:
    """The leaves of a tensor that lies in memory."""
    view = memoryview(data)
    return (view[start : start + CHUNK] for start in range(0, len(data), CHUNK))


def tensor(dtype: str, shape: Sequence[int], leaves: Iterable[bytes | memoryview]) -> str:
    """Digest of a tensor, its bytes cut into leaves of CHUNK bytes."""
    head = (
        dtype.encode() + b"\0" + struct.pack("<B", len(shape)) + b"".join(struct.pack("<Q", extent) for extent in shape)
    )
    digest = hashlib.sha256(b"surg-tensor-v1\0" + head + struct.pack("<Q", nbytes(dtype, shape)))
    for leaf in leaves:
        inner = hashlib.sha256(b"\0")
        inner.update(leaf)
        digest.update(inner.digest())
    return digest.hexdigest()


def manifest(rows: Iterable[tuple[str, str, Sequence[int], str]]) -> str:
    """Digest of named tensors, given as (name, dtype, shape, digest)."""
    table = [
        {"digest": digest, "dtype": dtype, "name": name, "nbytes": nbytes(dtype, shape), "shape": list(shape)}
        for name, dtype, shape, digest in sorted(rows)
    ]
    return tagged("surg-manifest-v1", table)


def tagged(domain: str, value: Any) -> str:
    """Digest of a JSON value in a domain."""
    return hashlib.sha256(domain.encode() + b"\0" + canon(value)).hexdigest()


def chain(previous: str, step: dict[str, Any]) -> str:
    """Digest of a step, tied to everything before it."""
    body = {key: value for key, value in step.items() if key != "chain"}
    return hashlib.sha256(b"surg-step-v1\0" + bytes.fromhex(previous) + canon(body)).hexdigest()
