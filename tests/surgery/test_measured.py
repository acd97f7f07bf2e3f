"""Scales that a rule takes from data: not a bit of the function changes, and what is read is spread evenly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.api import reload, run
from surgdsl.bridge import reloading
from surgdsl.bridge.capture import capture
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal, Source
from surgdsl.execution.carrying import Carried, carry
from surgdsl.language import load, program
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import plan
from surgdsl.surgery.recode import param
from surgdsl.verifier.main import main

HEAD = """surg 1
use std.importance.magnitude
use std.rules.{equalize, mask, prune_channels, quantize, quantize_activations, smooth_scales}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
data rows { source = python("net:rows") }
surgery slim on net {
"""
SMOOTH = "smooth_scales(alpha = 50%, calibrate = rows)"
ROWS = Rows("rows", (np.random.default_rng(1).normal(size=(96, 6)).astype(np.float32),), np.zeros(96, dtype=np.int64))


class Heads(nn.Module):
    """A layer norm with outlying channels, read by three layers; then two layers around a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.q, self.k, self.v = (nn.Linear(6, width) for width in (4, 4, 5))
        self.up, self.down = nn.Linear(5, 7), nn.Linear(7, 3)
        with torch.no_grad():
            self.norm.weight[2] *= 100
            self.norm.bias.copy_(torch.randn(6))
            self.norm.weight[4] = 0.0
            self.norm.bias[4] = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any function of all three."""
        n = self.norm(x)
        gate = (self.q(n) * self.k(n)).sum(-1, keepdim=True).sigmoid()
        return self.down(torch.relu(self.up(self.v(n) * gate)))


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(3)
    return capture(Heads().eval(), (torch.zeros(2, 6),), dynamic={"x": {0: "B"}})


def silent(stage: str, detail: str) -> None:
    """Progress that nobody hears."""


def done(state: State, *steps: str) -> Carried:
    names = "abcdef"[: len(steps)]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(steps) > 1 else ""
    made = program(Source("slim.surg", f"{HEAD}{''.join(lines)}{order}}}\n"))
    return carry(plan(Opened(made, made.surgery("slim"), state, None, {"rows": ROWS})), silent)


def answers(state: State) -> torch.Tensor:
    with torch.no_grad():
        return rebuild(state)(torch.from_numpy(ROWS.inputs[0].copy()))


def values(state: State, base: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return state.weights[param(state, base)].parts["values"]


def test_not_a_bit_of_the_function_changes(state: State) -> None:
    found = done(state, f"{SMOOTH} @**", "equalize @{up,down}")
    assert [one.arguments["rule"].name for one in found.rewrites] == [
        "smooth_scales_three", "smooth_scales_linear", "equalize"
    ]  # fmt: skip
    assert torch.equal(answers(state), answers(found.final))


def test_the_scale_is_the_nearest_power_of_two_of_what_the_paper_says(state: State) -> None:
    found = done(state, f"{SMOOTH} @norm").final
    x = torch.from_numpy(ROWS.inputs[0].copy())
    with torch.no_grad():
        n = nn.functional.layer_norm(
            x, (6,), torch.from_numpy(values(state, "norm.weight").copy()),
            torch.from_numpy(values(state, "norm.bias").copy()),
        )  # fmt: skip
    most = np.max([np.abs(values(state, f"{one}.weight")).max(0) for one in "qkv"], axis=0)
    wanted = np.sqrt(n.abs().amax(0).numpy() / most)
    wanted[4] = 1.0  # a channel that is always zero
    scale = 2.0 ** np.rint(np.log2(wanted))
    assert scale[2] > 8 * np.median(scale)
    assert np.array_equal(values(found, "norm.weight"), values(state, "norm.weight") / scale.astype(np.float32))
    for one in "qkv":
        assert np.array_equal(values(found, f"{one}.weight"), values(state, f"{one}.weight") * scale.astype(np.float32))


@pytest.mark.parametrize(("alpha", "spread"), [("0%", 0.0), ("100%", 1.0)])
def test_alpha_says_who_takes_the_scale(state: State, alpha: str, spread: float) -> None:
    found = done(state, f"smooth_scales(alpha = {alpha}, calibrate = rows) @up").final
    ranges = np.abs(values(found, "down.weight")).max(0)
    even = np.log2(ranges.max() / ranges.min()) <= 1.0  # all within one power of two
    assert even == (spread == 0.0)


def test_equalized_layers_have_equal_ranges(state: State) -> None:
    found = done(state, "equalize @up").final
    rows, columns = np.abs(values(found, "up.weight")).max(1), np.abs(values(found, "down.weight")).max(0)
    assert np.all(np.abs(np.log2(rows / columns)) <= 1.0)
    assert not np.all(np.abs(np.log2(np.abs(values(state, "up.weight")).max(1) / columns)) <= 1e-3)


def test_planning_looks_at_no_data(state: State) -> None:
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {SMOOTH} @**\n}}\n"))
    found = plan(Opened(made, made.surgery("slim"), state, None))  # there is no module `net`
    assert found.before == found.after
    assert found.steps[0].rewrites == 2


def test_the_order_with_what_changes_what_is_read_matters(state: State) -> None:
    made = program(
        Source("slim.surg", f"{HEAD}  step a = apply {SMOOTH} @up\n  step b = apply mask(keep = 50%) @v\n}}\n")
    )
    with pytest.raises(Refusal, match="E0502"):
        plan(Opened(made, made.surgery("slim"), state, None, {"rows": ROWS}))


NET = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    norm, layer = nn.LayerNorm(6), nn.Linear(6, 8)
    with torch.no_grad():
        norm.weight[1] *= 50
    return nn.Sequential(nn.Linear(4, 6), norm, layer, nn.ReLU(), nn.Linear(8, 3))


def rows():
    return torch.randn(80, 4, generator=torch.Generator().manual_seed(1)), torch.arange(80) % 3
"""
SPEC = """surg 1
use std.metric.size
use std.rules.{correct_bias, equalize, quantize, quantize_activations, smooth_scales}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("measured_net:build") }
data rows { source = python("measured_net:rows") }
interface api on net { in x: f32[B, 4]  out y: f32[B, 3] }
surgery slim on net {
  preserve api
  step even   = apply smooth_scales(alpha = 50%, calibrate = rows) @1
  step ranges = apply equalize @4 except @1
  step code   = apply quantize(bits = 4bit, scheme = "affine") @**
  step inputs = apply quantize_activations(bits = 8bit, range = "mse", calibrate = rows) @**
  step means  = apply correct_bias(calibrate = rows) @**
  order even >> ranges >> code >> inputs >> means
  require size(after) <= 80% * size(before)
}
"""


def test_a_file_with_all_of_it_is_verified(tmp_path: Path) -> None:
    (tmp_path / "measured_net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "slim.surg").write_text(SPEC, encoding="utf-8")
    result = run(load(tmp_path / "slim.surg"), out=tmp_path / "out")
    assert main([str(tmp_path / "out")]) == 0

    namespace: dict[str, Any] = {}
    exec(NET, namespace)  # noqa: S102 - the class of the user, built without his module
    back = reload(namespace["build"], tmp_path / "out")
    seen, _ = namespace["rows"]()
    with torch.no_grad():
        assert torch.equal(rebuild(result.outcome.carried.final)(seen), back(seen))
    plain = reloading.refit(namespace["build"](), reloading.decoded(tmp_path / "out"))
    assert not torch.equal(plain(seen), back(seen)), "the grids make a difference"
