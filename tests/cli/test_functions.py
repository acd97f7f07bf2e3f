"""Criteria, metrics and Python of the user's own, from the text to a verdict."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front
from surgdsl.verifier.main import main as verify

HOUSE = """import numpy as np


def owl(w):
    return np.abs(w).sum(axis=tuple(range(1, w.ndim)))


def fairness(weights):
    return 1 - len(weights) / 100


def ill(weights):
    return float("nan")


def worse(weights):
    raise ValueError("no idea")
"""
MODEL = """surg 1
use std.importance.{fisher, magnitude}
use std.metric.{macs, nnz, params, size}
use std.rules.{mask, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) {
  source  = python("net:build")
  weights = file("net.safetensors")
}
data train { source = python("net:train") }
dim T in 1..8
criterion mine(w: tensor[cout, cin]) -> score[cout] = sum[cin]((grad(w) * w)^2)
criterion busy(w: tensor[cout, cin]) -> score[cout] = sum[cin](abs(w) * sqrt(mean[B, T](activation(w)^2)))
criterion wanda(w: tensor[cout, cin]) -> score[cout, cin] = abs(w) * sqrt(sum[B](activation(w)^2))
extern criterion owl(w: tensor[cout, cin]) -> score[cout] = python("house:owl")
metric cost(m: model) -> ratio = 0.7 * size(m) / size(before) + 0.3 * macs(m) / macs(before)
metric average_bits(m: model) -> bit = sum(p in weights(m): count(p) * bits(p)) / sum(p in weights(m): count(p))
extern metric fairness(m: model) -> ratio = python("house:fairness")
extern metric ill(m: model) -> ratio = python("house:ill")
extern metric worse(m: model) -> ratio = python("house:worse")
"""
STEPS = """surgery slim on net {
  step one   = apply prune_channels(keep = 75%, calibrate = train) @first by mine
  step two   = apply prune_channels(keep = 75%, calibrate = train) @second by busy
  step three = apply prune_channels(keep = 75%) @first by owl
  step four  = apply mask(keep = 75%, calibrate = train) @first by wanda
  step five  = apply mask(keep = 50%, calibrate = train) @head by fisher
  step code  = apply quantize(bits = 2bit) @second
  order one >> two >> three >> four >> five >> code
"""


def told(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def written(folder: Path) -> Path:
    (folder / "house.py").write_text(HOUSE, encoding="utf-8")
    return folder


def run(folder: Path, *requires: str) -> int:
    lines = "".join(f"  require {one}\n" for one in requires)
    (folder / "slim.surg").write_text(f"{MODEL}{STEPS}{lines}}}\n", encoding="utf-8")
    return front.run(["run", "slim.surg", "--out", "result", "--json"])


def test_criteria_and_metrics_of_the_file_run_and_verify(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims = ("cost(after) <= 60%", "average_bits(after) < 32bit", "average_bits.drop > 1bit", "cost.drop >= 1 / 3")
    assert run(written, *claims) == 0, capsys.readouterr()
    capsys.readouterr()
    assert verify(["result", "--json"]) == 0
    verdict = told(capsys.readouterr().out)[-1]
    assert list(claims) == [one["text"] for one in verdict["claims"]]
    assert [(one["grade"], one["holds"]) for one in verdict["claims"]] == [("proved", True)] * 4


@pytest.mark.parametrize(
    "claim", ["cost(after) <= 1%", "average_bits(after) <= 2bit", "size(after) / (size(before) - size(before)) <= 9"]
)
def test_a_promise_that_does_not_hold_or_is_undefined_is_refused(
    claim: str, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(written, claim) == 3
    assert [one["code"] for one in told(capsys.readouterr().out) if one["type"] == "diagnostic"] == ["E0801"]
    assert not (written / "result").exists()


def test_a_promise_on_python_holds_for_those_who_trust_it(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written, "fairness(after) >= 80%", "cost(after) < 1") == 0, capsys.readouterr()
    capsys.readouterr()
    digest = hashlib.sha256((written / "house.py").read_bytes()).hexdigest()
    assert verify(["result", "--json"]) == 4
    assert told(capsys.readouterr().out)[-1]["code"] == "V21"
    assert verify(["result", "--json", "--trust", "0" * 64]) == 4
    assert front.run(["verify", "result", "--json", "--trust", digest]) == 0
    verdict = told(capsys.readouterr().out)[-1]
    assert [one["grade"] for one in verdict["claims"]] == ["trusted", "proved"]
    assert digest in verdict["claims"][0]["detail"]


def test_python_is_pinned_by_its_bytes(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written, "fairness(after) >= 80%") == 0
    statement = json.loads((written / "result/certificate/cert.json").read_text(encoding="utf-8"))
    (claim,) = statement["predicate"]["claims"]
    value = claim["counted"]["left"]
    assert {"attested", "reference", "sha256", "state"} == value.keys()
    assert value["sha256"] == hashlib.sha256(HOUSE.encode()).hexdigest()
    capsys.readouterr()


@pytest.mark.parametrize(("metric", "reason"), [("ill", "it returned nan"), ("worse", "ValueError: no idea")])
def test_python_that_gives_no_number_is_refused(
    metric: str, reason: str, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(written, f"{metric}(after) < 1") == 1
    (fault,) = (one for one in told(capsys.readouterr().out) if one["type"] == "diagnostic")
    assert (fault["code"], fault["label"]) == ("E0605", reason)
    assert not (written / "result").exists()


def test_a_plan_says_how_each_promise_will_be_kept(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{MODEL}{STEPS}  require cost(after) < 1\n  require fairness(after) > 0\n}}\n"
    (written / "slim.surg").write_text(text, encoding="utf-8")
    assert front.run(["plan", "slim.surg", "--json"]) == 0
    promises = [one for one in told(capsys.readouterr().out) if one["type"] == "promise"]
    assert [(one["text"], one["grade"]) for one in promises] == [
        ("cost(after) < 1", "proved"),
        ("fairness(after) > 0", "trusted"),
    ]


def test_python_is_looked_for_beside_the_file_that_declares_it(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (written / "far").mkdir()
    (written / "house.py").rename(written / "far" / "house.py")
    shared = 'surg 1\nextern metric fairness(m: model) -> ratio = python("house:fairness")\n'
    (written / "far" / "shared.surg").write_text(
        shared + 'extern criterion owl(w: tensor[cout, cin]) -> score[cout] = python("house:owl")\n', encoding="utf-8"
    )
    model = MODEL.split("dim T", maxsplit=1)[0] + 'use "./far/shared.surg" as far\n'
    step = "surgery slim on net {\n  step one = apply prune_channels(keep = 50%) @first by far.owl\n"
    text = f"{model}{step}  require far.fairness(after) >= 80%\n}}\n"
    (written / "slim.surg").write_text(text, encoding="utf-8")
    assert front.run(["lock", "slim.surg"]) == 0
    assert front.run(["run", "slim.surg", "--out", "result", "--json"]) == 0, capsys.readouterr()
    capsys.readouterr()
