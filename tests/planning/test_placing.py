"""Conditions of selectors on a model: kinds, paths and sizes as they are when the step comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.language import load
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.placing import places
from surgdsl.planning.plan import plan

NET = '''
"""Three layers of two kinds."""

import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4))
'''
HEAD = """surg 1
use std.rules.{mask, quantize}
model net : (x: f32[B, 2, 2, 2]) -> (y: f32[B, 4]) { source = python("placed_net:build") }
surgery slim on net {
"""


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    yield
    sys.modules.pop("placed_net", None)


def touched(folder: Path, where: str, before: str = "") -> list[str]:
    """The layers that the last of the steps changes."""
    (folder / "placed_net.py").write_text(NET, encoding="utf-8")
    order = "order before >> code" if before else ""
    text = f"{HEAD}{before}\nstep code = apply mask(keep = 25%) @** where {where}\n{order}\n}}\n"
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    made = plan(open_surgery(load(folder / "slim.surg")))
    return [action.note.partition(".")[0] for action in made.steps[-1].actions]


@pytest.mark.parametrize(
    ("where", "layers"),
    [
        ("kind == linear", ["3", "5"]),
        ("kind != linear", ["0"]),
        ("kind == conv2d", ["0"]),
        ("not (kind == linear)", ["0"]),
        ("kind == linear and path != @5", ["3"]),
        ("path == @{0,5}", ["0", "5"]),
        ("params >= 68", ["3", "5"]),
        ("params > 68", ["3"]),
        ("size < 272B", ["0"]),
        ("size <= 272B or kind == linear", ["0", "3", "5"]),
    ],
)
def test_a_condition_means_what_it_says(tmp_path: Path, where: str, layers: list[str]) -> None:
    assert layers == touched(tmp_path, where)


def test_sizes_are_those_of_the_moment(tmp_path: Path) -> None:
    step = 'step before = apply quantize(bits = 2bit, scheme = "affine") @3'
    assert touched(tmp_path, "size >= 1KiB") == ["3"]
    assert sorted(touched(tmp_path, "size < 512B", step)) == ["0", "3", "5"]


def test_an_unknown_kind_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        touched(tmp_path, "kind == linera")
    (only,) = refused.value.diagnostics
    assert (only.code, only.label) == ("E0501", "did you mean `linear`?")
    assert only.help == ("there are conv2d, flatten, linear, relu",)


def test_a_condition_that_nothing_fulfils_is_no_place(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="E0501"):
        touched(tmp_path, "params > 1_000_000")


def test_places_count_what_is_stored_there(tmp_path: Path) -> None:
    (tmp_path / "placed_net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "slim.surg").write_text(f"{HEAD}step a = apply mask(keep = 50%) @**\n}}\n", encoding="utf-8")
    found = places(open_surgery(load(tmp_path / "slim.surg")).start)
    assert (found["5"].kinds, found["5"].params, found["5"].size) == (frozenset({"linear"}), 68, 272)
