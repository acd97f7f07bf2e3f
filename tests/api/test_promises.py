"""Promises carried out: bounds at a confidence, losses, candidates, and rows that the surgery has seen itself."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import surgdsl
from surgdsl.cli.sweep import among
from surgdsl.diagnostic import Refusal

NET = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


def rows():
    x = torch.randn(400, 8, generator=torch.Generator().manual_seed(1))
    return x, build()(x).argmax(1)


def others():
    inputs, labels = rows()
    return inputs[:300].flip(0), labels[:300].flip(0)
"""
TEXT = """surg 1
use std.importance.magnitude
use std.metric.{accuracy, loss, params, size}
use std.rules.{mask, quantize}
model net : (x: f32[B, 8]) -> (y: f32[B, 3]) { source = python("net_of_promises:build") }
data rows { source = python("net_of_promises:rows") }
data others { source = python("net_of_promises:others") }
surgery small on net {  # `require params(after) <= 1` is no promise, it is a remark
  require accuracy(after) >= 80% on rows  # of these rows
    with confidence 95% among 4 candidates registered "plan.md"
  step code = apply quantize(bits = 6bit, scheme = "affine") @**
  target size(after) <= 40% * size(before)
  require accuracy.drop <= 10% on rows with confidence 95%
  require loss(after) <= 40% on rows with confidence 9/10
  require loss.rise <= 1/2 on rows with confidence 95%
  require loss.rise <= 20% on rows
  require params(after) <= params(before)
}
surgery twice on net {
  step code = apply quantize(bits = 6bit, scheme = "affine") @** then recover { data = others  epochs = 1 }
  require accuracy.drop <= 50% on rows
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net_of_promises.py").write_text(NET, encoding="utf-8")
    (tmp_path / "small.surg").write_text(TEXT, encoding="utf-8")
    (tmp_path / "plan.md").write_text("four candidates, 80%\n", encoding="utf-8")
    return tmp_path


def carried(folder: Path, surgery: str, runs: int = 1) -> tuple[surgdsl.Result, list[dict[str, Any]]]:
    try:
        asked = among(surgdsl.load(folder / "small.surg"), runs)
        result = surgdsl.run(asked, folder / "out", surgery)
    finally:
        sys.modules.pop("net_of_promises", None)
    statement = json.loads((folder / "out" / "certificate" / "cert.json").read_text(encoding="utf-8"))
    return result, statement["predicate"]["claims"]


def test_every_promise_is_a_claim_in_the_order_and_the_words_of_the_text(folder: Path) -> None:
    result, claims = carried(folder, "small")
    assert result.accepted
    registered = hashlib.sha256((folder / "plan.md").read_bytes()).hexdigest()
    first, *_ = claims
    assert first["text"] == (
        'accuracy(after) >= 80% on rows with confidence 95% among 4 candidates registered "plan.md"'
    )
    assert (first["measured"]["candidates"], first["measured"]["registered"]) == (4, registered)
    measures = [claim["measured"]["measure"] if "measured" in claim else "counted" for claim in claims]
    assert measures == ["accuracy", "counted", "accuracyDrop", "loss", "lossRise", "lossRise", "counted"]
    assert "the claims are those of the surgery small" in "\n".join(result.verdict)
    unread = [line for line in result.verdict if "was not read" in line]
    assert len(unread) == 1, "only the promise that compares two counts has no form that is read"


def test_a_run_of_a_sweep_is_one_of_many_candidates(folder: Path) -> None:
    _, claims = carried(folder, "small", runs=3)
    candidates = [claim["measured"].get("candidates", 0) for claim in claims if "measured" in claim]
    assert candidates == [12, 3, 3, 3, 0]
    with pytest.raises(Refusal, match="E0207"):
        carried(folder, "small", runs=10**6)


def test_rows_that_training_saw_are_counted_under_any_name(folder: Path) -> None:
    result, claims = carried(folder, "twice")
    log = folder / "out" / "certificate" / "blobs" / claims[0]["measured"]["evidence"]
    assert json.loads(log.read_text(encoding="utf-8"))["data"]["seen"] == 300
    assert any("300 of these rows were also trained or calibrated on" in line for line in result.verdict)


def test_a_promise_that_nobody_registered_is_refused_before_anything_is_done(folder: Path) -> None:
    (folder / "plan.md").unlink()
    stages: list[str] = []
    with pytest.raises(Refusal, match="E0701") as refused:
        surgdsl.run(
            surgdsl.load(folder / "small.surg"), folder / "out", "small", told=lambda stage, _: stages.append(stage)
        )
    sys.modules.pop("net_of_promises", None)
    (told,) = refused.value.diagnostics
    assert told.span is not None
    assert "registered" in told.span.text
    assert "measuring" not in stages


def test_what_a_bound_does_not_reach_is_told_with_its_candidates(folder: Path) -> None:
    text = (folder / "small.surg").read_text(encoding="utf-8").replace(">= 80%", ">= 99.9%")
    (folder / "small.surg").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        carried(folder, "small")
    assert [one.code for one in refused.value.diagnostics] == ["E0802"]
    assert refused.value.diagnostics[0].label.endswith("with confidence 0.95 among 4 candidates")
    assert "at least" in refused.value.diagnostics[0].label
