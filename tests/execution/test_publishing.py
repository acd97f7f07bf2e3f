"""A result appears whole or not at all, whatever interrupts its publication, and wherever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.execution import publishing as room
from surgdsl.execution.publishing import publishing


def fill(folder: Path, text: str) -> None:
    (folder / "certificate").mkdir()
    for name in ("certificate/cert.json", "model.safetensors", "run.json"):
        (folder / name).write_text(text, encoding="utf-8")


def content(folder: Path) -> set[str]:
    return {path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}


def publish(out: Path, text: str) -> None:
    with publishing(out) as draft:
        fill(draft, text)


def dead() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_result_is_published_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "result"
    for text in ("first", "second"):
        publish(out, text)
        assert content(out) == {text}
        assert list(out.parent.iterdir()) == [out]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    publish(tmp_path / "result", "first")
    assert content(tmp_path / "result") == {"first"}


class Stop(BaseException):
    """An interruption; like Ctrl-C, no Exception."""


class Interrupter:
    """Raises `Stop` at the n-th line that the module executes."""

    def __init__(self, number: int) -> None:
        self.number, self.seen = number, 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename != room.__file__:
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.number:
                raise Stop
        return self


def test_an_interruption_at_any_line_leaves_the_old_result_or_the_new_one(tmp_path: Path) -> None:
    out, number, ends = tmp_path / "result", 0, set[str]()
    publish(out, "old")
    before, interrupted = sys.gettrace(), True
    while interrupted:
        number += 1
        interrupter = Interrupter(number)
        sys.settrace(interrupter)
        try:
            publish(out, "new")
        except Stop:
            pass
        finally:
            sys.settrace(before)
        interrupted = interrupter.seen >= number
        (end,) = content(out)
        ends.add(end)
        publish(out, "old")
        assert list(tmp_path.iterdir()) == [out], number
    assert number > 20
    assert ends == {"old", "new"}


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_block_that_fails_leaves_the_old_result(fault: BaseException, tmp_path: Path) -> None:
    out = tmp_path / "result"
    publish(out, "old")

    def failing() -> None:
        with publishing(out) as draft:
            fill(draft, "new")
            raise fault

    with pytest.raises(type(fault)):
        failing()
    assert content(out) == {"old"}
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    out, process = tmp_path / "result", dead()
    publish(out, "old")
    for name in (f".result.draft-{process}", f".result.draft-{process}-old"):
        (tmp_path / name).mkdir()
        fill(tmp_path / name, "rest")
    publish(out, "new")
    assert content(out) == {"new"}
    assert list(tmp_path.iterdir()) == [out]


def test_a_result_that_a_killed_process_had_moved_aside_is_put_back(tmp_path: Path) -> None:
    out, aside = tmp_path / "result", tmp_path / f".result.draft-{dead()}-old"
    publish(out, "old")
    out.rename(aside)
    with pytest.raises(KeyboardInterrupt), publishing(out):
        raise KeyboardInterrupt
    assert content(out) == {"old"}


def test_drafts_of_others_are_left_alone(tmp_path: Path) -> None:
    living = tmp_path / f".result.draft-{os.getppid()}"
    other = tmp_path / f".result[1].draft-{dead()}"
    stranger = tmp_path / ".result.draft-mine"
    for folder in (living, other, stranger):
        folder.mkdir()
    publish(tmp_path / "result", "new")
    assert all(folder.is_dir() for folder in (living, other, stranger))


def test_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    publish(tmp_path / "result", "old")
    with (
        pytest.raises(Refusal, match="E0901"),
        publishing(tmp_path / "result", [tmp_path / "result/model.safetensors"]),
    ):
        pass
    assert content(tmp_path / "result") == {"old"}
