"""Targets that take bytes as they are: parsers of bytes and of texts, which an attacker writes as he likes.

A target returns when the verifier did what it may do: give a value, or refuse in its own way. Anything else is raised.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
import tempfile
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

SMALL = 1 << 12
KEYS = (bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),)  # RFC 8032, 7.1, test 1
STATEMENT = b'{"a":1}'
LIBRARY: Any = safetensors  # it brings no types
REFUSED = (safetensors.SafetensorError, ValueError, OverflowError)
PLACE = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108 - memory

STRICTER = frozenset({
    "the header is larger than N bytes",
    "the header is not JSON of naturals with distinct keys",
    "the header does not begin with an object",
    "a tensor's name is not N to N printable ASCII characters",
    "the entry of `X` is malformed",
    "offsets of `X` leave a hole, overlap or do not fit its shape",
})  # fmt: skip
"""Why this reader refuses what the library safetensors takes."""


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
    except Reject as reject:
        compared(data, SMALL if len(data) < SMALL else 0, reject.message)
        return
    with contextlib.suppress(Reject):
        encode_header(table)
    ends = [row["data_offsets"][1] for row in table.values()]
    if max(ends, default=0) <= SMALL:
        weights(struct.pack("<Q", len(data)) + data + bytes(range(256)) * (SMALL >> 8), max(ends, default=0))


def compared(head: bytes, room: int, reason: str) -> None:
    """What this reader refuses the library refuses too, or the reason stands in the list."""
    stricter(library(struct.pack("<Q", len(head)) + head + bytes(span(head, room))), reason)


def stricter(found: Any, reason: str) -> None:
    """What this reader refused, and why, beside what the library found."""
    assert found is None or plain(reason) in STRICTER, reason


def span(head: bytes, room: int) -> int:
    """How many bytes the largest number of a header asks for, so that the library has a chance to take it."""
    numbers = [int(text) for text in re.findall(rb"[0-9]{1,5}", head)]
    return min(room, max(numbers, default=0))


def plain(reason: str) -> str:
    """A reason without what it speaks of."""
    return re.sub(r"\b\d+\b", "N", re.sub(r"`.*`", "`X`", reason.partition(": ")[2], flags=re.DOTALL))


def library(data: bytes) -> dict[str, tuple[str, list[int], bytes]] | None:
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
    except Reject as reject:
        stricter(library(data), reject.message)
        return
    own = {e.name: (e.dtype, list(e.shape), bytes(file.read(e))) for e in file.entries.values()}
    assert own == library(data)
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
