"""surg plan: which channels of which tensors go, why, and what every step saves; exactly what a run then does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_plan_can_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert front.run(["plan", "slim.surg"]) == 0
    out, err = capsys.readouterr()
    assert err == "capturing the model …\nplanning …\n"
    for said in (
        "first:out: 12 -> 6",
        "cuts first.weight[0], first.bias[0], norm.weight[0], norm.bias[0], norm.running_mean[0], norm.running_var[0]",
        "why  magnitude: the best that goes scores",
        "then recover on train",
        "require params(after) <= 60% * params(before)",
        "will be proved",
        "will be measured",
        "Plan: 3 steps, 4 rewrites. No interface wire is touched.\nNothing has been changed yet.\n",
    ):
        assert said in out
    assert before == [path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts]


def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["plan", "slim.surg", "--json"]) == 0
    out, err = capsys.readouterr()
    lines = records(out)
    assert err == ""
    assert lines[0] == {"type": "version", "ui": "1.0"}
    assert [one["name"] for one in lines if one["type"] == "step"] == ["narrow", "fold", "code"]
    first = next(one for one in lines if one["type"] == "step")["actions"][0]
    assert sorted(first["keep"] + first["gone"]) == list(range(12))
    assert min(first["scores"][one] for one in first["keep"]) >= max(first["scores"][one] for one in first["gone"])
    assert lines[-1]["type"] == "plan"
    assert folder.is_dir()


def test_what_is_planned_is_what_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["plan", "slim.surg", "--json"]) == 0
    planned = records(capsys.readouterr().out)[-1]
    assert front.run(["run", "slim.surg", "--out", str(folder / "result"), "--json"]) == 0
    done = records(capsys.readouterr().out)[-1]
    for metric in ("macs/1", "params/1", "size/1"):
        assert (planned["before"][metric], planned["after"][metric]) == (done["before"][metric], done["after"][metric])
