"""Transformers, networks for sound and recurrent ones are cut, masked and quantized, and the verifier accepts that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors import safe_open

from surgdsl.cli import main as front

HERE = Path(__file__).parent / "fixtures"
HEAD = """surg 1
use std.importance.magnitude
use std.metric.{{macs, params, size}}
use std.rules.{{mask, prune_channels, quantize}}
model net : {type} {{ source = python("{source}") }}
interface api on net {{ {ends} }}
surgery slim on net {{
  preserve api
  seed 7
{steps}
  require params(after) <= 90% * params(before)
  require macs(after) <= 90% * macs(before)
  require size(after) <= 50% * size(before)
}}
"""
PRUNED = "  step a = apply prune_channels(keep = 50%) @{} by magnitude\n"
THINNED = "  step m = apply mask(keep = 50%) @{}\n"
CODED = "  step c = apply quantize(bits = 4bit) @**"
ENCODER = [
    PRUNED.format("layers.*.attention.{query,value}"),
    PRUNED.replace("step a", "step b").format("layers.*.up"),
    THINNED.format("layers.*.attention.dense"),
    CODED,
    "\n  order a >> b >> m >> c",
]
DECODER = [PRUNED.format("blocks.*.up"), THINNED.format("blocks.*.proj"), CODED, "\n  order a >> m >> c"]
PLAIN = [PRUNED.format("{}"), CODED, "\n  order a >> c"]
TOKENS, SENTENCE = "tokens: i64[B, 6]", "mask: f32[B, 6]"
CASES: dict[str, tuple[list[str], str, list[str], list[str]]] = {
    "encoder": (["attention:encoder"], "y: f32[B, 16]", [TOKENS, SENTENCE], ENCODER),
    "whole encoder": (["attention:whole_encoder"], "y: f32[B, 16]", [TOKENS, SENTENCE], ENCODER),
    "decoder": (["attention:decoder"], "y: f32[B, 6, 11]", [TOKENS], DECODER),
    "pitch": (["sound:pitch", "first"], "y: f32[B, 5]", ["x: f32[B, 64]"], PLAIN),
    "squeezed": (["sound:squeezed", "{down,last}"], "y: f32[B, 2]", ["x: f32[B, 3, 8, 8]"], PLAIN),
    "recurrent": (["sound:recurrent", "lstm"], "y: f32[B, 3]", ["x: f32[B, 5, 6]"], PLAIN),
}


def text(name: str) -> str:
    """The .surg of a case."""
    (source, *where), out, ins, steps = CASES[name]
    ends = " ".join([*(f"in {end}" for end in ins), f"out {out}"])
    body = "".join(steps).replace("{}", where[0]) if where else "".join(steps)
    return HEAD.format(type=f"({', '.join(ins)}) -> ({out})", source=source, ends=ends, steps=body)


@pytest.mark.parametrize("name", CASES)
def test_it_is_made_smaller_and_accepted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("attention.py", "sound.py"):
        shutil.copy(HERE / module, tmp_path)
    (tmp_path / "slim.surg").write_text(text(name), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert front.run(["run", "slim.surg", "--out", "result"]) == 0
    assert front.run(["verify", "result"]) == 0
    with safe_open("result/model.safetensors", framework="np") as file:
        assert any(key.endswith(".codes") for key in file.keys())  # noqa: SIM118 - it is no mapping
