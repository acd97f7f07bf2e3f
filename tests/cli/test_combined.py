"""Several compressions of one model: one ledger, one certificate, every step checked from its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front

HEAD = """surg 1
use std.importance.{lamp, magnitude, obs}
use std.metric.{accuracy, nnz, params, size}
use std.rules.{factor, fold_batchnorm, mask, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) {
  source  = python("net:build")
  weights = file("net.safetensors")
}
data train { source = python("net:train") }
data test  { source = python("net:test") }
surgery slim on net {
  seed 7
"""


def carried(folder: Path, capsys: pytest.CaptureFixture[str], *lines: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the ledger that the verifier writes of the result."""
    text = HEAD + "".join(f"  {line}\n" for line in lines) + "}\n"
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    code = front.run(["run", "slim.surg", "--out", "result"])
    capsys.readouterr()
    if code:
        return code, []
    assert front.run(["verify", "result", "--json"]) == 0
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def rules(ledger: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Steps with their rules and grades, repetitions merged."""
    found = [(one["step"], one["rule"], one["grade"]) for one in ledger if one["type"] == "step"]
    return list(dict.fromkeys(found))


def test_prune_then_mask_then_quantize_is_one_ledger(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, ledger = carried(
        folder, capsys,
        "step fold = apply fold_batchnorm @**",
        'step narrow = apply prune_channels(keep = 75%, update = "obs", calibrate = train) @{first,second} by obs',
        'step thin = apply mask(keep = 60%, scope = "global", update = "obs", calibrate = train) @** by magnitude',
        'step code = apply quantize(bits = 4bit, scheme = "affine", update = "obs", calibrate = train) @**',
        "order fold >> narrow >> thin >> code",
        "require nnz(after) <= 55% * nnz(before)",
        "require accuracy.drop <= 40% on test",
    )  # fmt: skip
    assert code == 0
    assert [(step, rule) for step, rule, _ in rules(ledger)] == [
        ("fold", "rule/1 fold_batchnorm_linear"), ("narrow", "adjust/1"), ("narrow", "prune-channels/1"),
        ("thin", "adjust/1"), ("thin", "mask/1"), ("code", "adjust/1"), ("code", "quantize-affine/1"),
    ]  # fmt: skip
    assert ledger[-1]["opaque"] == ["narrow (adjust/1)", "thin (adjust/1)", "code (adjust/1)"]
    sizes = [one["after"]["size/1"] for one in ledger if one["type"] == "step"]
    assert sizes == sorted(sizes, reverse=True)


def test_stages_over_all_layers_reach_their_exact_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, ledger = carried(
        folder, capsys,
        'step thin = apply mask(keep = 25%, scope = "global", update = "obs", calibrate = train) @** by magnitude'
        " in 3 stages cubic then recover { data = train  epochs = 1 }",
    )  # fmt: skip
    assert code == 0
    steps = [one for one in ledger if one["type"] == "step"]
    rounds = [f"thin.{turn}" for turn in (1, 2, 3)]
    assert list(dict.fromkeys(step["step"] for step in steps)) == rounds
    assert [rule for step, rule, _ in rules(ledger) if step == "thin.2"] == ["adjust/1", "mask/1", "recover/1"]
    kept = [
        max(step["after"]["nnz/1"] for step in steps if step["rule"] == "mask/1" and step["step"] == one)
        for one in rounds
    ]
    assert kept == sorted(kept, reverse=True)


def test_a_factored_layer_may_be_masked_and_coded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, ledger = carried(
        folder, capsys,
        "step fold = apply fold_batchnorm @**",
        "step parts = apply factor(r = 2) @second",
        'step thin = apply mask(pattern = 1:2, update = "refit", calibrate = train) @first',
        'step code = apply quantize(bits = 8bit, scheme = "symmetric") @**',
        "order fold >> parts >> thin >> code",
    )  # fmt: skip
    assert code == 0
    assert {"rule/1 factor", "mask/1", "quantize-affine/1"} <= {rule for _, rule, _ in rules(ledger)}


A_B = "order a >> b"


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        ("E0504", ("step a = apply quantize(bits = 4bit) @**", "step b = apply quantize(bits = 2bit) @**", A_B)),
        ("E0502", ("step a = apply mask(keep = 50%) @**", "step b = apply quantize(bits = 2bit) @**")),
        ("E0205", ('step a = apply mask(keep = 50%, update = "obs") @**',)),
        ("E0207", ("step a = apply mask(keep = 50%, pattern = 2:4) @**",)),
        ("E0207", ("step a = apply mask() @**",)),
        ("E0207", ('step a = apply mask(pattern = 2:4, scope = "global") @**',)),
        ("E0207", ('step a = apply mask(keep = 50%, block = "wide") @**',)),
        ("E0207", ('step a = apply mask(keep = 50%, block = "2x2", update = "exact", calibrate = train) @**',)),
        ("E0207", ('step a = apply mask(keep = 50%, update = "obs", calibrate = train) @** by lamp',)),
        ("E0205", ('step a = apply prune_channels(keep = 50%, update = "refit") @first by magnitude',)),
        ("E0207", ('step a = apply prune_channels(keep = 50%, update = "obs", calibrate = train) @** by magnitude',)),
    ],
)  # fmt: skip
def test_what_does_not_compose_is_refused_with_a_code(
    folder: Path, capsys: pytest.CaptureFixture[str], expected: str, steps: tuple[str, ...]
) -> None:
    text = HEAD + "".join(f"  {line}\n" for line in steps) + "}\n"
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    assert front.run(["plan", "slim.surg"]) == 1
    assert f"error[{expected}]" in capsys.readouterr().err
