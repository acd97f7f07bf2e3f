"""Signatures: RFC 8032's vectors, and whatever an envelope could lie about."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.verifier import signature as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.forge import canon

ALICE, BOB = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
RFC8032 = (  # section 7.1: public key, message, R, S
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
SMALL = (  # the encodings of small order that decode at all: orders 1, 2, 4, 4, 8, 8, 8, 8
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)
TWICE = (  # other encodings of points that have one: y = 1 and y = 0 written with p added, x = 0 with a sign
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@pytest.mark.parametrize(("key", "message", "commitment", "scalar"), RFC8032)
def test_the_vectors_of_the_rfc(key: str, message: str, commitment: str, scalar: str) -> None:
    good = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(commitment + scalar)
    assert s.signed(*good)
    assert not s.signed(good[0], good[1] + b"\0", good[2])
    higher = int.from_bytes(good[2][32:], "little") + s.L  # the same residue: S must be below L
    assert not s.signed(good[0], good[1], good[2][:32] + higher.to_bytes(32, "little"))


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_what_another_library_signs_verifies_and_no_bit_may_change(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    good = key.sign(message)
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    assert s.signed(raw(key), message, good)
    assert not s.signed(raw(key), message, bytes(bad))
    assert not s.signed(raw(key), message, good + b"\0")


@pytest.mark.parametrize("encoding", SMALL)
def test_a_key_of_small_order_is_none(encoding: str) -> None:
    assert s.decode(bytes.fromhex(encoding)) is not None
    with pytest.raises(ValueError, match="large order"):
        s.public_key(encoding)


@pytest.mark.parametrize("encoding", [*TWICE, "02" + "00" * 31])
def test_a_point_has_one_encoding(encoding: str) -> None:
    assert s.decode(bytes.fromhex(encoding)) is None


def test_a_commitment_of_small_order_in_another_form_is_refused() -> None:
    """R is compared as bytes: with S = k·a and R the zero point, only the one encoding of zero passes."""
    secret = 12345
    key = s.encode(s.times(secret, s.BASE))
    for form, expected in (("01" + "00" * 31, True), (TWICE[0], False), (TWICE[2], False)):
        commitment = bytes.fromhex(form)
        k = int.from_bytes(s.hashlib.sha512(commitment + key + b"m").digest(), "little")
        assert s.signed(key, b"m", commitment + (k * secret % s.L).to_bytes(32, "little")) is expected


def test_keys_are_read_from_pem_and_from_digits() -> None:
    pem = ALICE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert raw(ALICE) == s.public_key(pem) == s.public_key(raw(ALICE).hex()) == s.public_key(raw(ALICE).hex() + "\n")
    other = pem.replace("MCowBQYDK2Vw", "MCowBQYDK2Vu")  # X25519
    for text in (other, pem.upper(), pem + pem, raw(ALICE).hex()[1:], raw(ALICE).hex().upper(), "", " " + pem):
        with pytest.raises(ValueError, match=r"neither PEM|large order"):
            s.public_key(text)


def envelope(statement: bytes, *keys: Ed25519PrivateKey) -> dict[str, Any]:
    body = base64.b64encode(statement).decode()
    message = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(statement) + statement
    rows = [{"keyid": "", "sig": base64.b64encode(key.sign(message)).decode()} for key in keys]
    return {"payload": body, "payloadType": "application/vnd.in-toto+json", "signatures": rows}


Seal = Callable[..., Path]


@pytest.fixture
def seal(folder: Path, tmp_path: Path) -> Seal:
    """Writes an envelope, or other bytes in its place, and the public keys of both as files."""
    for name, key in (("alice", ALICE), ("bob", BOB)):
        (tmp_path / name).write_text(raw(key).hex(), encoding="ascii")

    def write(*keys: Ed25519PrivateKey, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Path:
        held = envelope((folder / "certificate" / "cert.json").read_bytes(), *keys)
        changed = change(held)
        data = changed if isinstance(changed, bytes) else canon(held)
        (folder / "certificate" / "cert.dsse.json").write_bytes(data)
        return folder

    return write


def test_who_signed_is_said(seal: Seal, tmp_path: Path) -> None:
    folder = seal(ALICE, BOB)
    code, line = verdict(folder, "--key", str(tmp_path / "alice"), "--key", str(tmp_path / "bob"))
    assert (code, line["signers"]) == (0, [s.hashlib.sha256(raw(key)).hexdigest() for key in (ALICE, BOB)])
    code, line = verdict(folder)
    assert (code, line["signers"]) == (0, [])


@pytest.mark.parametrize(
    ("signing", "asked", "code"),
    [
        ([ALICE], ["alice"], ""),
        ([ALICE], ["alice", "alice"], ""),  # a key that is named twice is one key
        ([ALICE, ALICE], ["alice", "bob"], "V22"),  # and one that signs twice is one signer
        ([ALICE], ["alice", "bob"], "V22"),
        ([BOB], ["alice"], "V22"),
        ([BOB, ALICE], ["alice"], ""),
    ],
)
def test_distinct_keys_are_counted(
    seal: Seal, tmp_path: Path, signing: list[Ed25519PrivateKey], asked: list[str], code: str
) -> None:
    assert code_of(seal(*signing), *(f"--key={tmp_path / name}" for name in asked)) == code


def test_fewer_signatures_than_keys_may_be_asked_for(seal: Seal, tmp_path: Path) -> None:
    keys = [f"--key={tmp_path / name}" for name in ("alice", "bob")]
    assert code_of(seal(ALICE), *keys, "--signatures", "1") == ""
    for number in ("0", "3", "-1", "x"):
        with pytest.raises(SystemExit) as left:
            code_of(seal(ALICE), *keys, "--signatures", number)
        assert left.value.code == 2
    with pytest.raises(SystemExit):  # one key that is named twice is one
        code_of(seal(ALICE), keys[0], keys[0], "--signatures", "2")


def test_an_unsigned_certificate_does_not_pass_for_a_signed_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text(raw(ALICE).hex(), encoding="ascii")
    assert code_of(folder, f"--key={tmp_path / 'alice'}") == "V22"


LIES: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "payload with a space": (
        "V22", lambda e: e.update(payload=base64.b64encode(base64.b64decode(e["payload"]) + b" ").decode())
    ),
    "payload of another": ("V22", lambda e: e.update(payload=base64.b64encode(b"{}").decode())),
    "payload in two lines": ("V22", lambda e: e.update(payload=e["payload"][:76] + "\n" + e["payload"][76:])),
    "payload without padding": ("V22", lambda e: e.update(payload=e["payload"].rstrip("=") + "=" * 3)),
    "spare bits": ("V22", lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"][:-3] + "B==")),
    "url alphabet": ("V22", lambda e: e["signatures"][0].update(sig="_" + e["signatures"][0]["sig"][1:])),
    "another type": ("V03", lambda e: e.update(payloadType="application/json")),
    "no signature": ("V03", lambda e: e.update(signatures=[])),
    "many signatures": ("V20", lambda e: e.update(signatures=e["signatures"] * 17)),
    "a field more": ("V03", lambda e: e.update(cert="")),
    "no keyid": ("V03", lambda e: e["signatures"][0].pop("keyid")),
    "white space": ("V02", lambda e: canon(e) + b"\n"),
    "nothing": ("V02", lambda _: b""),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_an_envelope_is_of_this_statement_also_when_nobody_asks(seal: Seal, lie: str) -> None:
    code, change = LIES[lie]
    assert code_of(seal(ALICE, change=change)) == code


def test_keyid_is_read_by_nobody(seal: Seal, tmp_path: Path) -> None:
    def lying(envelope: dict[str, Any]) -> None:
        envelope["signatures"][0]["keyid"] = s.hashlib.sha256(raw(ALICE)).hexdigest()

    lie = seal(BOB, change=lying)
    assert code_of(lie, f"--key={tmp_path / 'alice'}") == "V22"
    assert code_of(lie, f"--key={tmp_path / 'bob'}") == ""


def test_an_envelope_is_a_regular_file_of_a_size(seal: Seal, tmp_path: Path) -> None:
    folder = seal(ALICE)
    path = folder / "certificate" / "cert.dsse.json"
    with path.open("r+b") as file:
        file.truncate((24 << 20) + 1)
    assert code_of(folder) == "V20"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert code_of(folder) == "V01"


@pytest.mark.parametrize("text", ["", "00" * 32, "no key", "-----BEGIN PUBLIC KEY-----"])
def test_what_is_no_key_is_a_fault_of_the_command_line(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text, encoding="utf-8")
    for path in ("key", "missing"):
        with pytest.raises(SystemExit) as left:
            code_of(folder, f"--key={tmp_path / path}")
        assert left.value.code == 2


def test_the_bytes_that_are_signed_are_those_of_the_page() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "certificate-vectors.jsonl").read_text(encoding="utf-8").splitlines()
    (row,) = (row for row in map(json.loads, lines) if row["kind"] == "pae")
    assert s.encoded(row["type"], bytes.fromhex(row["payload"])).hex() == row["bytes"]
