"""surg run as a user meets it: what it writes, what it says where, and what a second tool finds in it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from surgdsl.cli import main as front

HOME = Path(front.__file__).parents[2]
STAGES = "capturing the model|planning|step narrow|recovering narrow|step fold|step code|measuring|writing|verifying"


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_writes_a_folder_that_the_verifier_accepts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashlib.sha256((folder / "net.safetensors").read_bytes()).hexdigest()
    assert front.run(["run", "slim.surg", "--out", "result"]) == 0
    out, err = capsys.readouterr()
    assert [f"{stage} …" for stage in STAGES.split("|")] == err.splitlines()
    assert "Nothing has been changed yet" not in out
    assert "Accepted" in out
    assert before == hashlib.sha256((folder / "net.safetensors").read_bytes()).hexdigest()
    names = {path.name for path in (folder / "result").iterdir()}
    assert names == {"certificate", "model.safetensors", "run.json"}
    assert load_file(folder / "result" / "model.safetensors")["head.weight"].shape == (3, 6)
    assert front.run(["verify", "result"]) == 0


def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--json"]) == 0
    out, err = capsys.readouterr()
    lines = records(out)
    assert lines[0] == {"type": "version", "ui": "1.0"}
    assert (lines[-1]["type"], lines[-1]["accepted"], lines[-1]["folder"]) == ("result", True, "result")
    assert lines[-1]["after"]["params/1"] < lines[-1]["before"]["params/1"]
    assert {"rewrite", "measured", "finding"} <= {one["type"] for one in lines}
    assert err == ""
    assert front.run(["verify", "result", "--json"]) == 0
    lines = records(capsys.readouterr().out)
    assert lines[0] == {"type": "version", "ui": "1.0"}
    assert lines[-1]["accepted"] is True
    assert [claim["grade"] for claim in lines[-1]["claims"]] == ["proved", "measured"]
    assert all(claim["holds"] for claim in lines[-1]["claims"])
    (folder / "result" / "model.safetensors").write_bytes(b"\0" * 64)
    assert front.run(["verify", "result", "--json"]) == 4
    assert records(capsys.readouterr().out)[-1]["accepted"] is False


def test_quiet_says_only_the_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "Plan:" not in out
    assert "Accepted" in out
    assert folder.is_dir()


def test_the_default_folder_is_build_and_the_name_of_the_file(folder: Path) -> None:
    assert front.run(["run", "slim.surg", "--quiet"]) == 0
    assert (folder / "build" / "slim" / "run.json").is_file()


def test_standard_input_is_a_file_too(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "slim.surg").open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert front.run(["plan", "-", "--quiet"]) == 0
    assert "Plan: 3 steps" in capsys.readouterr().out


def terminal(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """What a command writes to a terminal on standard error."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "surgdsl.cli.main", *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave,
        env={**os.environ, "PYTHONPATH": str(HOME), "TERM": "xterm", **environment},
    ) as process:  # fmt: skip
        os.close(slave)
        told = b""
        try:
            while chunk := os.read(master, 4096):
                told += chunk
        except OSError:  # the other end was closed
            pass
        finally:
            os.close(master)
    return process.returncode, told.decode()


def test_a_terminal_gets_one_line_that_moves_and_colour_unless_it_is_refused(folder: Path) -> None:
    code, told = terminal(["run", "slim.surg"], {})
    assert code == 0
    assert "capturing the model" in told
    assert "\x1b[" in told
    assert "capturing the model …" not in told
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    (folder / "slim.surg").write_text(text.replace("60%", "sixty"), encoding="utf-8")
    assert "\x1b[31;1merror" in terminal(["check", "slim.surg"], {})[1]
    assert "\x1b[" not in terminal(["check", "slim.surg"], {"NO_COLOR": "1"})[1]


@pytest.mark.parametrize(("color", "colored"), [("always", True), ("never", False), ("auto", False)])
def test_colour_is_what_was_asked_for(
    color: str, folder: Path, capsys: pytest.CaptureFixture[str], *, colored: bool
) -> None:
    (folder / "net.safetensors").unlink()
    for spelled in ([f"--color={color}"], ["--color", color]):
        assert front.run(["plan", "slim.surg", *spelled]) == 1
        assert ("\x1b[" in capsys.readouterr().err) == colored


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "requires an argument"),
        (["run", "slim.surg", "--threads", "0"], "Must be >= 1"),
        (["plan", "slim.surg", "--bogus"], "--bogus"),
        (["rnu", "slim.surg"], "did you mean `run`?"),
    ],
)
def test_usage_is_refused_without_a_word_on_the_results(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert front.run(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True), err
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("redirection", "code"), [(">&-", 0), (">/dev/full", 1), ("| head -1", 0), ("2>&- >&-", 0), (">/dev/null 2>&1", 0)]
)
def test_streams_that_are_closed_full_or_ascii(redirection: str, code: int) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m surgdsl.cli.main explain E0501 {redirection}"],
        env={**os.environ, "PYTHONPATH": str(HOME), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert code == done.returncode
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_a_certificate_knows_which_one_it_supersedes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    first = json.loads((folder / "result" / "certificate" / "cert.json").read_bytes())["predicate"]
    assert first["sequence"] == 0
    assert "supersedes" not in first
    assert front.run(["run", "slim.surg", "--out", "result", "--supersedes", "result", "--quiet"]) == 0
    second = json.loads((folder / "result" / "certificate" / "cert.json").read_bytes())["predicate"]
    assert (second["sequence"], second["supersedes"]) == (1, first["seal"])
    assert front.run(["verify", "result"]) == 0
    capsys.readouterr()


def test_nothing_supersedes_what_its_seal_was_not_made_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    path = folder / "result" / "certificate" / "cert.json"
    path.write_bytes(path.read_bytes().replace(b'"sequence":0', b'"sequence":9'))
    assert front.run(["run", "slim.surg", "--out", "next", "--supersedes", "result", "--json"]) == 1
    assert "E0717" in capsys.readouterr().out
    assert not (folder / "next").exists()
