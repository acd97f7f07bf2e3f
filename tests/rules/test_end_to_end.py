"""A file with rules of its own, from its text to an accepted certificate, and what its statement says of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from surgdsl.api import Result, run
from surgdsl.diagnostic import Refusal
from surgdsl.language import load

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.mix, self.drop = nn.Conv2d(6, 6, 1), nn.Dropout(0.1)
        self.a, self.b = nn.Linear(6 * 16, 12), nn.Linear(12, 4)

    def forward(self, x):
        y = torch.relu(torch.relu(self.norm(self.conv(x))))
        return self.b(self.a(self.drop(self.mix(y).flatten(1))))


def build():
    torch.manual_seed(0)
    net = Net()
    net.norm.running_mean.normal_()
    net.norm.running_var.uniform_(0.5, 2.0)
    torch.nn.init.normal_(net.norm.weight)
    return net
"""

SPEC = """surg 1
use std.metric.params
use std.rules.{fold_batchnorm, remove_dropout}

rule exact join {
  L { x -> [A: linear(h, i)] -> [B: linear(o, h)] -> y }
  K { x: real  y: real }
  R { x -> [A: linear(o, i)] -> y }
  with A.weight = sum[h](A.weight * B.weight)
       A.bias = sum[h](A.bias * B.weight) + B.bias
  decreases count(linear)
}
rule exact once {
  L { x -> [relu] -> [relu] -> y }
  K { x: real  y: real }
  R { x -> [relu] -> y }
  decreases count(relu)
}
rule bounded thin(r: int) {
  L { x -> [W: conv2d(o, i, 1, 1)] -> y }
  K { x: real[*, i, h, w]  y: real[*, o, h, w] }
  R { x -> [V: conv2d(r, i, 1, 1)] -> [U: conv2d(o, r, 1, 1)] -> y }
  where r * (o + i) < o * i
  with U.weight, V.weight = svd(W.weight, rank = r)
       U.bias = W.bias
  bound l2(y.before - y.after) <= sigma(W.weight, r + 1) * l2(x)
}
rule lossy dull {
  L { x -> [A: linear(o, i)] -> y }
  K { x: real  y: real }
  R { x -> [A: linear(o, i)] -> y }
  with A.weight = if abs(A.weight) < 1 / 100 then 0 else A.weight
       A.bias = A.bias
}
model net : (x: f32[B, 1, 4, 4]) -> (y: f32[B, 4]) { source = python("ruled_net:build") }
surgery slim on net {
  step fold = apply exhaustively fold_batchnorm @**
  step fewer = apply exhaustively join @**
  step relu = apply exhaustively once @**
  step still = apply remove_dropout @**
  step mix = apply thin(r = 2) @mix
  step small = apply dull @**
  order fold >> fewer >> relu >> still >> mix >> small
  require params(after) <= 50% * params(before)
}
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "ruled_net.py").write_text(NET, encoding="utf-8")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    sys.modules.pop("ruled_net", None)


def made(folder: Path, text: str = SPEC, out: str = "out") -> Result:
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    return run(load(folder / "slim.surg"), folder / out)


def predicate(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "certificate" / "cert.json").read_text(encoding="utf-8"))["predicate"]


def test_a_file_with_rules_of_its_own_is_carried_out_and_verified(tmp_path: Path) -> None:
    result = made(tmp_path)
    assert result.accepted
    said = predicate(tmp_path / "out")
    assert [step["step"] for step in said["steps"]] == ["fold", "fewer", "relu", "still", "mix", "small"]
    assert {"rule/1"} == {step["rule"] for step in said["steps"]}
    assert [step.get("reduces") for step in said["steps"]] == ["params/1", "params/1", None, None, "params/1", None]
    rules = {row["declaration"]["name"]: row for row in said["rules"]}
    assert {"fold_batchnorm", "join", "once", "remove_dropout", "thin", "dull"} == rules.keys()
    methods = {name: row["discharge"]["method"] for name, row in rules.items()}
    assert methods == {
        "fold_batchnorm": "identity", "join": "identity", "once": "samples", "remove_dropout": "identity",
        "thin": "samples", "dull": "none",
    }  # fmt: skip
    assert all(row["discharge"]["bits"] >= 40 for name, row in rules.items() if methods[name] == "identity")
    assert [step["step"] for step in said["steps"] if "factor" in step["arguments"]] == ["mix"]
    assert rules["thin"]["steps"] == ["mix"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    made(tmp_path, out="one")
    sys.modules.pop("ruled_net", None)
    made(tmp_path, out="two")
    files = ["certificate/cert.json", "model.safetensors"]
    assert [(tmp_path / "one" / name).read_bytes() for name in files] == [
        (tmp_path / "two" / name).read_bytes() for name in files
    ]


def test_a_rule_that_is_called_exact_and_is_not_stops_the_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        made(tmp_path, SPEC.replace("+ B.bias", "- B.bias"))
    assert [one.code for one in refused.value.diagnostics] == ["E0353"]
    assert not (tmp_path / "out").exists()


def test_a_bound_that_does_not_hold_stops_the_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        made(tmp_path, SPEC.replace("sigma(W.weight, r + 1)", "1 / 2 * sigma(W.weight, r + 1)"))
    assert [one.code for one in refused.value.diagnostics] == ["E0349"]
