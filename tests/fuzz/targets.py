"""The targets of fuzzing, with the size of their inputs, how many of them are run offline, and seeds to start from.

Fast targets get most of the executions; a whole certificate is worth a thousand headers and takes as long.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import of_bytes, of_values

CORPUS = of_values.CORPUS
FINDINGS = Path(__file__).with_name("findings")


class Target(NamedTuple):
    """What takes the bytes, how many at most, and how many inputs `make fuzz` runs."""

    run: Callable[[bytes], None]
    longest: int
    runs: int


TARGETS: dict[str, Target] = {
    "canonical": Target(of_bytes.canonical, 512, 3_500_000),
    "scalars": Target(of_bytes.scalars, 128, 3_000_000),
    "header": Target(of_bytes.header, 512, 800_000),
    "asked": Target(of_bytes.asked, 128, 1_400_000),
    "text": Target(of_bytes.text, 512, 150_000),
    "key": Target(of_bytes.key, 160, 700_000),
    "formula": Target(of_values.formula, 64, 200_000),
    "graph": Target(of_values.graph, 64, 60_000),
    "call": Target(of_values.call, 64, 100_000),
    "envelope": Target(of_bytes.envelope, 1024, 100_000),
    "weight_file": Target(of_bytes.weight_file, 1024, 60_000),
    "statement": Target(of_values.statement, 64, 10_000),
    "log": Target(of_values.log, 64, 50_000),
    "certificate": Target(of_values.certificate, 64, 5_000),
    "signed": Target(of_bytes.signed, 128, 2_000),
}
FIXED: dict[str, tuple[bytes, ...]] = {
    "scalars": (b"2*B+1", b"49*B*T+B", b"B", b"-1/3", b"123/7", b"0x1.4f8b588e368f1p-17", b"-inf"),
    "asked": (
        b"size <= 20%", b"params(after) <= 1/2*params(before)", b"macs < 3Mmac", b"accuracy drop <= 1pp",
        b"accuracy(after) >= 97% on test with confidence 95% among 4 candidates", b'loss.rise <= 0.01 registered "x"',
    ),
    "canonical": (b'{"a":[1,-2,true,"\\u001f\\n\xc3\xa9"],"b":{}}', b'{"_type":"x"}', b'["\\"\\\\"]'),
    "envelope": (
        b'{"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"k","sig":"AAE="}]}',
    ),
    "signed": (of_bytes.KEYS[0] + b"\1" * 64 + b"x",),
    "header": (b'{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}   ',),
}  # fmt: skip


def seeds(name: str) -> list[bytes]:
    """What a target starts from: things of the corpus that are small enough, and every choice for those of values."""
    found = [*FIXED.get(name, ()), *of_corpus(name)]
    if TARGETS[name].run.__module__ == of_values.__name__:
        found += [bytes([one, *pair, 7]) for one in range(16) for pair in ((0, 0), (3, 9), (1, 77))]
    if name == "call":
        found = [
            at.to_bytes(2, "little") + bytes(rest) for at in range(len(of_values.calls())) for rest in ((), (1, 9))
        ]
    return sorted({data for data in found if len(data) <= TARGETS[name].longest})


def of_corpus(name: str) -> Iterator[bytes]:
    """Files of the corpus that a target reads, or the part of them that it reads."""
    if name == "key":
        yield from (path.read_bytes() for pattern in ("*.pem", "*.key", "*.hex") for path in CORPUS.rglob(pattern))
    if name == "envelope":
        yield from (path.read_bytes() for path in CORPUS.rglob("cert.dsse.json"))
    if name in ("text", "canonical"):
        for path in CORPUS.rglob("blobs/*"):
            data = path.read_bytes()
            if data[:1] in ((b"{", b"[") if name == "canonical" else (b"s",)):
                yield data
    if name in ("header", "weight_file"):
        for path in CORPUS.rglob("*.safetensors"):
            data = path.read_bytes()
            length = struct.unpack("<Q", data[:8].ljust(8, b"\0"))[0]
            yield data if name == "weight_file" else data[8 : 8 + length]


def saved(name: str) -> list[Path]:
    """Inputs that once showed a fault."""
    return sorted((FINDINGS / name).glob("*"))
