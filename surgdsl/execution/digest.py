"""Digests: SHA-256, one domain for each kind of thing, so that bytes of one kind never pass for another.

A tensor's dtype and shape are hashed with its bytes: the same bytes read differently are another tensor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from attrs import field, frozen

from surgdsl.bridge.paging import release
from surgdsl.bridge.weight import Array
from surgdsl.execution.canonical import Json, encode

CHUNK = 8 << 20
START = "0" * 64
"""The digest before the first step."""

Row = tuple[str, str, tuple[int, ...], str]
"""A tensor of a manifest: name, dtype, shape, digest."""


def tensor(dtype: str, array: Array) -> str:
    """The digest of a tensor, over leaves of 8 MiB."""
    data = raw(array)
    dims = b"".join(size.to_bytes(8, "little") for size in array.shape)
    head = dtype.encode() + b"\0" + bytes([array.ndim]) + dims + data.nbytes.to_bytes(8, "little")
    whole = hashlib.sha256(b"surg-tensor-v1\0" + head)
    for start in range(0, data.nbytes, CHUNK):
        leaf = hashlib.sha256(b"\0")
        leaf.update(data[start : start + CHUNK])
        whole.update(leaf.digest())
    release(array)
    return whole.hexdigest()


def raw(array: Array) -> memoryview:
    """The bytes of an array, row-major and little-endian."""
    flat = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).reshape(-1)
    return flat.view("u1").data if flat.size else memoryview(b"")


@frozen(eq=False)
class Digests:
    """Digests of arrays that were hashed before, by identity: a weight that a step does not touch is hashed once."""

    known: dict[int, tuple[Array, str]] = field(factory=dict[int, tuple[Array, str]], repr=False)

    def of(self, dtype: str, array: Array) -> str:
        """The digest of `array`, which is kept alive so that its identity stays its own."""
        if id(array) not in self.known:
            self.known[id(array)] = array, tensor(dtype, array)
        return self.known[id(array)][1]


def manifest(rows: Iterable[Row], sizes: Iterable[int]) -> str:
    """The digest of named tensors, whatever order they come in; `sizes` are their bytes."""
    table: list[Json] = [
        {"digest": digest, "dtype": dtype, "name": name, "nbytes": size, "shape": list(shape)}
        for (name, dtype, shape, digest), size in sorted(zip(rows, sizes, strict=True))
    ]
    return _tagged(b"surg-manifest-v1\0", table)


def graph(value: Json) -> str:
    """The digest of a graph in its canonical numbering."""
    return _tagged(b"surg-graph-v1\0", value)


def step(previous: str, value: Json) -> str:
    """The digest of a step (without its own), chained to the one before."""
    return _tagged(b"surg-step-v1\0" + bytes.fromhex(previous), value)


def rule(value: Json) -> str:
    """The digest of a declaration."""
    return _tagged(b"surg-rule-v1\0", value)


def seal(value: Json) -> str:
    """The digest of a statement without its seal."""
    return _tagged(b"surg-seal-v1\0", value)


def blob(data: bytes) -> str:
    """The name of a blob."""
    return hashlib.sha256(data).hexdigest()


def _tagged(domain: bytes, value: Json) -> str:
    return hashlib.sha256(domain + encode(value)).hexdigest()
