"""The Python door: capture, axes, restrict and cost, and refusals with codes instead of tracebacks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import surgdsl
from surgdsl.api import Model
from tests.bridge.cases import CASES
from tests.bridge.zoo import answers, leaves, randomised
from tests.operations.cutting import apart


def cnn() -> nn.Module:
    parts = (
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 5),
    )
    return randomised(nn.Sequential(*parts)).eval()


@pytest.fixture
def model() -> Model:
    return surgdsl.capture(cnn(), (torch.zeros(2, 3, 8, 8),), dynamic={"input": {0: "B"}})


def test_axes_tell_name_size_places_and_reasons(model: Model) -> None:
    found = {axis.name: axis for axis in surgdsl.axes(model)}
    assert (found["0:out"].size, found["0:out"].pinned, found["0:out"].natural) == (6, None, True)
    assert found["0:out"].members[:2] == (("0.weight", 0), ("0.bias", 0))
    assert {("1.weight", 0), ("1.running_var", 0), ("3.weight", 1)} <= set(found["0:out"].members)
    assert found["6:out"].pinned == "reaches output `output`"
    assert found["3:out"].members[-1] == ("6.weight", 1)
    assert found["0.weight:2"].pinned is not None
    assert "window" in found["0.weight:2"].pinned


def test_restrict_cuts_all_that_is_coupled_and_leaves_the_model(model: Model) -> None:
    before = model.cost("params")
    small = surgdsl.restrict(model, {"0:out": [5, 0, 2], "3:out": (1,)})
    assert model.cost("params") == before
    assert small.kept["0.weight"] == {0: (0, 2, 5)}
    assert small.kept["3.weight"] == {0: (1,), 1: (0, 2, 5)}
    assert small.kept["6.weight"] == {1: tuple(range(16, 32))}
    assert small.approximate == ()
    shapes = {name: tuple(one.shape) for name, one in small.module().state_dict().items()}
    assert shapes == {name: tuple(one.shape) for name, one in expected(small).items()}


def expected(small: Model) -> dict[str, torch.Tensor]:
    """The tensors of the module, indexed by `kept`."""
    found: dict[str, torch.Tensor] = {}
    for name, tensor in cnn().state_dict().items():
        if not name.endswith("num_batches_tracked"):
            found[name] = tensor
        for dimension, rows in small.kept.get(name, {}).items():
            found[name] = found[name].index_select(dimension, torch.tensor(rows))
    return found


def test_kept_says_which_elements_are_left(model: Model) -> None:
    small = surgdsl.restrict(surgdsl.restrict(model, {"0:out": [1, 3, 4, 5]}), {"0:out": [0, 2], "3:out": [0, 3]})
    assert small.kept["0.weight"][0] == (1, 4)
    found = small.module().state_dict()
    assert set(found) == set(expected(small))
    assert all(torch.equal(found[name], tensor) for name, tensor in expected(small).items())


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_restricted_module_runs_at_every_batch_size(model: Model, batch: int) -> None:
    small = surgdsl.restrict(model, {"0:out": [0]}).module()
    assert tuple(small(torch.randn(batch, 3, 8, 8)).shape) == (batch, 5)


def test_keeping_everything_changes_nothing(model: Model) -> None:
    x = torch.randn(4, 3, 8, 8)
    same = surgdsl.restrict(model, {"0:out": range(6), "3:out": np.arange(4).tolist()})
    assert apart(answers(same.state, (x,)), leaves(cnn()(x))) <= 1e-6
    assert surgdsl.restrict(model, {}) is model


def test_a_cut_that_is_only_approximate_says_why() -> None:
    case = CASES["softmax"]
    model = surgdsl.capture(case.module(), case.inputs())
    (axis,) = [axis for axis in surgdsl.axes(model) if axis.pinned is None]
    assert not axis.natural
    assert "softmax" in axis.works[0]
    assert surgdsl.restrict(model, {axis.name: [0, 1]}).approximate == axis.works


def test_costs(model: Model) -> None:
    weights = 3 * 6 * 9 + 6 + 4 * 6 + 6 * 4 * 9 + 4 + 64 * 5 + 5  # the statistics of a norm are stored too
    assert model.cost("params") == weights
    assert model.cost("macs") == 36 * 6 * 27 + 16 * 4 * 54 + 64 * 5
    assert model.cost("size") == 4 * weights


REFUSED: dict[str, tuple[Callable[[Model], Any], str, str]] = {
    "a name that is near": (lambda m: surgdsl.restrict(m, {"0:outt": [0]}), "E0501", "0:out"),
    "a name of nothing": (lambda m: surgdsl.restrict(m, {"": [0]}), "E0501", ""),
    "an axis that is pinned": (lambda m: surgdsl.restrict(m, {"6:out": [0]}), "E0503", "reaches output"),
    "no positions": (lambda m: surgdsl.restrict(m, {"0:out": []}), "E0507", "6"),
    "positions that repeat": (lambda m: surgdsl.restrict(m, {"0:out": [1, 1]}), "E0507", "6"),
    "positions past the end": (lambda m: surgdsl.restrict(m, {"0:out": [0, 6]}), "E0507", "6"),
    "negative positions": (lambda m: surgdsl.restrict(m, {"0:out": [-1]}), "E0507", "6"),
    "positions in between": (lambda m: surgdsl.restrict(m, {"0:out": [0.5, 1.5]}), "E0507", "6"),  # pyright: ignore[reportArgumentType]
    "a metric that is near": (lambda m: m.cost("param"), "E0101", "params"),
    "a metric of nothing": (lambda m: m.cost("happiness"), "E0101", "macs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_codes_and_say_what_is_near(model: Model, name: str) -> None:
    call, code, told = REFUSED[name]
    with pytest.raises(surgdsl.Refusal) as refused:
        call(model)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == code
    assert told in " ".join((diagnostic.label, *diagnostic.help))


def test_macs_of_an_unknown_operation_are_refused() -> None:
    model = surgdsl.capture(nn.Sequential(nn.Linear(4, 4), Strange()), (torch.zeros(2, 4),))
    with pytest.raises(surgdsl.Refusal, match="E0603"):
        model.cost("macs")


class Strange(nn.Module):
    """An operation that nobody writes a rule for."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(x)


def test_a_module_that_cannot_be_exported_is_refused() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(surgdsl.Refusal, match="E0601"):
        surgdsl.capture(Branching(), (torch.zeros(3),))


def test_names_are_found_when_they_are_used_and_torch_only_then() -> None:
    assert set(dir(surgdsl.api)) >= {"capture", "axes", "restrict", "plan", "run"}
    assert all(getattr(surgdsl, name) is not None for name in surgdsl.__all__)
    with pytest.raises(AttributeError, match="prune"):
        getattr(surgdsl, "prune")  # noqa: B009 - the name does not exist, which is the point
    code = "import sys, surgdsl; surgdsl.load, surgdsl.Refusal; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_repr_of_a_model_is_short(model: Model) -> None:
    assert repr(model) == "Model()"
