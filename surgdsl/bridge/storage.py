"""Storage: weight files read and written, in the safetensors format.

Reading maps the file, so a tensor costs memory only while it is looked at. Writing is canonical, so that equal tensors
make equal files, and atomic, so that an interrupted run leaves nothing under the final name.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from surgdsl.bridge.paging import release, runs
from surgdsl.bridge.weight import NUMPY, Array
from surgdsl.diagnostic import Diagnostic, Refusal

Tensors = Mapping[str, tuple[str, Array]]
"""(dtype, array) by name."""

NOTES = "__metadata__"
"""What safetensors calls a writer's own notes, which are no tensor."""
UNREADABLE: Mapping[type[OSError], str] = MappingProxyType({FileNotFoundError: "E0701", IsADirectoryError: "E0702"})


def read(path: Path, sha256: str | None = None) -> Tensors:
    """The tensors of a weight file, read-only and mapped, in the order of its header.

    Args:
        path: a safetensors file.
        sha256: what the bytes of the file must hash to, 64 lower-case hexadecimal digits.

    Raises:
        Refusal: E0701 to E0703, the file cannot be read; E0711, it is not a safetensors file; E0712, its bytes hash to
            something else; E0713, a dtype that no certificate has.
    """
    try:
        found = file_digest(path)
        if sha256 and found != sha256:
            raise Refusal(_fault("E0712", f"`{path}` is not the file that was named", f"its SHA-256 is {found}"))
        with safe_open(path, framework="numpy"):  # the library judges the header: offsets, sizes, names
            return _mapped(path)
    except SafetensorError as error:
        raise Refusal(_fault("E0711", f"`{path}` is not a safetensors file", str(error))) from error
    except OSError as error:
        code = UNREADABLE.get(type(error), "E0703")
        raise Refusal(_fault(code, f"cannot read `{path}`", _reason(error))) from error


def _mapped(path: Path) -> Tensors:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        pairs = cast("list[tuple[str, Any]]", json.loads(file.read(length), object_pairs_hook=_pairs))
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    entries = [(name, dict(cast("list[tuple[str, Any]]", fields))) for name, fields in pairs if name != NOTES]
    repeated = len(entries) - len({name for name, _ in entries})
    if repeated:
        raise Refusal(_fault("E0711", f"`{path}` is not a safetensors file", "it names a tensor twice"))
    return {name: _tensor(name, fields, data, 8 + length) for name, fields in entries}


def _pairs(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return pairs  # as read: a dict would hide that a name comes twice


def _tensor(name: str, fields: dict[str, Any], data: mmap.mmap, start: int) -> tuple[str, Array]:
    dtype, shape, (begin, _) = fields["dtype"], tuple(fields["shape"]), fields["data_offsets"]
    if dtype not in NUMPY:
        raise Refusal(
            _fault("E0713", f"a tensor of dtype `{dtype}`, which no certificate can state", f"tensor `{name}`")
        )
    count = int(np.prod(shape, dtype=np.int64))
    flat = np.frombuffer(data, NUMPY[dtype], count, start + begin) if count else np.zeros(0, dtype=NUMPY[dtype])
    array = flat.reshape(shape)
    if not array.flags.aligned:
        array = array.copy()
    array.flags.writeable = False
    return dtype, array


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def header(tensors: Tensors) -> bytes:
    """The canonical header with its length in front: names in byte order, no white space, padded to 8 bytes."""
    rows: dict[str, dict[str, object]] = {}
    offset = 0
    for name in sorted(tensors):
        dtype, array = tensors[name]
        assert array.dtype == NUMPY[dtype]
        rows[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write(path: Path, tensors: Tensors) -> None:
    """Write a weight file in its canonical form.

    Raises:
        OSError: the disk would not take it; whoever publishes says so.
        Refusal: E0715, a tensor has a name that no certificate can hold.
    """
    check_names(tensors)
    with _whole(path) as file:
        file.write(header(tensors))
        for name in sorted(tensors):
            file.writelines(_blocks(tensors[name][1]))
            release(tensors[name][1])


def check_names(names: Iterable[str]) -> None:
    """Refuse names that a certificate cannot hold: it has 1 to 256 printable ASCII characters, without spaces.

    Raises:
        Refusal: E0715, one diagnostic for each.
    """
    strange = [name for name in names if not _speakable(name)]
    if strange:
        reason = f"a name has 1 to 256 printable ASCII characters, no spaces, and is not {NOTES}"
        raise Refusal(*(_fault("E0715", f"`{name:.80}` cannot be a name in a certificate", reason) for name in strange))


def _speakable(name: str) -> bool:
    return 1 <= len(name) <= 256 and all("!" <= char <= "~" for char in name) and name != NOTES


def _blocks(array: Array) -> Iterable[memoryview]:
    return (np.ascontiguousarray(run).view(np.uint8).data for run in runs(array))


@contextmanager
def _whole(path: Path) -> Generator[IO[bytes]]:
    """A file that appears under its name only when it is complete."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _fault(code: str, message: str, label: str) -> Diagnostic:
    return Diagnostic(code, message, label=label)
