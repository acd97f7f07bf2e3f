"""Layers written as products: from a text to an accepted certificate, on rows that are far from white."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from surgdsl.api import Result, run
from surgdsl.bridge.rebuild import rebuild
from surgdsl.diagnostic import Refusal
from surgdsl.language import load

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, stride=2, padding=1, bias=False)
        self.mix, self.split = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 16, 3, groups=4)
        self.wide, self.head = nn.Linear(16 * 4, 24), nn.Linear(24, 4)

    def forward(self, x):
        y = torch.relu(self.two(torch.relu(self.one(x))))
        y = torch.relu(self.split(torch.relu(self.mix(y))))
        return self.head(torch.relu(self.wide(y.flatten(1))))


def build():
    torch.manual_seed(0)
    return Net()


def rows():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(96, 3, 8, 8, generator=generator)
    x = x + 2 * x.roll(1, 3) + 2 * x.roll(1, 2)
    return x, build()(x).argmax(1)
"""

TEXT = """surg 1
use std.metric.params
use std.rules.low_rank
model net : (x: f32[B, 3, 8, 8]) -> (y: f32[B, 4]) {{ source = python("lowered_net:build") }}
data rows {{ source = python("lowered_net:rows") }}
surgery slim on net {{
  step thin = apply low_rank({arguments}) @**
  require params(after) <= {most} * params(before)
}}
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "lowered_net.py").write_text(NET, encoding="utf-8")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    sys.modules.pop("lowered_net", None)


def made(folder: Path, arguments: str, most: str = "99%", out: str = "out") -> tuple[Result, dict[str, Any]]:
    (folder / "slim.surg").write_text(TEXT.format(arguments=arguments, most=most), encoding="utf-8")
    result = run(load(folder / "slim.surg"), folder / out)
    certificate = json.loads((folder / out / "certificate" / "cert.json").read_text(encoding="utf-8"))
    return result, certificate["predicate"]


def difference(result: Result) -> float:
    """How far the outputs of the result are off, relative and squared, on the rows."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(96, 3, 8, 8, generator=generator)
    x = x + 2 * x.roll(1, 3) + 2 * x.roll(1, 2)
    with torch.no_grad():
        states = result.outcome.plan.opened.start, result.outcome.carried.final
        before, after = (rebuild(state)(x) for state in states)
    return float(((after - before) ** 2).sum() / (before**2).sum())


def test_a_share_is_kept_and_every_rule_is_one_of_the_library(tmp_path: Path) -> None:
    result, said = made(tmp_path, "keep = 60%, calibrate = rows", most="66%")
    assert result.accepted
    names = [row["declaration"]["name"] for row in said["rules"]]
    assert {"factor", "factor_pointwise", "factor_outputs", "factor_inputs"} == set(names)
    (adjusted,) = [step for step in said["steps"] if step["rule"] == "adjust/1"]
    assert said["steps"].index(adjusted) == 0
    figures = {name: Fraction(value) for name, value in adjusted["arguments"]["figures"]}
    assert {"rows", "one.weight.error", "two.weight.error", "mix.weight.error", "wide.weight.error",
            "head.weight.error"} == figures.keys()  # fmt: skip
    assert figures["rows"] == 96
    assert all(0 < value < 1 for name, value in figures.items() if name != "rows")


def test_products_are_exact_once_the_weights_have_their_rank(tmp_path: Path) -> None:
    _, said = made(tmp_path, "keep = 60%, calibrate = rows")
    factors = [float.fromhex(step["arguments"]["factor"]) for step in said["steps"] if "factor" in step["arguments"]]
    assert factors
    assert max(factors) < 1e-3


def test_knowing_the_rows_costs_nothing_and_changes_the_outputs_less(tmp_path: Path) -> None:
    with_rows, _ = made(tmp_path, "keep = 60%, calibrate = rows", out="rows")
    without, _ = made(tmp_path, "keep = 60%", out="none")
    assert with_rows.accepted
    assert without.accepted
    assert difference(with_rows) < 0.7 * difference(without)


def test_a_rank_that_saves_nothing_is_left_alone(tmp_path: Path) -> None:
    result, said = made(tmp_path, "rank = 10")
    assert result.accepted
    named = {step["arguments"]["variables"][-1][0] for step in said["steps"] if "variables" in step["arguments"]}
    assert named
    text = "\n".join(step["rule"] for step in said["steps"])
    assert "adjust" not in text
    assert "factor_pointwise" not in [row["declaration"]["name"] for row in said["rules"]]


@pytest.mark.parametrize("arguments", ["", "rank = 4, keep = 50%"])
def test_either_a_rank_or_a_share_is_asked_for(tmp_path: Path, arguments: str) -> None:
    with pytest.raises(Refusal, match="E0207"):
        made(tmp_path, arguments)


def test_where_no_rank_saves_anything_the_step_is_refused_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="E0504") as refused:
        made(tmp_path, "rank = 65536")
    told = "\n".join(refused.value.diagnostics[0].help)
    assert "mix.weight: of rank 16 it would take no fewer weights" in told
    assert "split.weight: the library has no product for this kind of convolution" in told
