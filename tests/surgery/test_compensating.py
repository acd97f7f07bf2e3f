"""Compensating: channels go, and what reads them makes up for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attrs import evolve
from torch import nn

from surgdsl.axis.dim import whole
from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.operations.coupling import couple
from surgdsl.surgery.compensating import Compensate
from surgdsl.surgery.consuming import consumers, order
from surgdsl.surgery.prune import Prune
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import Rewrite
from tests.bridge.zoo import answers


class Net(nn.Module):
    """A convolution that a convolution and, flattened, a linear layer read; behind them a convolution with groups."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6)
        self.wide, self.deep = nn.Conv2d(6, 8, 2), nn.Conv2d(8, 8, 1, groups=2)
        self.flat, self.head = nn.Linear(96, 5, bias=False), nn.Linear(72, 5)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        seen = torch.relu(self.norm(self.stem(image)))
        return self.flat(torch.flatten(seen, 1)) + self.head(torch.flatten(self.deep(torch.relu(self.wide(seen))), 1))


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(1)
    return capture(Net().eval(), (torch.randn(4, 2, 6, 6),), dynamic={"image": {0: "B"}})


@pytest.fixture(scope="module")
def rows() -> Rows:
    generator = np.random.default_rng(4)
    images = (generator.normal(size=(128, 72)) @ (generator.normal(size=(72, 72)) / 8)).astype(np.float32)
    return Rows("calib", (images.reshape(128, 2, 6, 6) + 1,), np.zeros(128, dtype=np.int64))


def cut(state: State, name: str, keep: tuple[int, ...]) -> Prune:
    (axis,) = [one for one in couple(state.net).members if one.name == name]
    return Prune(name, whole(axis), keep)


def carried(state: State, rows: Rows, *prunes: Prune) -> list[Rewrite]:
    return list(Compensate(prunes, "channels refit", 0.01, "calib", rows).rewrites(state, 0, "narrow", lambda _: None))


def moved(before: State, after: State, rows: Rows) -> float:
    inputs = tuple(torch.tensor(one) for one in rows.inputs)
    (old,), (new,) = answers(before, inputs), answers(after, inputs)
    return float(((new - old) ** 2).mean() / (old**2).mean())


def test_consumers_are_found_through_norms_kernels_and_flattening(state: State) -> None:
    coupling = couple(state.net)
    axes = {axis.name: axis for axis in coupling.members}
    found = {one.base: one for one in consumers(state, coupling, axes["stem:out"])}
    assert {*found} == {"wide.weight", "flat.weight"}
    assert found["wide.weight"].places.tolist() == [channel for channel in range(6) for _ in range(4)]
    assert found["flat.weight"].places.tolist() == [channel for channel in range(6) for _ in range(16)]
    assert (found["wide.weight"].bias, found["flat.weight"].bias) == (param(state, "wide.bias"), None)


def test_what_reads_the_channels_that_go_makes_up_for_them(state: State, rows: Rows) -> None:
    prune = cut(state, "stem:out", (0, 2, 5))
    done = carried(state, rows, prune)
    assert [one.rule for one in done] == ["adjust/1", "prune-channels/1"]
    plain = prune.rewrite(state, 0, "narrow").after
    assert moved(state, done[-1].after, rows) < 0.3 * moved(state, plain, rows)
    assert done[-1].after.net.faults() == ()
    figures = dict(done[0].arguments["figures"])
    assert {"wide.weight.error", "wide.weight.plain", "flat.weight.error", "flat.weight.damping", "rows"} <= {*figures}


def test_an_axis_that_only_groups_read_is_cut_plainly(state: State, rows: Rows) -> None:
    names = [axis.name for axis in couple(state.net).prunable]
    (inner,) = [name for name in names if name != "stem:out"][:1]
    axis = next(one for one in couple(state.net).members if one.name == inner)
    done = carried(state, rows, cut(state, inner, tuple(range(whole(axis) // 2))))
    reading = consumers(state, couple(state.net), axis)
    assert [one.rule for one in done] == (["adjust/1"] if reading else []) + ["prune-channels/1"]


def test_a_bias_takes_what_is_lost_on_average(state: State, rows: Rows) -> None:
    adjusted, *_ = carried(state, rows, cut(state, "stem:out", (0, 2, 5)))
    before, after = (decode(one.weights[param(one, "wide.bias")]) for one in (state, adjusted.after))
    assert not np.allclose(before, after)
    old, new = (decode(one.weights[param(one, "head.bias")]) for one in (state, adjusted.after))
    assert np.array_equal(old, new)


def test_structured_obs_lets_go_what_others_make_up_for(state: State, rows: Rows) -> None:
    double = dict(state.weights)
    for base in ("stem.weight", "stem.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"):
        name = param(state, base)
        values = decode(double[name]).copy()
        values[4] = values[1]  # two channels alike: one of them can be made up for without loss
        double[name] = evolve(double[name], parts={"values": values})
    twin = State(state.net, double)
    coupling = couple(twin.net)
    axis = next(one for one in coupling.members if one.name == "stem:out")
    rank = order(twin, rows, coupling, [axis], 1e-6)[axis]
    assert sorted(rank.tolist()) == list(range(6))
    assert int(np.argmin(rank)) in (1, 4)
    gone = int(np.argmin(rank))
    keep = tuple(place for place in range(6) if place != gone)
    after = carried(twin, rows, cut(twin, "stem:out", keep))[-1].after
    assert moved(twin, after, rows) < 1e-3 * moved(twin, cut(twin, "stem:out", keep).rewrite(twin, 0, "s").after, rows)


def test_what_is_foreseen_has_the_form_of_what_is_done(state: State, rows: Rows) -> None:
    prunes = (cut(state, "stem:out", (0, 2, 5)),)
    action = Compensate(prunes, "channels refit", 0.01, "calib", rows)
    bare = State(state.net, {name: evolve(weight, parts={}) for name, weight in state.weights.items()})
    seen, done = list(action.foresee(bare, 0, "narrow")), carried(state, rows, *prunes)
    assert [one.rule for one in seen] == [one.rule for one in done]
    shapes = [[weight.shape for weight in one.after.weights.values()] for one in (seen[-1], done[-1])]
    assert shapes[0] == shapes[1]
