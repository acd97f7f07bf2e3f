"""Ranks chosen layer by layer: the plan keeps the promise, and a layer that bears less keeps more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.api import run
from surgdsl.language import load

NET = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 5))
    with torch.no_grad():  # one layer that is nearly of rank 4, and one that is not
        left, right = torch.randn(24, 4), torch.randn(4, 24)
        net[2].weight.copy_(left @ right / 10 + 0.01 * torch.randn(24, 24))
        net[0].weight.copy_(torch.nn.init.orthogonal_(torch.empty(24, 16)))
    return net


def rows():
    x = torch.randn(256, 16, generator=torch.Generator().manual_seed(1))
    return x, build()(x).argmax(1)
"""
TEXT = """surg 1
use std.metric.{damage, params}
use std.rules.low_rank
model net : (x: f32[B, 16]) -> (y: f32[B, 5]) { source = python("ranked_net:build") }
data rows { source = python("ranked_net:rows") }
surgery slim on net {
  step thin = apply low_rank(keep = choose {35%, 60%, 90%, 100%}, calibrate = rows) @0 | @2
  target minimize damage on rows
  require params(after) <= 75% * params(before)
}
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "ranked_net.py").write_text(NET, encoding="utf-8")
    yield
    sys.modules.pop("ranked_net", None)


def test_the_layer_that_is_nearly_of_low_rank_gives_up_its_weights(tmp_path: Path) -> None:
    (tmp_path / "slim.surg").write_text(TEXT, encoding="utf-8")
    result = run(load(tmp_path / "slim.surg"), tmp_path / "out")
    assert result.accepted
    kept = {
        payload.base
        for one in result.outcome.carried.final.net.params().values()
        if (payload := one.payload) is not None
    }
    assert "0.weight" in kept, "an orthogonal layer has no direction to spare"
    assert "2.weight" not in kept
    assert {"2.U.weight", "2.V.weight"} <= kept
