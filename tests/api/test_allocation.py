"""An allocation carried out: the verifier accepts it, and the certificate says how near it is to the best."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import surgdsl

NET = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 3))


def rows():
    return torch.randn(32, 16, generator=torch.Generator().manual_seed(1)), torch.arange(32) % 3
"""
TEXT = """surg 1
use std.metric.{damage, size}
use std.rules.quantize
model net : (x: f32[B, 16]) -> (y: f32[B, 3]) { source = python("net_of_allocation:build") }
data rows { source = python("net_of_allocation:rows") }
surgery small on net {
  step code = apply quantize(bits = choose {2bit, 4bit, 8bit}, scheme = "affine") @**
  target minimize damage on rows
  require size(after) <= 40% * size(before)
}
"""


def test_the_certificate_states_the_loss_the_bound_and_the_gap(tmp_path: Path) -> None:
    (tmp_path / "net_of_allocation.py").write_text(NET, encoding="utf-8")
    (tmp_path / "small.surg").write_text(TEXT, encoding="utf-8")
    try:
        result = surgdsl.run(surgdsl.load(tmp_path / "small.surg"), tmp_path / "out")
    finally:
        sys.modules.pop("net_of_allocation", None)
    assert result.accepted
    statement = json.loads((tmp_path / "out" / "certificate" / "cert.json").read_text(encoding="utf-8"))
    facts = dict(statement["predicate"]["facts"])
    assert facts["allocation.gap"] == "0"
    assert facts["allocation.bound"] == facts["allocation.loss"]
    assert facts["allocation.figure"] == "damage on rows (nats a row)"
    assert facts["allocation.method"].startswith("dynamic programming, 2 places, 6 options")
