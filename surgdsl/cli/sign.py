"""`surg sign`: puts a signature beside a certificate; who may trust it is decided by whoever names the key.

What is signed are the bytes of the certificate, whose digests speak for everything else.
"""

from __future__ import annotations

from pathlib import Path

from surgdsl.cli.output import Voice
from surgdsl.execution.signing import sign as signed


def sign(folder: Path, /, *, key: Path, voice: Voice | None = None) -> int:
    """Sign the certificate of a result, in addition to those who have signed it already.

    Args:
        folder: The folder that holds certificate/.
        key: An Ed25519 private key in PEM, as `openssl genpkey -algorithm ed25519` writes it.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    name = signed(folder, key)
    voice.say(f"Signed: {folder} by {name[:12]} (SHA-256 of the public key)")
    voice.line({"type": "signed", "folder": str(folder), "key": name})
    return 0
