"""surg axes: what can be cut, what goes along, and why the rest cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgdsl.cli import main as front


def test_axes_can_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["axes", "slim.surg"]) == 0
    out, err = capsys.readouterr()
    assert err in ("", "capturing the model …\n")
    assert out.startswith("2 axes can be cut\n")
    assert "first:out" in out
    assert "second.weight[1]" in out
    assert "reaches input" in out
    assert "reaches output" in out
    assert folder.is_dir()


def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["axes", "slim.surg", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"type": "version", "ui": "1.0"}
    found = {one["name"]: one for one in lines[1:]}
    assert {one["type"] for one in lines[1:]} == {"axis"}
    assert {name for name, one in found.items() if one["pinned"] is False} == {"first:out", "second:out"}
    assert {"tensor": "second.weight", "dimension": 0} in found["second:out"]["members"]
    assert folder.is_dir()


def test_which_model_is_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    second = 'model nut : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }\n'
    (folder / "slim.surg").write_text(text + second, encoding="utf-8")
    assert front.run(["axes", "slim.surg"]) == 1
    assert "the file has net, nut" in capsys.readouterr().err
    assert front.run(["axes", "slim.surg", "--model", "nutt"]) == 1
    assert "did you mean `nut`?" in capsys.readouterr().err
    assert front.run(["axes", "slim.surg", "--model", "nut"]) == 0
