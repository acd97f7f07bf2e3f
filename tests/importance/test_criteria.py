"""Scores equal what ten lines of torch say: summed over everything coupled, batch norm and flat readers included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surgdsl.axis.dim import Axis
from surgdsl.bridge.capture import capture
from surgdsl.bridge.running import observe
from surgdsl.bridge.source import Rows
from surgdsl.importance.ranking import Scores, naturals
from surgdsl.importance.scoring import Judge
from surgdsl.language.functions import standard
from surgdsl.operations.coupling import couple
from tests.importance.nets import captured, network, slices, some_rows


@pytest.fixture
def rows() -> Rows:
    return some_rows()


def scored(name: str, net: nn.Module, rows: Rows | None) -> dict[str, Scores]:
    state = captured(net)
    coupling = couple(state.net)
    axes: list[Axis] = list(coupling.prunable)
    return {axis.name: found for axis, found in Judge(standard(name), rows).axes(state, coupling, axes).items()}


def test_magnitude_is_the_sum_over_all_slices() -> None:
    net = network()
    expected = {
        axis: sum(view.flatten(1).abs().sum(1) if view.ndim > 1 else view.abs() for view in group.values())
        for axis, group in slices({name: one.detach().double() for name, one in net.named_parameters()}).items()
    }
    found = scored("magnitude", net, None)
    assert expected.keys() == found.keys()
    for axis, scores in expected.items():
        assert isinstance(scores, Tensor)
        np.testing.assert_allclose(found[axis], scores.numpy(), rtol=1e-6)


def batches(rows: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(rows), 64):
        stop = start + 64
        yield torch.from_numpy(rows.inputs[0][start:stop].copy()), torch.from_numpy(rows.labels[start:stop].copy())


def test_taylor_is_the_sum_of_squared_first_order_changes(rows: Rows) -> None:
    net = network()
    expected: dict[str, Tensor] = {}
    for inputs, labels in batches(rows):
        net.zero_grad()
        nn.functional.cross_entropy(net(inputs), labels).backward()
        products = {
            name: (one * one.grad).detach().double() for name, one in net.named_parameters() if one.grad is not None
        }
        for axis, group in slices(products).items():
            for view in group.values():
                change = view.flatten(1).sum(1) if view.ndim > 1 else view
                expected[axis] = expected.get(axis, torch.zeros(len(change), dtype=torch.float64)) + change**2
    found = scored("taylor", net, rows)
    assert expected.keys() == found.keys()
    for axis, scores in expected.items():
        np.testing.assert_allclose(found[axis], scores.numpy(), rtol=2e-4)


@pytest.mark.parametrize("parameter", ["norm.weight", "norm.bias", "one.bias", "two.weight"])
def test_every_coupled_parameter_counts(parameter: str, rows: Rows) -> None:
    net = network()
    before = {name: scored(name, net, rows) for name in ("magnitude", "taylor")}
    with torch.no_grad():
        net.get_parameter(parameter).mul_(3)
    after = {name: scored(name, net, rows) for name in ("magnitude", "taylor")}
    assert all(not np.allclose(before[name]["one:out"], after[name]["one:out"]) for name in before)


def test_naturals_keep_the_ranking_and_end_at_a_billion() -> None:
    scores = np.array([0.25, 3.0, 0.0, 1.5])
    assert naturals(scores) == (83333333, 1000000000, 0, 500000000)
    assert naturals(np.zeros(2)) == (0, 0)


def test_a_net_without_weights_has_no_gradients(rows: Rows) -> None:
    state = capture(nn.Flatten(), (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})
    assert all(not batch.gradients for batch in observe(state, rows))
