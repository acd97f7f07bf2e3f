"""Sampling: what a change loses, against the Fisher matrix written out, and against predictions that really move."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.sampling import divergence, losses
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State

INPUTS = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
DRAWS = 256


def captured(module: nn.Module) -> State:
    return capture(module, (INPUTS[:3],), dynamic={"input": {0: "B"}})


def plain() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, 3)


def rows(labels: Array) -> Rows:
    return Rows("rows", (INPUTS.numpy(),), labels)


CLASSES = rows(np.zeros(64, dtype=np.int64))
POINTS = rows(np.zeros((64, 3), dtype=np.float32))
MOVED = np.random.default_rng(2).normal(0, 0.1, (2, 15)).astype(np.float32)


def written_out(net: nn.Linear, moved: Array, *, classes: bool) -> float:
    """½ mean over rows of δᵀ (diag p − p pᵀ) δ, or of ‖δ‖², for δ = Δ x."""
    with torch.no_grad():
        shift = (INPUTS @ torch.from_numpy(moved.reshape(3, 5)).T).double()
        if not classes:
            return float(shift.square().sum(dim=1).mean()) / 2
        shares = torch.softmax(net(INPUTS).double(), dim=1)
        return float(((shares * shift.square()).sum(dim=1) - (shares * shift).sum(dim=1).square()).mean()) / 2


@pytest.mark.parametrize("classes", [True, False])
def test_the_loss_of_a_change_is_the_quadratic_form_of_the_fisher_matrix(*, classes: bool) -> None:
    net = plain()
    (found,) = losses(captured(net), CLASSES if classes else POINTS, [{"weight": MOVED}], seed=0, draws=DRAWS)
    expected = [written_out(net, one, classes=classes) for one in MOVED]
    assert found == pytest.approx(expected, rel=0.1)


def test_for_least_squares_the_mean_curvature_is_that_of_the_inputs() -> None:
    (found,) = losses(captured(plain()), POINTS, [{"weight": MOVED}], seed=0, draws=DRAWS, alike=True)
    mean = float(INPUTS.double().square().mean())
    assert found == pytest.approx([float(np.square(one).sum()) * mean / 2 for one in MOVED], rel=0.1)


def test_small_changes_lose_what_running_says() -> None:
    net, other = plain(), plain()
    with torch.no_grad():
        other.weight += torch.from_numpy(MOVED[0].reshape(3, 5))
    (found,) = losses(captured(net), CLASSES, [{"weight": MOVED[:1]}], seed=0, draws=DRAWS)
    assert found == pytest.approx(divergence(captured(net), [captured(other)], CLASSES), rel=0.15)


def test_the_same_seed_gives_the_same_figures() -> None:
    state = captured(plain())
    assert losses(state, CLASSES, [{"weight": MOVED}], 3) == losses(state, CLASSES, [{"weight": MOVED}], 3)
    assert losses(state, CLASSES, [{"weight": MOVED}], 3) != losses(state, CLASSES, [{"weight": MOVED}], 4)


def test_a_net_is_no_distance_from_itself() -> None:
    state = captured(plain())
    assert divergence(state, [state], CLASSES) == [0.0]
    assert divergence(state, [state], POINTS) == [0.0]
