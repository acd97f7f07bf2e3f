"""Signing: a DSSE envelope beside a certificate, so that an auditor can tell who vouches for it.

Several people may sign one certificate, one after the other. The package that signs is asked for only here.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.execution.canonical import encode
from surgdsl.execution.publishing import writing_to
from surgdsl.execution.superseding import after

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD = "application/vnd.in-toto+json"
MOST = 16
"""Signatures of an envelope."""


def sign(folder: Path, key: Path) -> str:
    """Add a signature to a published result, in place of an older one of the same key.

    Args:
        folder: the result.
        key: a file with an Ed25519 private key, PKCS #8 in PEM, without a password.

    Returns:
        What the signature is filed under: the SHA-256 of the public key's 32 bytes, in hexadecimal.

    Raises:
        Refusal: E0717 the folder holds no certificate, E0718 there is no such key, E0719 the extra `sign` is not
            installed, E0902 the envelope cannot be written.
    """
    private = _private(key)
    after(folder)  # refuses what is no certificate
    statement, path = (folder / "certificate" / name for name in ("cert.json", "cert.dsse.json"))
    payload = statement.read_bytes()
    name = hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()
    rows = {**_signed(path, payload), name: base64.b64encode(private.sign(_encoded(payload))).decode()}
    if len(rows) > MOST:
        raise Refusal(Diagnostic("E0717", f"`{path}` holds {MOST} signatures already, which is as many as it may"))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD,
        "signatures": [{"keyid": name, "sig": rows[name]} for name in sorted(rows)],
    }
    with writing_to(path):
        draft = folder / ".cert.dsse.json.draft"  # outside of certificate/, where nothing else may lie
        draft.write_bytes(encode(envelope))
        draft.replace(path)
    return name


def _encoded(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    return f"DSSEv1 {len(PAYLOAD)} {PAYLOAD} {len(payload)} ".encode() + payload


def _signed(path: Path, payload: bytes) -> dict[str, str]:
    """The signatures that an envelope holds already; E0717 when it is around another statement."""
    if not path.exists():
        return {}
    try:
        envelope: dict[str, Any] = json.loads(path.read_bytes())
        same = base64.b64decode(envelope["payload"], validate=True) == payload
        rows = {str(row["keyid"]): str(row["sig"]) for row in envelope["signatures"]}
    except (OSError, ValueError, KeyError, TypeError):
        same, rows = False, dict[str, str]()
    if not same:
        told = ("remove it, if nobody needs it",)
        raise Refusal(Diagnostic("E0717", f"`{path}` is not an envelope of the certificate beside it", help=told))
    return rows


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        told = ("pip install 'surgdsl[sign]'",)
        raise Refusal(Diagnostic("E0719", "signing needs a package that is not installed", help=told)) from None
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        told = (getattr(error, "strerror", None) or "it is not PKCS #8 in PEM without a password",)
        raise Refusal(Diagnostic("E0718", f"`{path}` holds no private key", help=told)) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        told = ("make one with `openssl genpkey -algorithm ed25519`",)
        raise Refusal(Diagnostic("E0718", f"`{path}` holds a key of another kind than Ed25519", help=told))
    return key
