"""Signatures: a DSSE envelope around the statement, and Ed25519 for the keys that the auditor names.

Who signed is decided by the auditor's keys alone; what an envelope says of its keys is not read.
Source: RFC 8032, sections 5.1.3 and 5.1.7 (without cofactor); DSSE 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from surgdsl.verifier.reject import need

PAYLOAD = "application/vnd.in-toto+json"
KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/]{59}=)\n-----END PUBLIC KEY-----\n?|([0-9a-f]{64})\n?")
ED25519 = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of a key in a SubjectPublicKeyInfo (RFC 8410)."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
ZERO: Point = (0, 1)
BASE: Point = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)


def add(left: Point, right: Point) -> Point:
    """The sum of two points of the twisted Edwards curve; this law has no exceptions (Bernstein and Lange 2007)."""
    (a, b), (c, d) = left, right
    twist = D * a * b * c * d % P
    return (a * d + b * c) * pow(1 + twist, -1, P) % P, (b * d + a * c) * pow(1 - twist, -1, P) % P


def times(factor: int, point: Point) -> Point:
    """A multiple of a point, by doubling and adding from the highest bit."""
    found = ZERO
    for bit in f"{factor:b}":
        found = add(add(found, found), point if bit == "1" else ZERO)
    return found


def encode(point: Point) -> bytes:
    """The 32 bytes of a point: y, and the parity of x in the highest bit."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point that 32 bytes stand for; None where they stand for none, or not in their one form."""
    y = int.from_bytes(data, "little") % 2**255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    x = root if root * root % P == square else root * ROOT % P
    point = (-x % P if x % 2 != data[31] >> 7 else x, y)
    return point if x * x % P == square and encode(point) == data and y < P else None


def public_key(text: str) -> bytes:
    """The 32 bytes of the public key in a text: 64 hexadecimal digits, or SubjectPublicKeyInfo in PEM.

    Raises:
        ValueError: it is none, or a point of small order, under which anyone can sign.
    """
    held = KEY.fullmatch(text)
    if held is None:
        raise ValueError("neither PEM nor 64 digits")
    raw = base64.b64decode(held[1]) if held[1] else ED25519 + bytes.fromhex(held[2])
    point = decode(raw[12:])
    if point is None or raw[:12] != ED25519 or times(8, point) == ZERO:
        raise ValueError("not a point of large order")
    return raw[12:]


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's: [S]B = R + [k]A, with S < L and R in its one form."""
    point, commitment, scalar = decode(key), signature[:32], int.from_bytes(signature[32:], "little")
    if point is None or len(signature) != 64 or scalar >= L:
        return False
    k = int.from_bytes(hashlib.sha512(commitment + key + message).digest(), "little") % L
    return encode(add(times(scalar, BASE), times(k, (-point[0] % P, point[1])))) == commitment


def unpacked(text: str) -> bytes:
    """The bytes of standard base64 in its one form; V22 otherwise."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    need(base64.b64encode(data).decode() == text, "V22", "the envelope holds what is not base64 in its one form")
    return data


def encoded(kind: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    return f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload


def signers(envelope: dict[str, Any], statement: bytes, keys: Sequence[bytes]) -> list[str]:
    """Which of the auditor's keys signed the statement, as SHA-256 of the keys; V22 when it is about other bytes."""
    signatures = [unpacked(row["sig"]) for row in envelope["signatures"]]
    need(unpacked(envelope["payload"]) == statement, "V22", "the envelope is around another statement than cert.json")
    message = encoded(PAYLOAD, statement)
    return [hashlib.sha256(key).hexdigest() for key in keys if any(signed(key, message, one) for one in signatures)]
