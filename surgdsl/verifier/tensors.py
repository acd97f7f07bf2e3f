"""Weight files: a strict reader of safetensors, and the store that finds a tensor's bytes by its digest.

Every byte of the file is a length, a header or a tensor: no holes, no overlaps, no duplicate names, nothing behind.
"""

from __future__ import annotations

import json
import os
import struct
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from tempfile import SpooledTemporaryFile
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.arrays import ops
from surgdsl.verifier.canonical import is_object
from surgdsl.verifier.folder import open_regular
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.schema import conform
from surgdsl.verifier.weight import Part

HEADER_LIMIT = 64 << 20
TENSOR_LIMIT = 200_000
HELD_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of a file: what it is, where its bytes lie, and what its leaves are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int
    leaves: tuple[digests.Leaf, ...] = ()
    digest: str = ""


class WeightFile:
    """An open safetensors file, hashed once by some threads; `entries` by name."""

    def __init__(self, path: str, what: str, canonical: bool, threads: int = 1) -> None:
        self.what, self.threads = what, threads
        self._descriptor = open_regular(path, what)
        weakref.finalize(self, os.close, self._descriptor)
        self._state = self._now()
        size = self._state[0]
        need(size >= 8, "V07", f"{what} is too short for a weight file")
        (length,) = struct.unpack("<Q", self._pread(0, 8))
        need(length <= HEADER_LIMIT, "V20", f"{what}: the header is larger than {HEADER_LIMIT} bytes")
        need(8 + length <= size, "V07", f"{what}: the header is longer than the file")
        self.pool, raw = ThreadPoolExecutor(threads), bytes(self._pread(8, 8 + length))
        table = parse_header(raw, what)
        need(not canonical or raw == encode_header(table), "V07", f"{what}: the header is not canonical")
        self.entries = {entry.name: entry for entry in self._hashed(self._laid(table, 8 + length, size))}

    def read(self, entry: Entry, number: int) -> memoryview:
        """A leaf of a tensor, hashed again: the file may have changed since it was opened."""
        start = entry.start + number * digests.CHUNK
        data = ops.buffer(min(digests.CHUNK, entry.stop - start))
        found = digests.leaf("", self._pieces(data, start, start + len(data)))
        need(found[0] == entry.leaves[number][0], "V08", f"{self.what} changed while it was being read")
        return data

    def manifest(self) -> str:
        """Digest of all that the file holds."""
        return digests.manifest((name, entry.dtype, entry.shape, entry.digest) for name, entry in self.entries.items())

    def unchanged(self) -> None:
        """V08 when the file is no longer what it was when it was opened."""
        need(self._now() == self._state, "V08", f"{self.what} changed while it was being read")

    def _now(self) -> tuple[int, int, int]:
        state = os.fstat(self._descriptor)
        return state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def _laid(self, table: dict[str, Any], base: int, size: int) -> list[Entry]:
        found, at = list[Entry](), 0
        for name, row in sorted(table.items(), key=lambda item: item[1]["data_offsets"]):
            shape, (start, stop) = tuple(row["shape"]), row["data_offsets"]
            fits = start == at and stop - start == digests.nbytes(row["dtype"], shape) and base + stop <= size
            need(fits, "V07", f"{self.what}: offsets of `{name}` leave a hole, overlap or do not fit its shape")
            found.append(Entry(name, row["dtype"], shape, base + start, base + stop))
            at = stop
        need(base + at == size, "V07", f"{self.what}: bytes lie after the last tensor")
        return found

    def _hashed(self, entries: list[Entry]) -> Iterator[Entry]:
        cuts = [range(entry.start, entry.stop, digests.CHUNK) for entry in entries]
        leaves = (
            (e.dtype, at, min(at + digests.CHUNK, e.stop)) for e, cut in zip(entries, cuts, strict=True) for at in cut
        )
        groups = [list(group) for _, group in groupby(leaves, lambda leaf: leaf[1] // digests.CHUNK)]
        found = chain.from_iterable(self.pool.map(self._leaves, groups))
        for e, cut in zip(entries, cuts, strict=True):
            own = tuple(islice(found, len(cut)))
            yield Entry(e.name, e.dtype, e.shape, e.start, e.stop, own, digests.tensor(e.dtype, e.shape, own))

    def _leaves(self, group: list[tuple[str, int, int]]) -> list[digests.Leaf]:
        buffer = ops.buffer(digests.PIECE)
        return [digests.leaf(dtype, self._pieces(buffer, start, stop)) for dtype, start, stop in group]

    def _pieces(self, buffer: memoryview, start: int, stop: int) -> Iterator[memoryview]:
        for at in range(start, stop, len(buffer) or 1):
            piece, done = buffer[: min(len(buffer), stop - at)], 0
            while done < len(piece):
                count = os.preadv(self._descriptor, [piece[done:]], at + done)
                need(count > 0, "V07", f"{self.what} is shorter than its header says")
                done += count
            yield piece

    def _pread(self, start: int, stop: int) -> memoryview:
        data = ops.buffer(stop - start)
        for _ in self._pieces(data, start, stop):
            pass  # one piece, which is all
        return data


class Lazy:
    """The bytes of a tensor of a file, of which two leaves are in memory: that which is looked at, and the next one."""

    def __init__(self, file: WeightFile, entry: Entry) -> None:
        self._file, self._entry = file, entry
        self._leaves: dict[int, Future[memoryview]] = {}

    def __len__(self) -> int:
        return self._entry.stop - self._entry.start

    def __getitem__(self, run: slice) -> memoryview:
        start, stop, _ = run.indices(len(self))
        found = [
            self._leaf(number)[max(0, start - number * digests.CHUNK) : max(0, stop - number * digests.CHUNK)]
            for number in range(start // digests.CHUNK, -(-stop // digests.CHUNK))
        ]
        return found[0] if len(found) == 1 else memoryview(b"".join(found))

    def _leaf(self, number: int) -> memoryview:
        near = range(number, min(number + 2, len(self._entry.leaves)))
        self._leaves = {
            at: self._leaves.get(at) or self._file.pool.submit(self._file.read, self._entry, at) for at in near
        }
        return self._leaves[number].result()


def parse_header(raw: bytes, what: str) -> dict[str, Any]:
    """Name to dtype, shape and offsets; `__metadata__` is dropped. V07 when anything else stands there."""
    try:
        table: Any = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_int=_natural)
        json.dumps(table, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Reject("V07", f"{what}: the header is not JSON of naturals with distinct keys") from None
    need(raw[:1] == b"{" and is_object(table), "V07", f"{what}: the header does not begin with an object")
    metadata = table.pop("__metadata__", {})
    fits = is_object(metadata) and all(type(text) is str for text in metadata.values())
    need(fits, "V07", f"{what}: `__metadata__` is no object of texts")
    need(len(table) <= TENSOR_LIMIT, "V20", f"{what}: more than {TENSOR_LIMIT} tensors")
    for name, row in table.items():
        try:
            conform("name", name, "a tensor's name")
            conform("stored", row, f"the entry of `{name}`")
        except Reject as fault:
            raise Reject("V07", f"{what}: {fault.message}") from None
    return table


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


def _natural(text: str) -> int:
    if text[0] == "-":  # also -0, which would be equal to 0
        raise ValueError(text)
    return int(text)


class Store:
    """Bytes by tensor digest: the two weight files, then the blobs that the statement lists, then what is found here.

    What is found stays in memory while it is small, and goes to a file without a name when it is not.
    """

    def __init__(self, files: tuple[WeightFile, ...]) -> None:
        places = {entry.digest: (file, entry) for file in reversed(files) for entry in file.entries.values()}
        self._leaves = {name: (entry.dtype, entry.shape, entry.leaves) for name, (_, entry) in places.items()}
        self._read: dict[str, Callable[[], Any]] = {
            name: partial(Lazy, file, entry) for name, (file, entry) in places.items()
        }
        self._held, self._threads = 0, max(file.threads for file in files)
        self._aside_file = SpooledTemporaryFile(1)  # noqa: SIM115 - made when it is written to, closed with the store
        weakref.finalize(self, self._aside_file.close)
        self.blobs: set[str] = set()

    def add(self, row: dict[str, Any], read: Callable[[], bytes]) -> None:
        """Take in one row of `tensors`; V08 when its bytes are not that tensor or lie in a weight file already."""
        name = row["digest"]
        need(name not in self._read, "V08", f"tensor {name[:12]} lies in a weight file and among the blobs")
        same = self._known(name, row["dtype"], row["shape"], read())
        need(same, "V08", f"the bytes of tensor {name[:12]} are others")
        self._read[name] = read
        self.blobs.add(name)

    def learn(self, name: str, dtype: str, shape: Sequence[int], data: bytes) -> bool:
        """Whether these bytes are the tensor of that digest; they are known from then on."""
        same = self._known(name, dtype, shape, data)
        if same and name not in self._read:
            self._held += len(data)
            self._read[name] = self._aside(data) if self._held > HELD_LIMIT else lambda: data
        return same

    def _known(self, name: str, dtype: str, shape: Sequence[int], data: bytes) -> bool:
        leaves = tuple(digests.leaves(dtype, data, self._threads))
        same = digests.nbytes(dtype, shape) == len(data) and digests.tensor(dtype, shape, leaves) == name
        if same:
            self._leaves[name] = dtype, tuple(shape), leaves
        return same

    def counts(self, part: Part) -> tuple[int, int]:
        """How many elements of a tensor are not zero, and how many have no value; V08 when nobody has its bytes."""
        need(part.digest in self._read, "V08", f"the bytes of `{part.name}` (tensor {part.digest[:12]}) lie nowhere")
        dtype, shape, leaves = self._leaves[part.digest]
        need((dtype, shape) == (part.dtype, part.shape), "V08", f"`{part.name}` has another dtype or shape")
        return sum(leaf[1] for leaf in leaves), sum(leaf[2] for leaf in leaves)

    def fetch(self, part: Part) -> Any:
        """The bytes of a tensor; V08 when nobody has them."""
        self.counts(part)
        return self._read[part.digest]()

    def _aside(self, data: Any) -> Callable[[], Any]:
        file, start = self._aside_file, self._aside_file.seek(0, os.SEEK_END)
        size = file.write(data)

        def read() -> Any:
            found = ops.buffer(size)
            file.seek(start)
            file.readinto(found)
            return found

        return read
