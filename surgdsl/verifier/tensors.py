"""Weight files: a strict reader of safetensors, and the store that finds a tensor's bytes by its digest.

Every byte of the file is a length, a header or a tensor: no holes, no overlaps, no duplicate names, nothing behind.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.canonical import is_list, is_object
from surgdsl.verifier.folder import open_regular
from surgdsl.verifier.reject import Reject, need

HEADER_LIMIT = 64 << 20
TENSOR_LIMIT = 200_000
CACHE_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of a file: what it is, where its bytes lie, and their digest."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int
    digest: str


class WeightFile:
    """An open safetensors file, hashed once; `entries` by name."""

    def __init__(self, path: str, what: str, canonical: bool) -> None:
        self.what = what
        self._descriptor = open_regular(path, what)
        size = os.fstat(self._descriptor).st_size
        need(size >= 8, "V07", f"{what} is too short for a weight file")
        (length,) = struct.unpack("<Q", self._pread(0, 8))
        need(length <= HEADER_LIMIT, "V20", f"{what}: the header is larger than {HEADER_LIMIT} bytes")
        need(8 + length <= size, "V07", f"{what}: the header is longer than the file")
        raw = self._pread(8, length)
        table = parse_header(raw, what)
        need(not canonical or raw == encode_header(table), "V07", f"{what}: the header is not canonical")
        self.entries = dict(self._entries(table, 8 + length, size))

    def read(self, entry: Entry) -> bytes:
        """The bytes of a tensor, hashed again: the file may have changed since it was opened."""
        data = self._pread(entry.start, entry.stop - entry.start)
        found = digests.tensor(entry.dtype, entry.shape, digests.chunks(data))
        need(found == entry.digest, "V08", f"{self.what} changed while it was being read")
        return data

    def manifest(self) -> str:
        """Digest of all that the file holds."""
        return digests.manifest((name, entry.dtype, entry.shape, entry.digest) for name, entry in self.entries.items())

    def _entries(self, table: dict[str, Any], base: int, size: int) -> Iterator[tuple[str, Entry]]:
        at = 0
        for name, row in sorted(table.items(), key=lambda item: item[1]["data_offsets"]):
            shape, (start, stop) = tuple(row["shape"]), row["data_offsets"]
            fits = start == at and stop - start == digests.nbytes(row["dtype"], shape) and base + stop <= size
            need(fits, "V07", f"{self.what}: offsets of `{name}` leave a hole, overlap or do not fit its shape")
            found = digests.tensor(row["dtype"], shape, self._leaves(base + start, base + stop))
            yield name, Entry(row["dtype"], shape, base + start, base + stop, found)
            at = stop
        need(base + at == size, "V07", f"{self.what}: bytes lie after the last tensor")

    def _leaves(self, start: int, stop: int) -> Iterator[bytes]:
        for at in range(start, stop, digests.CHUNK):
            yield self._pread(at, min(digests.CHUNK, stop - at))

    def _pread(self, start: int, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = os.pread(self._descriptor, count, start)
            need(bool(part), "V07", f"{self.what} is shorter than its header says")
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return b"".join(parts)


def parse_header(raw: bytes, what: str) -> dict[str, Any]:
    """Name to dtype, shape and offsets; `__metadata__` is dropped. V07 when anything else stands there."""
    try:
        table: Any = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Reject("V07", f"{what}: the header is not JSON with distinct keys") from None
    need(raw[:1] == b"{" and is_object(table), "V07", f"{what}: the header does not begin with an object")
    table.pop("__metadata__", None)
    need(len(table) <= TENSOR_LIMIT, "V20", f"{what}: more than {TENSOR_LIMIT} tensors")
    for name, row in table.items():
        need(is_name(name), "V07", f"{what}: a tensor's name is not 1 to 256 printable ASCII characters")
        need(_is_row(row), "V07", f"{what}: the entry of `{name}` is malformed")
    return table


def is_name(text: Any) -> bool:
    """Whether a value is a name: printable ASCII without spaces."""
    return type(text) is str and 1 <= len(text) <= 256 and all("!" <= letter <= "~" for letter in text)


def encode_header(table: dict[str, Any]) -> bytes:
    """The canonical header: sorted by name, dtype before shape before data_offsets, padded to a multiple of 8."""
    rows = {name: {key: table[name][key] for key in ("dtype", "shape", "data_offsets")} for name in sorted(table)}
    starts = [row["data_offsets"] for row in rows.values()]
    need(starts == sorted(starts), "V07", "the data of a canonical weight file lies in the order of the names")
    raw = json.dumps(rows, separators=(",", ":")).encode()
    return raw + b" " * (-len(raw) % 8)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("duplicate key")
    return table


def _is_row(row: Any) -> bool:
    if not is_object(row) or set(row) != {"dtype", "shape", "data_offsets"} or row["dtype"] not in digests.ITEMSIZE:
        return False
    shape, offsets = row["shape"], row["data_offsets"]
    if not is_list(shape) or not is_list(offsets) or len(offsets) != 2 or len(shape) > 8:
        return False
    return all(type(number) is int and 0 <= number < 2**46 for number in (*shape, *offsets))


class Store:
    """Bytes by tensor digest: the two weight files, then the blobs that the statement lists."""

    def __init__(self, files: tuple[WeightFile, ...]) -> None:
        self._places = {entry.digest: (file, entry) for file in reversed(files) for entry in file.entries.values()}
        self._cache: dict[str, bytes] = {}
        self._cached = 0
        self.blobs: set[str] = set()

    def add(self, row: dict[str, Any], data: bytes) -> None:
        """Take in one row of `tensors`; V08 when its bytes are not that tensor or lie in a weight file already."""
        shape, name = tuple(row["shape"]), row["digest"]
        size = digests.nbytes(row["dtype"], shape)
        need(len(data) == size, "V08", f"tensor {name[:12]} does not have the size of its shape")
        need(name not in self._places, "V08", f"tensor {name[:12]} lies in a weight file and among the blobs")
        found = digests.tensor(row["dtype"], shape, digests.chunks(data))
        need(found == name, "V08", f"tensor {name[:12]} does not have the digest that is stated")
        self._cache[name] = data
        self.blobs.add(name)

    def learn(self, name: str, data: bytes) -> None:
        """Bytes that were computed here and have this digest; where a file has them too they need not be kept."""
        if name not in self._places:
            self._cache[name] = data

    def fetch(self, name: str, what: str) -> bytes:
        """The bytes of a tensor; V08 when nobody has them. Small ones are kept, so that each is read once."""
        if name in self._cache:
            return self._cache[name]
        need(name in self._places, "V08", f"the bytes of `{what}` (tensor {name[:12]}) lie nowhere")
        file, entry = self._places[name]
        data = file.read(entry)
        if self._cached + len(data) <= CACHE_LIMIT:
            self._cache[name] = data
            self._cached += len(data)
        return data
