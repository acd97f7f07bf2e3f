"""Ctrl-C and being terminated, at every stage of a run: no result, no draft, the old result and the input untouched."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.cli import main as front

LONG = "epochs = 5000"
"""A recovery that no test waits for."""


class Teller(io.StringIO):
    """A standard error that sends this process a signal some time after a stage is told."""

    def __init__(self, stage: str, number: int, delay: float) -> None:
        super().__init__()
        self.stage = stage
        self.timer = threading.Timer(delay, os.kill, (os.getpid(), number))
        self.now = (lambda: os.kill(os.getpid(), number)) if not delay else self.timer.start
        self.told = False

    def write(self, text: str) -> int:
        done = super().write(text)
        if text.startswith(self.stage) and not self.told:
            self.told = True
            self.now()
        return done


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """Every file with its bytes and its time, but for what Python compiles."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Signals as in a terminal: a job that was started in the background ignores some, and so would all it starts."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def published(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """A folder with a result of an earlier run."""
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    capsys.readouterr()
    yield folder
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("stage", "number", "delay"),
    [
        ("capturing", signal.SIGINT, 0.0),
        ("capturing", signal.SIGTERM, 0.05),
        ("planning", signal.SIGTERM, 0.0),
        ("step narrow", signal.SIGINT, 0.0),
        ("recovering narrow", signal.SIGINT, 0.2),
        ("recovering narrow", signal.SIGTERM, 0.2),
        ("measuring", signal.SIGTERM, 0.0),
        ("writing", signal.SIGINT, 0.0),
        ("verifying", signal.SIGTERM, 0.0),
        ("verifying", signal.SIGHUP, 0.0),
    ],
)
def test_an_interrupted_run_leaves_everything_as_it_was(
    stage: str, number: signal.Signals, delay: float, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if delay:
        text = (published / "slim.surg").read_text(encoding="utf-8")
        (published / "slim.surg").write_text(text.replace("epochs = 2", LONG), encoding="utf-8")
    before = state(published)
    teller = Teller(stage, number, delay)
    monkeypatch.setattr(sys, "stderr", teller)
    try:
        code = front.run(["run", "slim.surg", "--out", "result"])
    finally:
        teller.timer.cancel()
    assert 128 + number == code
    assert teller.getvalue().endswith("surg: interrupted; nothing was left half done\n")
    assert before == state(published)
    assert sorted(path.name for path in published.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_process_that_is_told_to_stop(
    number: signal.Signals, code: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    (folder / "slim.surg").write_text(text.replace("epochs = 2", LONG), encoding="utf-8")
    before = state(folder)
    home = str(Path(front.__file__).parents[2])
    command = [sys.executable, "-m", "surgdsl.cli.main", "run", "slim.surg", "--out", "result"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": home}
    ) as process:
        assert process.stderr
        while not process.stderr.readline().startswith("recovering"):
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    drafts = [path for path in folder.iterdir() if ".draft-" in path.name]
    if number != signal.SIGKILL:
        assert err.endswith("surg: interrupted; nothing was left half done\n")
        assert "Traceback" not in err
        assert drafts == []
        assert before == state(folder)
        return
    assert [f".result.draft-{process.pid}"] == [path.name for path in drafts]
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    capsys.readouterr()
    assert [path for path in folder.iterdir() if ".draft-" in path.name] == [], "the next run sweeps"
