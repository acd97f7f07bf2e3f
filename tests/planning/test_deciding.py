"""Choices: every candidate is planned, promises come first, the target decides, ties go to the first of the file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.language import load
from surgdsl.planning.deciding import decide
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.plan import Plan

NET = '''
"""Two layers."""

import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 20), nn.ReLU(), nn.Linear(20, 4))
'''
HEAD = """surg 1
use std.importance.magnitude
use std.metric.{macs, params, size}
use std.rules.{mask, prune_channels, quantize}
model net : (x: f32[B, 8]) -> (y: f32[B, 4]) { source = python("decided_net:build") }
surgery slim on net {
"""
NARROW = "step narrow = apply prune_channels(keep = choose 20%..100% every 20%) @0 by magnitude\n"
CODE = 'step code = apply quantize(bits = choose {8bit, 2bit, 4bit}, scheme = "affine") @0\n'


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    yield
    sys.modules.pop("decided_net", None)


def decided(folder: Path, *clauses: str) -> tuple[Plan, list[str]]:
    (folder / "decided_net.py").write_text(NET, encoding="utf-8")
    (folder / "slim.surg").write_text(HEAD + "\n".join(clauses) + "\n}\n", encoding="utf-8")
    told: list[str] = []
    made = decide(open_surgery(load(folder / "slim.surg")), lambda _, detail: told.append(detail))
    return made, told


def test_the_smallest_result_is_taken_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    made, told = decided(tmp_path, CODE)
    assert [step.declared.arguments["bits"] for step in made.steps] == [2]
    assert told == ["candidate 1/3", "candidate 2/3", "candidate 3/3"]
    assert "code.bits = 2" in made.chosen


def test_promises_come_first(tmp_path: Path) -> None:
    made, _ = decided(tmp_path, CODE, "require size(after) >= 60% * size(before)")
    assert [step.declared.arguments["bits"] for step in made.steps] == [8]


GOALS = (("maximize params(after)", "4/5"), ("minimize params(after)", "1/5"), ("minimize macs(after)", "1/5"))


@pytest.mark.parametrize(("goal", "keep"), GOALS)
def test_the_target_decides(tmp_path: Path, goal: str, keep: str) -> None:
    made, told = decided(tmp_path, NARROW, f"target {goal}")
    assert [str(step.declared.arguments["keep"]) for step in made.steps] == [keep]
    assert len(told) == 5, "to keep all changes nothing, so it is a candidate that falls out and not the end"


def test_a_division_by_zero_is_no_best(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        decided(tmp_path, CODE, "target minimize size(after) / (params(after) - params(before))")
    assert [one.code for one in refused.value.diagnostics] == ["E0804"]


def test_ties_go_to_the_first_of_the_file(tmp_path: Path) -> None:
    made, _ = decided(tmp_path, CODE, "target minimize params(after) / params(after)")
    assert [step.declared.arguments["bits"] for step in made.steps] == [8]


def test_every_combination_is_tried(tmp_path: Path) -> None:
    order = "order narrow >> code\n"
    promise = "require params(after) >= 50% * params(before)"
    made, told = decided(tmp_path, NARROW, CODE.replace("@0", "@2"), order, promise)
    assert told[-1] == "candidate 15/15"
    assert [dict(step.declared.arguments).get("bits") for step in made.steps] == [None, 2]


def test_where_none_can_be_taken_every_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        decided(tmp_path, CODE, "require size(after) <= 1B")
    assert refused.value.exit_code == 3
    (only,) = refused.value.diagnostics
    assert only.code == "E0804"
    assert [note.message.partition(":")[0] for note in only.notes] == [
        "code.bits = 8",
        "code.bits = 2",
        "code.bits = 4",
    ]


def test_what_is_wrong_with_the_file_ends_the_search(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        decided(tmp_path, CODE.replace("@0", "@nowhere"))
    assert [one.code for one in refused.value.diagnostics] == ["E0501"]
