"""A place that cannot be written, or should not be: refused, and everything that lay there lies there still."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from surgdsl.cli import main as front
from tests.cli.changes import refused, replaced


@pytest.mark.parametrize("what", ["file", "foreign", "own and foreign", "link", "weights inside"])
def test_a_folder_that_is_not_a_result_is_left_alone(
    what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "result"
    if what == "file":
        out.write_text("mine", encoding="utf-8")
    elif what == "link":
        (folder / "elsewhere").mkdir()
        out.symlink_to(folder / "elsewhere")
    else:
        out.mkdir()
        (out / "run.json").write_text("{}", encoding="utf-8")
        if what == "weights inside":
            (folder / "net.safetensors").rename(out / "model.safetensors")
            replaced("net.safetensors", "result/model.safetensors")(folder)
        else:
            (out / "notes.txt").write_text("mine", encoding="utf-8")
            if what == "foreign":
                (out / "run.json").unlink()
    before = sorted(folder.rglob("*"))
    code, (told,) = refused(["run", "slim.surg", "--out", "result"], capsys)
    assert (code, told["code"]) == (1, "E0901")
    assert before == sorted(folder.rglob("*"))


def test_a_place_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (told,) = refused(["run", "slim.surg", "--out", "/proc/result"], capsys)
    assert (code, told["code"]) == (1, "E0902")
    assert folder.is_dir()


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_a_full_disk_leaves_the_earlier_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    capsys.readouterr()
    state = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    times = (folder / "net.safetensors").stat().st_mtime_ns
    command = [sys.executable, "-B", "-m", "surgdsl.cli.main", "run", "slim.surg", "--out", "result", "--json"]
    home = str(Path(front.__file__).parents[2])
    done = subprocess.run(
        command, preexec_fn=limited, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": home},
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["code"], done.stderr) == (1, "E0902", "")
    assert told["help"][0].startswith("File too large")
    assert state == {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert times == (folder / "net.safetensors").stat().st_mtime_ns
    assert [path.name for path in folder.iterdir() if ".draft" in path.name] == []
