"""surg draw: a picture in a file or on standard output, in the form that is asked for, the committed one up to date.

With SURGDSL_UPDATE=1 in the environment the committed picture is drawn anew before comparing, as by `make pictures`.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from surgdsl.cli import main as front

HOUSE = Path(__file__).resolve().parents[2]
GOLDEN = HOUSE / "docs" / "pictures" / "digits_mlp.svg"


def test_a_picture_in_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["draw", "slim.surg", "-o", "net.svg"]) == 0
    assert "net drawn in net.svg" in capsys.readouterr().out
    root = ET.parse(folder / "net.svg").getroot()  # noqa: S314 - our own file
    said = " ".join(root.itertext())
    assert all(word in said for word in ("first:out", "second:out", "input", "output", "grey sizes cannot be cut"))
    assert [path.name for path in folder.iterdir() if "net.svg" in path.name] == ["net.svg"]


def test_the_ending_of_the_file_says_the_form(folder: Path) -> None:
    assert front.run(["draw", "slim.surg", "--out", "net.gv"]) == 0
    assert (folder / "net.gv").read_text(encoding="utf-8").startswith("digraph {\n")
    assert front.run(["draw", "slim.surg", "--out", "net.gv", "--format", "svg"]) == 0
    assert (folder / "net.gv").read_text(encoding="utf-8").startswith("<svg ")


@pytest.mark.usefixtures("folder")
def test_a_picture_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["draw", "slim.surg", "--format", "dot"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digraph {\n")
    assert out.endswith("}\n")


def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["draw", "slim.surg", "--json"]) == 0
    version, picture = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert version == {"type": "version", "ui": "1.0"}
    assert (picture["type"], picture["model"], picture["format"]) == ("picture", "net", "svg")
    assert picture["text"].endswith("</svg>\n")
    assert front.run(["draw", "slim.surg", "--json", "-o", "net.svg"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[1])["path"] == "net.svg"
    assert (folder / "net.svg").read_text(encoding="utf-8") == picture["text"]


def test_which_model_is_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    second = 'model nut : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }\n'
    (folder / "slim.surg").write_text(text + second, encoding="utf-8")
    assert front.run(["draw", "slim.surg", "-o", "net.svg"]) == 1
    assert "the file has net, nut" in capsys.readouterr().err
    assert front.run(["draw", "slim.surg", "--model", "nutt"]) == 1
    assert "did you mean `nut`?" in capsys.readouterr().err
    assert not (folder / "net.svg").exists()
    assert front.run(["draw", "slim.surg", "--model", "nut", "-o", "net.svg"]) == 0


@pytest.mark.parametrize("place", ["a/b/net.svg", "."])
def test_a_place_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    before = sorted(folder.iterdir())
    assert front.run(["draw", "slim.surg", "-o", place]) == 1
    assert "E0902" in capsys.readouterr().err
    assert sorted(path for path in folder.iterdir() if path.name != "__pycache__") == before


def test_the_committed_picture_is_what_is_drawn_today(tmp_path: Path) -> None:
    fresh = GOLDEN if os.environ.get("SURGDSL_UPDATE") else tmp_path / GOLDEN.name
    assert front.run(["draw", str(HOUSE / "examples" / "digits_mlp.surg"), "-o", str(fresh)]) == 0
    assert fresh.read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")
