"""What no file can show (M60, M73): a file that changes while it is read, and a check that fails in its own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier import check
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.tensors import WeightFile
from tests.verifier.asking import verdict
from tests.verifier.forge import weight_file

FIRST, OTHER = (weight_file({"w": ("U8", (4,), data)}) for data in (b"abcd", b"abce"))


@pytest.mark.parametrize("other", [OTHER, FIRST[:-1], FIRST + b"x", FIRST])
def test_a_file_that_is_written_while_it_is_read_is_refused(other: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(FIRST)
    file = WeightFile(str(path), "it", canonical=True)
    file.unchanged()
    path.write_bytes(other)
    with pytest.raises(Reject, match="V08"):
        file.unchanged()


def test_bytes_that_are_read_again_are_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(FIRST)
    file = WeightFile(str(path), "it", canonical=True)
    assert bytes(file.read(file.entries["w"], 0)) == b"abcd"
    path.write_bytes(OTHER)
    with pytest.raises(Reject, match="V08"):
        file.read(file.entries["w"], 0)


def test_the_file_is_asked_again_before_a_yes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(folder)[0] == 0
    whole = check.bind

    def slow(*arguments: Any) -> None:
        whole(*arguments)
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes())

    monkeypatch.setattr(check, "bind", slow)
    code, line = verdict(folder)
    assert (code, line["code"]) == (4, "V08")


FAULTS = [ValueError, KeyError, AssertionError, OSError, MemoryError, RecursionError, OverflowError, UnicodeError]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", ["check_form", "walk", "check_output", "check_claims", "bind"])
def test_a_check_that_fails_in_its_own_code_is_a_no(
    fault: type[Exception], place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(check, place, failing)
    code, line = verdict(folder)
    assert (code, line["accepted"]) == (4, False)
    assert line["code"] in ("V03", "V20")


def test_an_interruption_is_no_yes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "bind", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verdict(folder)
