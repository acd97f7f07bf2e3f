"""surg sign: what it writes, openssl and the verifier accept; what is no key or no certificate is refused."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from surgdsl.cli import main as front

PLAIN = NoEncryption()


def make_key(name: str, seed: int, encryption: KeySerializationEncryption = PLAIN) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    Path(name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path(f"{name}.pub").write_bytes(public)


@pytest.fixture
def result(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    for seed, name in ((1, "alice"), (2, "bob")):
        make_key(name, seed)
    capsys.readouterr()
    return folder / "result"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert front.run(["sign", *arguments, "--json"]) == 1
    return json.loads(capsys.readouterr().out.splitlines()[-1])["code"]


def test_two_people_sign_one_certificate(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("bob", "alice", "bob"):
        assert front.run(["sign", "result", "--key", name]) == 0
    assert "Signed: result by" in capsys.readouterr().out
    envelope = json.loads((result / "certificate" / "cert.dsse.json").read_bytes())
    assert len(envelope["signatures"]) == 2
    assert front.run(["verify", "result", "--key", "alice.pub", "--key", "bob.pub"]) == 0
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0  # a signed result may be replaced
    assert front.run(["verify", "result", "--key", "alice.pub"]) == 4
    capsys.readouterr()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")
def test_openssl_accepts_what_was_signed(result: Path) -> None:
    assert front.run(["sign", "result", "--key", "alice"]) == 0
    envelope = json.loads((result / "certificate" / "cert.dsse.json").read_bytes())
    payload = (result / "certificate" / "cert.json").read_bytes()
    Path("pae").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload)
    Path("sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "alice.pub", "-rawin", "-in", "pae"]
    done = subprocess.run([*command, "-sigfile", "sig"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_no_key_signs_nothing(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_key("locked", 3, BestAvailableEncryption(b"secret"))
    other = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)
    Path("rsa").write_bytes(other)
    for name in ("missing", "alice.pub", "locked", "rsa", "slim.surg"):
        assert refused(capsys, "result", "--key", name) == "E0718"
    assert not (result / "certificate" / "cert.dsse.json").exists()


def test_what_is_no_certificate_is_not_signed(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "elsewhere", "--key", "alice") == "E0717"
    envelope = result / "certificate" / "cert.dsse.json"
    envelope.write_text("{}", encoding="utf-8")
    assert refused(capsys, "result", "--key", "alice") == "E0717"
    assert envelope.read_text(encoding="utf-8") == "{}"
    envelope.unlink()
    for seed in range(16):
        make_key("many", 10 + seed)
        assert front.run(["sign", "result", "--key", "many"]) == 0
    capsys.readouterr()
    assert refused(capsys, "result", "--key", "alice") == "E0717"


def test_without_the_package_signing_says_what_to_install(
    result: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    assert refused(capsys, str(result), "--key", "alice") == "E0719"
