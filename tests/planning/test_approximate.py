"""What a plan says of axes that can only be cut approximately, and of layers whose weight lies the other way round."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.language import load
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.plan import Plan, plan
from surgdsl.report.planned import records, told

NET = '''
"""A network with norms over channels, and a convolution that goes up."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.n = nn.Conv2d(3, 6, 1), nn.GroupNorm(1, 6)
        self.up, self.b = nn.ConvTranspose2d(6, 5, 2, 2), nn.Conv2d(5, 8, 1)
        self.o = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        y = self.b(torch.relu(self.up(self.n(self.a(x)))))
        return self.o(y * torch.softmax(y, 1)).mean((2, 3))


def build():
    torch.manual_seed(0)
    return Net()
'''

HEAD = """surg 1
use std.importance.magnitude
use std.rules.prune_channels
model net : (x: f32[B, 3, 4, 4]) -> (y: f32[B, 2]) { source = python("approximate_net:build") }
surgery slim on net {
  seed 1
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "approximate_net.py").write_text(NET, encoding="utf-8")
    yield
    sys.modules.pop("approximate_net", None)


def planned(folder: Path, selector: str) -> Plan:
    step = f"  step prune = apply prune_channels(keep = 50%) {selector} by magnitude\n"
    (folder / "slim.surg").write_text(f"{HEAD}{step}}}\n", encoding="utf-8")
    return plan(open_surgery(load(folder / "slim.surg")))


def test_each_axis_that_is_left_alone_is_told_with_what_works_over_it(tmp_path: Path) -> None:
    made = planned(tmp_path, "@*")
    assert [action.note.partition(":")[0] for action in made.steps[0].actions] == ["up"]
    text = "\n".join(told(made))
    assert "left alone  a:out: a cut would only be approximate, a norm is taken over it at n (group_norm)" in text
    assert "left alone  b:out: a cut would only be approximate, a softmax is taken over it at model (softmax" in text
    (record, *_) = records(made)
    assert len([reason for reason in record["leftAlone"] if "approximate" in reason]) == 2


def test_a_transposed_convolution_is_meant_by_its_outputs(tmp_path: Path) -> None:
    (action,) = planned(tmp_path, "@up").steps[0].actions
    assert action.note == "up:filters: 5 -> 3"
