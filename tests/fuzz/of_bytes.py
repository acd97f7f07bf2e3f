"""Targets that take bytes as they are: parsers of bytes and of texts, which an attacker writes as he likes.

A target returns when the verifier did what it may do: give a value, or refuse in its own way. Anything else is raised.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import safetensors
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from surgdsl.verifier import extent, requirement, signature
from surgdsl.verifier.canonical import canon, parse
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.schema import is_float, is_rational, parsed
from surgdsl.verifier.tensors import WeightFile, encode_header, parse_header
from tests.verifier.forge import tensor_digest

SMALL = 1 << 12
KEYS = (bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),)  # RFC 8032, 7.1, test 1
STATEMENT = b'{"a":1}'
LIBRARY: Any = safetensors  # it brings no types
REFUSED = (safetensors.SafetensorError, ValueError, OverflowError)
PLACE = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108 - memory

Read = dict[str, tuple[str, list[int], bytes]]
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")
STRICTER: dict[str, Callable[[bytes, Read], bool]] = {
    "a header begins with a brace": lambda head, _: head[:1] != b"{",
    "a name is 1 to 256 printable letters": lambda _, found: (
        not all(re.fullmatch("[!-~]{1,256}", one) for one in found)
    ),
    "a dtype is one of ten": lambda _, found: not {dtype for dtype, _, _ in found.values()} <= {*DTYPES},
    "a shape has at most 8 dimensions": lambda _, found: any(len(shape) > 8 for _, shape, _ in found.values()),
    "an extent is below 2^40": lambda _, found: any(max(shape, default=0) >= 2**40 for _, shape, _ in found.values()),
    "no key stands twice, and a row has three": lambda head, _: not distinct(head),
}
"""Why this reader refuses what the library safetensors takes; told from the bytes and from what the library found."""


def distinct(head: bytes) -> bool:
    """Whether every key of a header stands once, and every row says what it must and no more."""

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        rows = json.loads(head, object_pairs_hook=table)
    except ValueError:
        return False
    rows.pop("__metadata__", None)
    return all(set(row) == {"dtype", "shape", "data_offsets"} for row in rows.values())


def canonical(data: bytes) -> None:
    """What is parsed is written as the same bytes, and means what it means to everybody."""
    with contextlib.suppress(Reject):
        value = parse(data, "fuzz")
        assert canon(value) == data
        assert json.loads(data) == value


def header(data: bytes) -> None:
    """A header of a weight file, with as many bytes behind it as it asks for."""
    try:
        table = parse_header(data, "fuzz")
    except Reject:
        compared(data, SMALL if len(data) < SMALL else 0)
        return
    with contextlib.suppress(Reject):
        encode_header(table)
    ends = [row["data_offsets"][1] for row in table.values()]
    if max(ends, default=0) <= SMALL:
        weights(struct.pack("<Q", len(data)) + data + bytes(range(256)) * (SMALL >> 8), max(ends, default=0))


def compared(head: bytes, room: int) -> None:
    """What this reader refuses the library refuses too, or the reason stands in the list."""
    stricter(head, library(struct.pack("<Q", len(head)) + head + bytes(span(head, room))))


def stricter(head: bytes, found: Read | None) -> None:
    """What this reader refused, beside what the library found."""
    assert found is None or any(reason(head, found) for reason in STRICTER.values()), head


def span(head: bytes, room: int) -> int:
    """How many bytes the largest number of a header asks for, so that the library has a chance to take it."""
    numbers = [int(text) for text in re.findall(rb"[0-9]{1,5}", head)]
    return min(room, max(numbers, default=0))


def library(data: bytes) -> Read | None:
    """What the library reads in a weight file; None where it refuses."""
    try:
        rows = LIBRARY.deserialize(data)
    except REFUSED:
        return None
    return {name: (row["dtype"], list(row["shape"]), bytes(row["data"])) for name, row in rows}


def weight_file(data: bytes) -> None:
    """A whole weight file."""
    weights(data, None)


def weights(data: bytes, length: int | None) -> None:
    """What this reader takes the library takes too, and both see the same tensors."""
    (size,) = struct.unpack("<Q", data[:8].ljust(8, b"\0"))
    data = data if length is None else data[: 8 + size + length]
    path = Path(PLACE.name, "weights")
    path.write_bytes(data)
    try:
        file = WeightFile(str(path), "fuzz", canonical=False)
    except Reject:
        stricter(data[8 : 8 + size], library(data))
        return
    own = {e.name: (e.dtype, list(e.shape), data[e.start : e.stop]) for e in file.entries.values()}
    assert own == library(data)
    assert [e.digest for e in file.entries.values()] == [tensor_digest(*own[name]) for name in file.entries]
    assert re.fullmatch(r"[0-9a-f]{64}", file.manifest())
    with contextlib.suppress(Reject):
        WeightFile(str(path), "fuzz", canonical=True)


def scalars(data: bytes) -> None:
    """Extents, rationals and floats: what is one is in its normal form, and arithmetic stays in it."""
    text = data.decode("utf-8", "replace")
    if is_rational(text):
        assert re.fullmatch(r"-?(0|[1-9]\d*)(/[1-9]\d*)?", text, re.ASCII)
    if is_float(text):
        assert float.fromhex(text).hex() == text
    if not extent.is_extent(text):
        return
    with contextlib.suppress(Reject):
        assert extent.value(text, dict.fromkeys(extent.symbols(text), 1)) >= 1
        for made in (extent.product(text, 3, "B"), extent.total([text, text, 1]), extent.product(text, text)):
            assert extent.normal(extent.terms(made)) == made


def asked(data: bytes) -> None:
    """What an auditor asks, in any spelling."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        reading = requirement.asked(text)
        assert reading.metric in text
    found = requirement.read(text)
    assert found is None or found.kind in ("counted", "measured")


def text(data: bytes) -> None:
    """The text of a surgery: its promises are found, or the braces do not match."""
    with contextlib.suppress(Reject):
        found, _ = requirement.surgeries(requirement.own_text(data))
        for name, said in found:
            assert name in requirement.promised(said, data)[0].split(" or ")
            assert said == [requirement.one_line(one) for one in said]


def key(data: bytes) -> None:
    """A public key in a file."""
    with contextlib.suppress(ValueError):
        assert len(signature.public_key(data.decode("ascii"))) == 32


def envelope(data: bytes) -> None:
    """An envelope around some statement, which no key of the auditor signed."""
    with contextlib.suppress(Reject):
        document = parsed(data, "envelope", "fuzz")
        assert signature.signers(document, signature.unpacked(document["payload"]), ()) == []


def signed(data: bytes) -> None:
    """A key, a signature and a message: what is taken here the library cryptography takes too."""
    public, one, message = data[:32].ljust(32, b"\0"), data[32:96], data[96:]
    try:
        public = signature.public_key(public.hex())
    except ValueError:
        public = KEYS[0]
    if signature.signed(public, message, one):
        Ed25519PublicKey.from_public_bytes(public).verify(one, message)
        return
    with contextlib.suppress(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(one, message)
        raise AssertionError(cast("Any", one).hex())
