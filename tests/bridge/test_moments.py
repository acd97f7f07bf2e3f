"""Moments: what batch norms keep when they are trained for one pass with cumulative averages, as torch does it."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.moments import NORM, moments
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import watch


def network() -> nn.Sequential:
    torch.manual_seed(5)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(2, 4, 3), norm=nn.BatchNorm2d(4), act=nn.ReLU(), two=nn.Conv2d(4, 3, 1), last=nn.BatchNorm2d(3),
        flat=nn.Flatten(), head=nn.Linear(3 * 16, 2), end=nn.BatchNorm1d(2),
    )  # fmt: skip
    return nn.Sequential(layers).eval()


def rows(count: int) -> Rows:
    draw = np.random.default_rng(0)
    return Rows("rows", (draw.normal(1, 2, (count, 2, 6, 6)).astype(np.float32),), np.zeros(count, dtype=np.int64))


def test_they_are_what_torch_keeps_over_equal_batches() -> None:
    net, data = network(), rows(96)
    state = capture(net, (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})
    norms = [name for name, one in state.net.graph.operations.items() if one.name == NORM]
    found = moments(state, data, norms, batch=32)
    for one in net.modules():
        if isinstance(one, nn.BatchNorm1d | nn.BatchNorm2d):
            one.momentum = None
            one.reset_running_stats()
    net.train()
    with torch.no_grad():
        for part in torch.from_numpy(data.inputs[0].copy()).split(32):
            net(part)
    for path, name in zip(("norm", "last", "end"), norms, strict=True):
        norm = net.get_submodule(path)
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert np.allclose(norm.running_mean, found[name][0], rtol=1e-5, atol=1e-6)
        assert np.allclose(norm.running_var, found[name][1], rtol=1e-5, atol=1e-6)


def test_a_norm_that_is_not_asked_for_stays_as_it_is_while_others_are_measured() -> None:
    state = capture(network(), (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})
    norms = [name for name, one in state.net.graph.operations.items() if one.name == NORM]
    data = rows(64)
    alone = moments(state, data, norms[1:2])[norms[1]]
    seen: list[torch.Tensor] = []
    watch(state, data, {state.net.graph.operations[norms[1]].sources[0]: seen.append})
    values = torch.cat(seen).double().transpose(0, 1).flatten(1)
    assert np.allclose(values.mean(1), alone[0])
    assert np.allclose(values.var(1), alone[1])
    assert not np.allclose(moments(state, data, norms)[norms[1]][0], alone[0], rtol=1e-3)


@pytest.mark.parametrize(("count", "sizes"), [(65, [65]), (66, [64, 2]), (129, [64, 65]), (1, [1]), (64, [64])])
def test_a_single_last_row_joins_the_batch_before(count: int, sizes: list[int]) -> None:
    state = capture(network(), (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})
    seen: list[int] = []
    watch(state, rows(count), {state.net.outputs[0][1]: lambda values: seen.append(len(values))})
    assert seen == sizes
