"""What data decides without training: grids on wires, statistics and biases; planned on forms, done on values."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.moments import means
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal, Source
from surgdsl.execution.carrying import Carried, carry
from surgdsl.language import program
from surgdsl.operations.fake_quantize import NAME
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import Plan, plan
from surgdsl.surgery.recode import param

HEAD = """surg 1
use std.importance.magnitude
use std.rules.{correct_bias, fold_batchnorm, mask, prune_channels, quantize, quantize_activations, recalibrate}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
data rows { source = python("net:rows") }
surgery slim on net {
"""
INPUTS = "quantize_activations(calibrate = rows)"


def network() -> nn.Sequential:
    """Two convolutions, one without a bias and with a batch norm behind it, and a linear layer."""
    torch.manual_seed(2)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(2, 8, 3, bias=False), norm=nn.BatchNorm2d(8), act=nn.ReLU(), two=nn.Conv2d(8, 6, 3),
        last=nn.ReLU(), flat=nn.Flatten(), head=nn.Linear(24, 3),
    )  # fmt: skip
    net = nn.Sequential(layers)
    norm = net.get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(8) + 0.5)
        norm.bias.copy_(torch.randn(8))
    net.train()(torch.from_numpy(ROWS.inputs[0].copy()))  # statistics of one pass
    return net.eval()


ROWS = Rows(
    "rows", (np.random.default_rng(4).normal(0.5, 1, (128, 2, 6, 6)).astype(np.float32),), np.zeros(128, dtype=np.int64)
)


@pytest.fixture(scope="module")
def state() -> State:
    return capture(network(), (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})


def silent(stage: str, detail: str) -> None:
    """Progress that nobody hears."""


def planned(state: State, *steps: str) -> Plan:
    names = "abcdef"[: len(steps)]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(steps) > 1 else ""
    made = program(Source("slim.surg", f"{HEAD}{''.join(lines)}{order}}}\n"))
    return plan(Opened(made, made.surgery("slim"), state, None, {"rows": ROWS}))


def done(state: State, *steps: str) -> Carried:
    found = carry(planned(state, *steps), silent)
    assert found.final.net.faults() == ()
    return found


def outputs(state: State, inputs: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
    with torch.no_grad():
        return rebuild(state)(torch.from_numpy(inputs.copy()))


def values(state: State, base: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return state.weights[param(state, base)].parts["values"]


def grids(state: State) -> list[dict[str, object]]:
    return [dict(one.attributes) for one in state.net.graph.operations.values() if one.name == NAME]


# ---- grids --------------------------------------------------------------------------------------


def test_every_layer_reads_through_a_grid_and_the_function_nearly_stays(state: State) -> None:
    found = done(state, f"{INPUTS} @**")
    assert len(grids(found.final)) == len(found.rewrites) == 3
    before, after = outputs(state, ROWS.inputs[0]), outputs(found.final, ROWS.inputs[0])
    assert 0 < float((before - after).abs().max()) < 0.05 * float(before.abs().max())


def test_the_net_computes_what_torch_gives_with_these_grids(state: State) -> None:
    found = done(state, f"{INPUTS} @two")
    (grid,) = grids(found.final)
    net, seen = network(), torch.from_numpy(ROWS.inputs[0].copy())
    with torch.no_grad():
        inner = net[2](net[1](net[0](seen)))
        scale, zero = grid["scale"], grid["zero_point"]
        assert isinstance(scale, float)
        assert isinstance(zero, int)
        expected = net[3:](torch.fake_quantize_per_tensor_affine(inner, scale, zero, 0, 255))
    assert torch.allclose(expected, outputs(found.final, ROWS.inputs[0]), atol=1e-6)
    assert zero == 0  # a ReLU comes before
    assert abs(scale - float(inner.max()) / 255) < 1e-6


def test_layers_that_read_one_wire_share_a_grid() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.a(x) + self.b(x).relu()

    torch.manual_seed(0)
    start = capture(Fork().eval(), (torch.zeros(2, 4),), dynamic={"x": {0: "B"}})
    rows = Rows("rows", (np.ones((4, 4), dtype=np.float32),), np.zeros(4, dtype=np.int64))
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {INPUTS} @**\n}}\n"))
    found = carry(plan(Opened(made, made.surgery("slim"), start, None, {"rows": rows})), silent)
    assert len(found.rewrites) == len(grids(found.final)) == 1
    assert found.final.net.inputs == start.net.inputs


def test_what_reads_through_a_grid_already_is_left_alone(state: State) -> None:
    made = planned(state, f"{INPUTS} @one", f"{INPUTS} @**")
    assert made.steps[1].left_alone == ("one: what it reads is quantized already",)
    with pytest.raises(Refusal, match="E0504"):
        planned(state, f"{INPUTS} @one", f"{INPUTS} @one")


def test_planning_looks_at_no_data(state: State) -> None:
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {INPUTS} @**\n}}\n"))
    found = plan(Opened(made, made.surgery("slim"), state, None))  # there is no module `net`
    assert found.steps[0].rewrites == 3
    assert found.before == found.after


@pytest.mark.parametrize(
    "second", ["prune_channels(keep = 50%) @one by magnitude", "recalibrate(calibrate = rows) @norm"]
)
def test_the_order_of_what_is_measured_matters(state: State, second: str) -> None:
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {INPUTS} @two\n  step b = apply {second}\n}}\n"))
    with pytest.raises(Refusal, match="E0502"):
        plan(Opened(made, made.surgery("slim"), state, None, {"rows": ROWS}))


def test_channels_can_be_cut_behind_a_grid(state: State) -> None:
    cut = "prune_channels(keep = 50%) @one by magnitude"
    found = done(state, f"{INPUTS} @**", cut)
    assert found.final.weights[param(found.final, "two.weight")].shape == (6, 4, 3, 3)
    assert len(grids(found.final)) == 3


def test_rows_that_are_not_finite_are_refused(state: State) -> None:
    bad = ROWS.inputs[0].copy()
    bad[3, 0, 0, 0] = np.inf
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {INPUTS} @**\n}}\n"))
    opened = Opened(made, made.surgery("slim"), state, None, {"rows": Rows("rows", (bad,), ROWS.labels)})
    with pytest.raises(Refusal, match="E0506"):
        carry(plan(opened), silent)


# ---- statistics ---------------------------------------------------------------------------------


def test_statistics_are_those_of_what_is_read_now(state: State) -> None:
    cut = "prune_channels(keep = 50%) @one by magnitude"
    thin, again = "mask(keep = 30%) @one", "recalibrate(calibrate = rows) @**"
    scaled, found = done(state, thin).final, done(state, thin, again)
    norm = next(one for one in scaled.net.graph.operations.values() if one.name == "aten.batch_norm.default")
    expected = means(scaled, ROWS, {norm.sources[0]: 1})[norm.sources[0]]
    assert np.allclose(expected, values(found.final, "norm.running_mean"), atol=1e-6)
    assert not np.allclose(expected, values(state, "norm.running_mean"), atol=1e-2)
    assert found.rewrites[1].rule == "adjust/1"
    assert dict(found.rewrites[1].arguments["figures"])["rows"] == "128"
    assert values(done(state, cut, again).final, "norm.running_mean").shape == (4,)


def test_where_nothing_changed_statistics_of_the_same_rows_stay(state: State) -> None:
    found = done(state, "recalibrate(calibrate = rows) @**").final
    net = network()
    norm = net.get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d)
    norm.momentum = None
    norm.reset_running_stats()
    with torch.no_grad():
        for part in torch.from_numpy(ROWS.inputs[0].copy()).split(64):
            net.train()(part)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert np.allclose(norm.running_mean, values(found, "norm.running_mean"), atol=1e-6)
    assert np.allclose(norm.running_var, values(found, "norm.running_var"), atol=1e-5)


def test_a_model_without_batch_norms_is_told(state: State) -> None:
    with pytest.raises(Refusal, match="E050"):
        planned(state, "recalibrate(calibrate = rows) @head")


# ---- biases -------------------------------------------------------------------------------------

CODE = 'quantize(bits = 3bit, scheme = "affine") @**'
BIAS = "correct_bias(calibrate = rows) @**"


def shifts(start: State, final: State) -> list[float]:
    """How far the means of the outputs moved."""
    wires = start.net.outputs[0][1], final.net.outputs[0][1]
    before, after = means(start, ROWS, {wires[0]: 1})[wires[0]], means(final, ROWS, {wires[1]: 1})[wires[1]]
    return list(map(float, np.abs(after - before)))


def test_means_are_what_they_were(state: State) -> None:
    plain, corrected = done(state, CODE).final, done(state, CODE, BIAS).final
    assert max(shifts(state, plain)) > 1e-3
    assert max(shifts(state, corrected)) < 1e-5


def test_what_was_not_changed_is_not_corrected(state: State) -> None:
    found = done(state, BIAS)
    (rewrite,) = found.rewrites
    errors = {name: value for name, value in rewrite.arguments["figures"] if name.endswith(".error")}
    assert errors == {"head.bias.error": "0", "norm.bias.error": "0", "two.bias.error": "0"}
    assert torch.equal(outputs(state, ROWS.inputs[0]), outputs(found.final, ROWS.inputs[0]))


def test_a_layer_without_a_bias_takes_that_of_its_norm(state: State) -> None:
    found = done(state, 'quantize(bits = 2bit, scheme = "affine") @one', "correct_bias(calibrate = rows) @one").final
    assert not np.array_equal(values(state, "norm.bias"), values(found, "norm.bias"))
    assert np.array_equal(values(state, "two.bias"), values(found, "two.bias"))


@pytest.mark.parametrize(
    "steps",
    [
        ("exhaustively fold_batchnorm @**", CODE),
        ("prune_channels(keep = 50%) @{one,two} by magnitude",),
        ("prune_channels(keep = 50%) @{one,two} by magnitude", "exhaustively fold_batchnorm @**", CODE),
        ("exhaustively fold_batchnorm @**", "prune_channels(keep = 50%) @{one,two} by magnitude", CODE),
        (CODE, f"{INPUTS} @**"),
    ],
)
def test_after_folding_and_cutting_layers_are_held_against_what_they_stand_for(
    state: State, steps: Sequence[str]
) -> None:
    made = planned(state, *steps, BIAS)
    assert made.steps[-1].left_alone == ()
    assert max(shifts(state, done(state, *steps).final)) > 1e-3
    assert max(shifts(state, done(state, *steps, BIAS).final)) < 1e-5


def test_a_layer_without_any_bias_is_left_alone() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3))
    start = capture(net.eval(), (torch.zeros(2, 4),), dynamic={"input": {0: "B"}})
    made = program(Source("slim.surg", f"{HEAD}  step a = apply {BIAS}\n}}\n"))
    found = plan(Opened(made, made.surgery("slim"), start, None))
    assert found.steps[0].left_alone == ("0: it has no bias, and no batch norm of its own behind it",)
