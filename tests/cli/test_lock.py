"""surg lock: what files use is pinned, a changed import stops every command with 5, and a run holds all of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from surgdsl.cli import main as front
from surgdsl.language import load

ROOT = """surg 1
use "./parts/shared.surg" as shared
use std.importance.magnitude
use std.metric.params
use std.rules.prune_channels
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build")  weights = file("net.safetensors") }
surgery slim on net {
  preserve shared.ends
  step narrow = apply prune_channels(keep = shared.share) @{first,second} by magnitude
  require params(after) <= 80% * params(before)
}
"""
SHARED = """surg 1
use "../deep.surg" as deep
let share = deep.half
model any : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
interface ends on any { in x: f32[B, 4]  out y: f32[B, 3] }
"""
DEEP = "surg 1\nlet half = 50%\n"


@pytest.fixture
def user(folder: Path) -> Path:
    (folder / "parts").mkdir()
    for name, text in (("slim.surg", ROOT), ("parts/shared.surg", SHARED), ("deep.surg", DEEP)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def codes(err: str) -> list[str]:
    return [line[6:11] for line in err.splitlines() if line.startswith("error[")]


def test_what_is_used_is_pinned(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["check", "slim.surg"]) == 5
    assert codes(capsys.readouterr().err) == ["E0705", "E0705"]
    assert front.run(["lock", "slim.surg"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        [hashlib.sha256(text.encode()).hexdigest(), name, "pinned"]
        for name, text in (("deep.surg", DEEP), ("parts/shared.surg", SHARED))
    ]
    assert front.run(["check", "slim.surg"]) == 0
    before = (user / "surg.lock").stat().st_mtime_ns
    assert front.run(["lock", "slim.surg"]) == 0
    assert before == (user / "surg.lock").stat().st_mtime_ns
    done = subprocess.run(["sha256sum", "--check", "--strict", "surg.lock"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["check", "plan", "run", "show", "axes"])
def test_a_changed_import_stops_every_command(
    command: str, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert front.run(["lock", "slim.surg"]) == 0
    (user / "deep.surg").write_text(DEEP.replace("50%", "75%"), encoding="utf-8")
    capsys.readouterr()
    assert front.run([command, "slim.surg"]) == 5
    err = capsys.readouterr().err
    assert codes(err) == ["E0706"]
    assert "parts/shared.surg:2:5" in err


def test_what_is_wrong_in_an_import_is_told_there(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (user / "deep.surg").write_text("surg 1\nlet half = 50parsec\n", encoding="utf-8")
    assert front.run(["check", "slim.surg"]) == 1
    err = capsys.readouterr().err
    assert codes(err) == ["E0301", "E0705", "E0705"]
    assert "deep.surg:2:12" in err
    assert front.run(["lock", "slim.surg"]) == 1
    assert not (user / "surg.lock").exists()


def test_pins_of_other_files_stay_while_these_exist(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (user / "other.surg").write_text('surg 1\nuse "./third.surg" as third\n', encoding="utf-8")
    (user / "third.surg").write_text(DEEP, encoding="utf-8")
    assert front.run(["lock", "slim.surg", "other.surg"]) == 0
    assert front.run(["lock", "slim.surg"]) == 0
    assert front.run(["check", "slim.surg", "other.surg"]) == 0
    (user / "third.surg").unlink()
    assert front.run(["lock", "slim.surg"]) == 0
    assert "third" not in (user / "surg.lock").read_text(encoding="utf-8")
    capsys.readouterr()


def test_a_run_holds_every_file_that_it_was_asked_with(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["lock", "slim.surg"]) == 0
    assert front.run(["run", "slim.surg", "--out", "done"]) == 0, capsys.readouterr().err
    predicate = json.loads((user / "done/certificate/cert.json").read_text(encoding="utf-8"))["predicate"]
    spec = (user / "done/certificate/blobs" / predicate["spec"]["blob"]).read_text(encoding="utf-8")
    assert spec == load("slim.surg").spec
    head = f"surg closure 3\n{len(ROOT)} slim.surg\n{len(DEEP)} deep.surg\n{len(SHARED)} parts/shared.surg\n"
    assert spec == f"{head}{ROOT}\n{DEEP}\n{SHARED}"
    assert [one["name"] for one in predicate["interfaces"]] == ["shared.ends"]
    capsys.readouterr()
    assert front.run(["show", "slim.surg"]) == 0
    (expected,) = [
        line.removeprefix("spec ") for line in capsys.readouterr().out.splitlines() if line.startswith("spec ")
    ]
    assert front.run(["verify", "done", "--expect-spec", expected]) == 0


def test_a_circle_of_files_is_told_as_one(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (user / "deep.surg").write_text('surg 1\nuse "./slim.surg" as back\nlet half = 50%\n', encoding="utf-8")
    assert front.run(["check", "slim.surg"]) == 1
    err = capsys.readouterr().err
    assert "E0105" in codes(err)
    assert "slim.surg -> shared.surg -> deep.surg -> slim.surg" in err
