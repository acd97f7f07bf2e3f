"""check, fmt, explain and show as a user meets them: exit codes, streams, JSON lines, and never a traceback."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front

GOOD = """surg 1
use std.metric.size
use std.rules.quantize
model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }
interface api on net { in x: f32[B, 4]  out y: f32[B, 2] }
surgery slim on net {
  preserve api
  step coarse = apply quantize(bits = 4bit) @first
  step fine   = apply quantize(bits = 8bit, scheme = "affine") @** except @first
  order fine >> coarse
  require size(after) <= 1KiB
}
"""
BAD = GOOD.replace("1KiB", "1KB").replace("4bit", "4")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.surg"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.surg"
    path.write_text(BAD, encoding="utf-8")
    return path


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_good_file_is_accepted_quietly(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["check", str(good)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("1 file, 0 errors (")
    assert err == ""


def test_every_error_of_every_file_is_told(good: Path, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["check", str(bad), str(good), "nowhere.surg"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("3 files, 3 errors (")
    assert [line[:12] for line in err.splitlines() if line.startswith("error")] == [
        "error[E0701]",
        "error[E0302]",
        "error[E0301]",
    ]
    assert "\x1b" not in err


def test_the_printed_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.surg").write_text(GOOD.replace("1KiB", "240KB"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert front.run(["check", "net.surg"]) == 1
    assert (
        capsys.readouterr().err
        == """\
error[E0301]: unknown unit `KB`
  ┌─ net.surg:11:26
11│   require size(after) <= 240KB
  │                          ^^^^^ did you mean `KiB` (1024 B) or `kB` (1000 B)?
more: surg explain E0301

"""
    )


def test_json_lines(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["check", "--json", str(bad)]) == 1
    out, err = capsys.readouterr()
    version, first, second, summary = records(out)
    assert version == {"type": "version", "ui": "1.0"}
    assert (first["code"], first["line"], second["code"], second["line"]) == ("E0302", 8, "E0301", 11)
    assert BAD[second["start"] : second["stop"]] == "1KB"
    assert summary == {"type": "summary", "files": 1, "errors": 2}
    assert err == ""


@pytest.mark.parametrize("content", [b"surg 1\n\xff\xfe", b"surg 1\n\0", b"#" * (2**20 + 1), b"\xef\xbb\xbfsurg 1\n"])
def test_what_is_not_text_is_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.surg"
    path.write_bytes(content)
    for command in ("check", "fmt", "show"):
        assert front.run([command, str(path)]) == 1
        assert "error[E0704]" in capsys.readouterr().err
    assert content == path.read_bytes()


def test_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("check", "fmt", "show"):
        assert front.run([command, str(tmp_path)]) == 1
        assert "error[E0702]" in capsys.readouterr().err


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["check", "-"], 0), (["fmt", "-"], 0), (["fmt", "--check", "-"], 1)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.replace("surg 1", "surg  1").encode())))
        assert code == front.run(arguments)
        out, err = capsys.readouterr()
        assert err == ""
        assert arguments != ["fmt", "-"] or out == GOOD


def test_fmt_rewrites_only_what_differs(tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loose = tmp_path / "loose.surg"
    loose.write_text(GOOD.replace(" = ", "="), encoding="utf-8")
    loose.chmod(0o640)
    before = good.stat().st_mtime_ns
    assert front.run(["fmt", "--check", str(loose), str(good)]) == 1
    assert front.run(["fmt", "--diff", str(loose), str(good)]) == 1
    out = capsys.readouterr().out
    assert f"--- {loose}" in out
    assert f"--- {good}" not in out
    assert front.run(["fmt", str(loose), str(good)]) == 0
    assert loose.read_text(encoding="utf-8") == GOOD
    assert loose.stat().st_mode & 0o777 == 0o640
    assert before == good.stat().st_mtime_ns
    assert front.run(["fmt", "--check", str(loose), str(good)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.surg", "loose.surg"]


def test_fmt_leaves_a_file_that_it_cannot_read_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.surg"
    path.write_text("surg 1\ndim  B  in\n", encoding="utf-8")
    assert front.run(["fmt", str(path)]) == 1
    assert path.read_text(encoding="utf-8") == "surg 1\ndim  B  in\n"
    assert "error[E0003]" in capsys.readouterr().err


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["explain", "e0301"]) == 0
    assert capsys.readouterr().out.startswith("# E0301: unknown unit\n")
    assert front.run(["explain"]) == 0
    assert "E0301  unknown unit\n" in capsys.readouterr().out
    assert front.run(["explain", "E0310"]) == 2
    assert "there is no error code `E0310`" in capsys.readouterr().err


def test_show_prints_the_steps_in_their_order(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["show", str(good), "--morphisms"]) == 0
    assert (
        capsys.readouterr().out
        == """\
surgery slim on net   preserves api
  slim[0]  net as trained
    │ fine    quantize(bits = 8, scheme = "affine") @** except @first   line 9
  slim[1]
    │ coarse  quantize(bits = 4) @first   line 8
  slim[2]
"""
    )
    assert front.run(["show", str(good), "--morphisms", "--json"]) == 0
    made = records(capsys.readouterr().out)
    assert [(one["from"], one["to"]) for one in made if one["type"] == "step"] == [
        ("slim[0]", "slim[1]"),
        ("slim[1]", "slim[2]"),
    ]


def test_show_says_where_steps_side_by_side_lead(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = good.read_text(encoding="utf-8")
    good.write_text(re.sub(r"order .*", "order coarse | fine", text), encoding="utf-8")
    assert front.run(["show", str(good), "--morphisms"]) == 0
    assert (
        capsys.readouterr().out
        == """\
surgery slim on net   preserves api
  slim[0]  net as trained
    │ coarse  quantize(bits = 4) @first   line 8 -> slim[1]
    │ fine    quantize(bits = 8, scheme = "affine") @** except @first   line 9 -> slim[1]
  slim[1]
"""
    )


def test_show_refuses_what_check_refuses(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["show", str(bad)]) == 1
    assert "error[E0301]" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["chekc"], ["check"], ["check", "--nope", "x"], ["fmt", "--check=maybe", "x"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(arguments) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert out + err


def test_a_bug_is_called_one(good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("fourth wall")

    monkeypatch.setattr("surgdsl.cli.check.check_source", broken)
    assert front.run(["check", str(good)]) == 70
    quiet = capsys.readouterr().err
    assert "this is a bug in surgdsl (ZeroDivisionError: fourth wall)" in quiet
    assert "Traceback" not in quiet
    assert front.run(["check", str(good), "--verbose"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_told(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("surgdsl.cli.check.check_source", stopped)
    assert front.run(["check", str(good)]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["check"], ["fmt", "--check"], ["show", "--morphisms"]])
def test_the_front_end_never_imports_torch(command: list[str], good: Path) -> None:
    code = (
        "import sys; from surgdsl.cli.main import run; code = run(sys.argv[1:]);"
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *command, str(good)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
