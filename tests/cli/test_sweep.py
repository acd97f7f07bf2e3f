"""surg sweep: every combination is a job of its own, what cannot be met is told, the best are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front

PARAMS = "param share: ratio = 50%\nparam width: bit = 4bit\nsurgery slim on net {"
SWEEP = """
sweep frontier over slim {
  vary share in {50%, 100%}
  vary width in {2bit, 4bit}
  keep pareto(size(after), accuracy.drop)
  limit 3 runs
}
"""


@pytest.fixture
def swept(folder: Path) -> Path:
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    for old, new in (
        ("surgery slim on net {", PARAMS),
        ("keep = 50%", "keep = share"),
        ("bits = 2bit", "bits = width"),
        ("  require params(after) <= 60% * params(before)\n", ""),
        (" then recover { data = train  epochs = 2 }", ""),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "slim.surg").write_text(text.replace("<= 20% on", "<= 100% on") + SWEEP, encoding="utf-8")
    return folder


def recorded(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "sweep.json").read_text(encoding="utf-8"))


def test_a_sweep_runs_to_its_limit(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["sweep", "slim.surg", "--out", "out"]) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    made = recorded(swept / "out")
    assert [one["values"] for one in made["runs"]] == [
        {"share": "50%", "width": "2bit"},
        {"share": "50%", "width": "4bit"},
        {"share": "100%", "width": "2bit"},
    ]
    assert "run 3 has no result: E0504" in out or made["runs"][2]["figures"]
    assert any(one["kept"] for one in made["runs"])
    assert (swept / "out/sweep.svg").read_text(encoding="utf-8").count("<circle") == sum(
        one["figures"] is not None for one in made["runs"]
    )
    for one in made["runs"]:
        if one["folder"]:
            assert front.run(["verify", f"out/{one['folder']}"]) == 0
            spec = next((swept / "out" / one["folder"] / "certificate/blobs").glob("*"))
            assert spec.is_file()


def test_each_run_says_what_it_was_asked(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["sweep", "slim.surg", "--out", "out", "--quiet"]) == 0
    texts: list[str] = []
    for number in (1, 2):
        certificate = swept / f"out/run-{number}/certificate"
        predicate = json.loads((certificate / "cert.json").read_text(encoding="utf-8"))["predicate"]
        texts.append((certificate / "blobs" / predicate["spec"]["blob"]).read_text(encoding="utf-8"))
    assert "param width: bit = 2bit" in texts[0]
    assert "param width: bit = 4bit" in texts[1]
    capsys.readouterr()


def test_a_longer_sweep_leaves_nothing_behind(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["sweep", "slim.surg", "--out", "out", "--quiet"]) == 0
    text = (swept / "slim.surg").read_text(encoding="utf-8")
    (swept / "slim.surg").write_text(text.replace("limit 3", "limit 1"), encoding="utf-8")
    assert front.run(["sweep", "slim.surg", "--out", "out", "--quiet"]) == 0
    assert sorted(one.name for one in (swept / "out").iterdir()) == ["run-1", "sweep.json", "sweep.svg"]
    capsys.readouterr()


def test_where_nothing_can_be_met_the_exit_code_is_three(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (swept / "slim.surg").read_text(encoding="utf-8")
    (swept / "slim.surg").write_text(text.replace("<= 100% on", "<= -100% on"), encoding="utf-8")
    assert front.run(["sweep", "slim.surg", "--out", "out"]) == 3
    assert [one["figures"] for one in recorded(swept / "out")["runs"]] == [None] * 3
    assert not list((swept / "out").glob("run-*"))
    capsys.readouterr()


def test_other_folders_are_left_alone(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (swept / "mine").mkdir()
    (swept / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    assert front.run(["sweep", "slim.surg", "--out", "mine"]) == 1
    assert "error[E0901]" in capsys.readouterr().err
    assert [one.name for one in (swept / "mine").iterdir()] == ["letter.txt"]


def test_every_wrong_value_is_told_before_anything_runs(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (swept / "slim.surg").read_text(encoding="utf-8")
    wrong = text.replace("{50%, 100%}", "{120%, 50%, 130%}").replace("limit 3", "limit 9")
    (swept / "slim.surg").write_text(wrong, encoding="utf-8")
    assert front.run(["sweep", "slim.surg", "--out", "out"]) == 1
    assert capsys.readouterr().err.count("error[E0207]") == 2
    assert not (swept / "out").exists()
