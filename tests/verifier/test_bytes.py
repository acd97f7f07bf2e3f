"""Any single byte changed, anywhere: in the result, in the statement, in a blob. And files that do not belong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verifier import surgeries as s
from tests.verifier.asking import code_of
from tests.verifier.forge import Forge

CODES = {"model.safetensors": {"V07", "V08", "V20"}, "cert.json": {"V02", "V03", "V04", "V20"}, "blobs": {"V04"}}


def small() -> Forge:
    """One weight, one rule, one log."""
    f = Forge()
    x = f.input("x", ("B", 3))
    y = f.op("linear.default", [x, f.param(s.dense("w", s.noise(2, 3)))], ("B", 2), bias={"none": True})
    f.begin(("y", y), B=1)
    s.quantize(f, "w", 1)
    f.claims = [s.measured(s.log(f, [[0, 1, 1, 1], [1, 0, 0, 1]]), "1/2")]
    return f


@pytest.fixture
def little(tmp_path: Path) -> Path:
    return small().write(tmp_path / "little")


def flips(path: Path, folder: Path) -> set[str]:
    """The verdicts over every position of a file, each byte in turn with one bit turned."""
    data = path.read_bytes()
    assert data
    found = set[str]()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :])
        found.add(code_of(folder))
    path.write_bytes(data)
    return found


def test_every_byte_of_the_result(little: Path) -> None:
    assert code_of(little) == ""
    assert flips(little / "model.safetensors", little) <= CODES["model.safetensors"]


def test_every_byte_of_the_statement(little: Path) -> None:
    assert flips(little / "certificate" / "cert.json", little) <= CODES["cert.json"]


def test_every_byte_of_every_blob(little: Path) -> None:
    blobs = sorted((little / "certificate" / "blobs").iterdir())
    assert len(blobs) == 3
    assert set().union(*(flips(blob, little) for blob in blobs)) == CODES["blobs"]
    assert code_of(little) == ""


def test_every_byte_of_the_input_tensors(little: Path) -> None:
    """In the header a name may change: bytes are looked up by digest."""
    path = little / "input.safetensors"
    data = path.read_bytes()
    for at in range(len(data) - 24, len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert code_of(little) == "V08"


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _link_out(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


FILES: list[tuple[str, str, Callable[[Path], object]]] = [
    ("stray file", "certificate/x.txt", lambda path: path.write_bytes(b"")),
    ("stray blob", "certificate/blobs/" + "0" * 64, lambda path: path.write_bytes(b"")),
    ("name that is no digest", "certificate/blobs/notes", lambda path: path.write_bytes(b"")),
    ("no statement", "certificate/cert.json", Path.unlink),
    ("linked statement", "certificate/cert.json", _link_out),
    ("fifo", "certificate/cert.json", _fifo),
    ("folder for a file", "certificate/cert.json", _directory),
    ("no result", "model.safetensors", Path.unlink),
    ("linked result", "model.safetensors", _link),
    ("fifo for the result", "model.safetensors", _fifo),
    ("no input", "input.safetensors", Path.unlink),
    ("linked folder", "certificate", _link),
]


@pytest.mark.parametrize(("path", "change"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_what_does_not_belong_is_refused(path: str, change: Callable[[Path], object], little: Path) -> None:
    change(little / path)
    assert code_of(little) == "V01"


def test_a_blob_that_is_missing_or_linked_is_refused(little: Path) -> None:
    blob = min((little / "certificate" / "blobs").iterdir())
    data = blob.read_bytes()
    blob.unlink()
    assert code_of(little) == "V01"
    (little / "elsewhere").write_bytes(data)
    blob.symlink_to(little / "elsewhere")
    assert code_of(little) == "V01"


def test_a_statement_that_is_too_large_is_refused_unread(little: Path) -> None:
    with (little / "certificate" / "cert.json").open("wb") as file:
        file.truncate((16 << 20) + 1)
    assert code_of(little) == "V20"
