"""Lies about who signed and when: envelopes, keys, the place in a row; and the honest ones beside them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.verifier import surgeries as s
from tests.verifier.corpus.telling import Case, Json, Make, at, edited, lied
from tests.verifier.forge import canon
from tests.verifier.test_signatures import ALICE, BOB, envelope

ORDER = 2**252 + 27742317777372353535851937790883648493
BOTH = ("--key", "alice.pem", "--key", "bob.hex")
Change = Callable[[Json], object]


def signed(*keys: Ed25519PrivateKey, change: Change = lambda _: None) -> Make:
    """A certificate with an envelope, perhaps changed, and the keys that an auditor may name."""

    def make(path: Path) -> None:
        s.mlp().write(path)
        held = envelope((path / "certificate" / "cert.json").read_bytes(), *keys)
        change(held)
        (path / "certificate" / "cert.dsse.json").write_bytes(canon(held))
        named(path)

    return make


def named(path: Path) -> None:
    """The public keys of two people, as they would bring them."""
    pem = ALICE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (path / "alice.pem").write_bytes(pem)
    (path / "bob.hex").write_text(BOB.public_key().public_bytes_raw().hex() + "\n", encoding="ascii")


def unsigned(path: Path) -> None:
    s.mlp().write(path)
    named(path)


def respelled(change: Callable[[bytes], bytes], *place: Any) -> Change:
    """An edit of what a base64 text stands for."""

    def apply(held: Json) -> None:
        spot: Any = held
        for key in place[:-1]:
            spot = spot[key]
        spot[place[-1]] = base64.b64encode(change(base64.b64decode(spot[place[-1]]))).decode()

    return apply


def higher(signature: bytes) -> bytes:
    """The same signature with the order of the group added to its scalar."""
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def turned(signature: bytes) -> bytes:
    return signature[:-2] + bytes([signature[-2] ^ 1]) + signature[-1:]


def claiming(held: Json) -> None:
    held["signatures"][0]["keyid"] = ALICE.public_key().public_bytes_raw().hex()


def unpadded(held: Json) -> None:
    held["signatures"][0]["sig"] = held["signatures"][0]["sig"].rstrip("=")


def superseding(statement: Json) -> None:
    statement["predicate"] |= {"sequence": 3, "supersedes": "5" * 64}


SIGNED: tuple[tuple[str, Make, tuple[str, ...]], ...] = (
    ("signed", signed(ALICE, BOB), BOTH),
    ("signed-by-one-of-two", signed(BOB), (*BOTH, "--signatures", "1")),
    ("signed-unchecked", signed(ALICE, BOB), ()),
    ("superseding", edited(s.mlp, superseding), ("--min-sequence", "3")),
)
SIGNATURES: tuple[Case, ...] = (
    Case("M02", "an older certificate", "V19", lied(s.mlp), ("--min-sequence", "1")),
    Case("M02", "a place in a row that supersedes nothing", "V03", edited(s.mlp, at(3, "sequence"))),
    Case("M02", "a first place that supersedes something", "V03", edited(s.mlp, at("5" * 64, "supersedes"))),
    Case("M02", "a place below nothing", "V03", edited(s.mlp, at(-1, "sequence"))),
    Case("M72", "an envelope around another statement", "V22", signed(
        ALICE, change=respelled(lambda data: data.replace(b'"seed":7', b'"seed":8'), "payload"))),
    Case("M72", "a payload with a space behind", "V22", signed(
        ALICE, change=respelled(lambda data: data + b" ", "payload"))),
    Case("M72", "nobody signed", "V22", unsigned, ("--key", "alice.pem")),
    Case("M72", "another signed", "V22", signed(BOB), ("--key", "alice.pem")),
    Case("M72", "one of two signed", "V22", signed(ALICE), BOTH),
    Case("M72", "one key signed twice", "V22", signed(ALICE, ALICE), BOTH),
    Case("M72", "a key id that lies", "V22", signed(BOB, change=claiming), ("--key", "alice.pem")),
    Case("M72", "one bit of a signature", "V22", signed(ALICE, change=respelled(turned, "signatures", 0, "sig")),
        ("--key", "alice.pem")),
    Case("M72", "a scalar above the order", "V22", signed(ALICE, change=respelled(higher, "signatures", 0, "sig")),
        ("--key", "alice.pem")),
    Case("M72", "base64 without its padding", "V22", signed(ALICE, change=unpadded)),
    Case("M72", "another type of payload", "V03", signed(
        ALICE, change=lambda held: held.update(payloadType="text/plain"))),
    Case("M72", "no signature at all", "V03", signed(change=lambda held: held)),
    Case("M72", "an envelope with a second truth", "V03", signed(ALICE, change=lambda held: held.update(cert="x"))),
)  # fmt: skip
