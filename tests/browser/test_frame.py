"""What the browser's verifier rests on: canonical bytes, digests, extents, floats, base64, signatures."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.browser.engine import evaluate

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "certificate-vectors.jsonl"

GOLDEN = """async (base, rows) => {
  const canonical = await import(base + "canonical.js");
  const digest = await import(base + "digest.js");
  const { polynomial } = await import(base + "extent.js");
  const { signedBytes } = await import(base + "signature.js");
  const taken = (read) => {
    try {
      return read() !== false;
    } catch (fault) {
      if (fault.name !== "Reject") throw fault;
      return false;
    }
  };
  const hex = digest.hex;
  const answers = {
    tensor: ({ dtype, shape, bytes, repeat }) => {
      const data = repeat === undefined ? digest.unhex(bytes) : new Uint8Array(shape[0]).fill(parseInt(repeat, 16));
      return digest.tensorDigest(dtype, shape, data);
    },
    manifest: ({ value }) => digest.manifestDigest(value),
    graph: ({ value }) => digest.graphDigest(value),
    rule: ({ value }) => digest.ruleDigest(value),
    step: ({ previous, value }) => digest.stepDigest(previous, value),
    seal: ({ value }) => digest.sealDigest(value),
    canonical: ({ text, bytes }) => {
      const given = text === undefined ? digest.unhex(bytes) : new TextEncoder().encode(text);
      return taken(() => hex(canonical.encode(canonical.parse(given))) === hex(given));
    },
    extent: ({ text }) => taken(() => polynomial(text)),
    float: ({ text }) => taken(() => canonical.isFloat(text)),
    pae: ({ type, payload }) => hex(signedBytes(type, digest.unhex(payload))),
  };
  return Promise.all(rows.map((row) => answers[row.kind](row)));
}"""


def test_the_golden_vectors() -> None:
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["kind"] != "packed"]
    found = evaluate(GOLDEN, rows)
    expected = [row["bytes"] if row["kind"] == "pae" else row.get("digest", row.get("accepted")) for row in rows]
    assert [row for row, want, got in zip(rows, expected, found, strict=True) if want != got] == []


FLOATS = """async (base, texts) => {
  const { floatText, hexFloat } = await import(base + "number.js");
  const { isFloat } = await import(base + "canonical.js");
  return texts.map((text) => [floatText(hexFloat(text)), isFloat(text)]);
}"""


def test_the_text_of_a_float_is_that_of_python() -> None:
    rng = np.random.default_rng(1)
    values = [float(rng.uniform(-1, 1)) * 2.0 ** int(rng.integers(-1070, 1020)) for _ in range(500)]
    values += [5e-324, 2.2250738585072014e-308, -0.0]
    texts = [value.hex() for value in values]
    assert [[text, True] for text in texts] == evaluate(FLOATS, texts)


SIGNED = """async (base, rows) => {
  const { keyOf, fromBase64 } = await import(base + "signature.js");
  const { verifies } = await import(base + "ed25519.js");
  return Promise.all(rows.map(async ([key, signature, message]) => {
    const point = keyOf(key);
    return point === null ? "no key" : verifies(point, fromBase64(signature), fromBase64(message));
  }));
}"""
ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL = "0100000000000000000000000000000000000000000000000000000000000000"
ABOVE = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _signed(rng: np.random.Generator) -> tuple[str, bytes, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(rng.bytes(32))
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    message = rng.bytes(int(rng.integers(200)))
    return key.public_key().public_bytes(*form).decode(), key.sign(message), message


def test_signatures_of_a_peer_verify_and_nothing_else_does() -> None:
    rng = np.random.default_rng(2)
    rows: list[tuple[str, str, str]] = []
    expected: list[Any] = []
    for _ in range(12):
        key, signature, message = _signed(rng)
        bit = int(rng.integers(512))
        turned = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little")
        scalar = int.from_bytes(signature[32:], "little") + ORDER
        above = signature[:32] + scalar.to_bytes(32, "little")
        cases = [
            (signature, message, True),
            (turned, message, False),
            (signature, message + b"x", False),
            (above, message, False),
        ]
        rows += [(key, _text(one), _text(text)) for one, text, _ in cases]
        expected += [good for *_, good in cases]
    assert expected == evaluate(SIGNED, rows)


def test_a_key_of_small_order_or_in_another_encoding_is_none() -> None:
    # [S]B = R + [k]A holds for any message when A and R are the neutral element and S is 0.
    forged = _text(bytes.fromhex(SMALL) + bytes(32))
    rows = [(key, forged, _text(b"anything")) for key in (SMALL, ABOVE, "ff" * 32, "00" * 32, "not a key")]
    assert ["no key"] * len(rows) == evaluate(SIGNED, rows)


def test_the_first_vector_of_the_standard() -> None:
    # RFC 8032, section 7.1, test 1.
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    r = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
    s = "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    found = evaluate(SIGNED, [(key, _text(bytes.fromhex(r + s)), "")])
    assert found == [True]


BASE64 = """async (base, texts) => {
  const { fromBase64 } = await import(base + "signature.js");
  return texts.map((text) => { const bytes = fromBase64(text); return bytes === null ? null : [...bytes]; });
}"""


def test_base64_has_one_spelling() -> None:
    texts = [
        "",
        "QQ==",
        "QR==",
        "QQ",
        "QQ=",
        "QUI=",
        "QUJD",
        "QUJDRA==",
        "QUI-",
        "Q U I=",
        "QUI=\n",
        "====",
        "QQ==QQ==",
    ]
    expected = [[], [65], None, None, None, [65, 66], [65, 66, 67], [65, 66, 67, 68], None, None, None, None, None]
    assert expected == evaluate(BASE64, texts)
