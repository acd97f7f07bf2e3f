"""Awkward architectures and adversaries, cut to 70 % at once: the light form of what `make zoo` shows at length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from surgdsl.bridge.capture import capture
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import State
from surgdsl.operations.coupling import Coupling, couple
from tests.bridge.adversaries import ADVERSARIES
from tests.bridge.awkward import AWKWARD, named
from tests.bridge.zoo import Case, answers
from tests.operations.cutting import Keep, apart, cut, degenerate, neutralised

# torch.export finds that recurrent layers set their list of weights anew, which changes nothing.
pytestmark = pytest.mark.filterwarnings("ignore:The tensor attributes? self.*_flat_weights:UserWarning")

TOLERANCE, KEEP = 1e-5, 0.7
CASES: dict[str, Case] = {**AWKWARD, **{f"adversary: {name}": one.case for name, one in ADVERSARIES.items()}}


@cache
def coupled(name: str) -> tuple[State, Coupling]:
    """The net of a case with its batch left open, and its axes."""
    case = CASES[name]
    dynamic = {name: {0: "B"} for name, _ in zip("xy", case.shapes, strict=False)}
    state = capture(named(case), case.inputs(), dynamic=dynamic)
    return state, couple(state.net)


def chosen(coupling: Coupling, *, natural: bool) -> Keep:
    """70 % of each axis that can be cut, at random; all of them, or only the natural ones."""
    random = np.random.default_rng(0)
    sizes = {axis: int(str(axis.size)) for axis in coupling.prunable if coupling.natural(axis) or not natural}
    return {
        axis: np.sort(random.choice(size, max(1, round(size * KEEP)), replace=False)) for axis, size in sizes.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_a_natural_cut_is_the_neutralised_net_at_every_batch_size(name: str) -> None:
    state, coupling = coupled(name)
    keep = chosen(coupling, natural=True)
    small, zeroed = cut(state, coupling, keep), neutralised(state, coupling, keep)
    for batch in (1, 2, 5):
        inputs = CASES[name].inputs(batch)
        wanted = answers(zeroed, inputs)
        assert not degenerate(wanted)
        assert apart(answers(small, inputs), wanted) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_a_cut_of_all_axes_runs_keeps_outputs_and_shared_weights_and_trains(name: str) -> None:
    state, coupling = coupled(name)
    small = cut(state, coupling, chosen(coupling, natural=False))
    assert small.net.outputs == state.net.outputs
    assert all(small.net.sort(wire) == state.net.sort(wire) for wire in state.net.interface)
    assert shared(small) == shared(state)
    before, after = trained(state, CASES[name]), trained(small, CASES[name])
    assert before == after
    assert before


def shared(state: State) -> set[str]:
    """The weights that several operations read."""
    graph = state.net.graph
    params = state.net.params().values()
    return {one.payload.base for one in params if one.payload and len(graph.consumers[one.targets[0]]) > 1}


def trained(state: State, case: Case) -> set[str]:
    """The names of the parameters that a gradient reaches."""
    module: Any = rebuild(state)
    torch.stack([one.square().sum() for one in tensors(module(*case.inputs(3)))]).sum().backward()
    return {name for name, one in module.named_parameters() if one.grad is not None and bool(one.grad.any())}


def tensors(found: Any) -> list[torch.Tensor]:
    """All outputs of a module, in order."""
    if isinstance(found, torch.Tensor):
        return [found]
    parts: Iterable[Any] = found.values() if isinstance(found, Mapping) else found
    return [tensor for part in parts for tensor in tensors(part)]


@pytest.mark.parametrize("name", [name for name, case in AWKWARD.items() if case.natural is not None])
def test_axes_that_can_be_cut_exactly_are_found(name: str) -> None:
    _, coupling = coupled(name)
    natural = {axis.name for axis in coupling.prunable if coupling.natural(axis)}
    assert set(AWKWARD[name].natural or ()) <= natural


@pytest.mark.parametrize("name", ADVERSARIES)
def test_an_adversary_gets_its_verdict(name: str) -> None:
    _, coupling = coupled(f"adversary: {name}")
    wanted = ADVERSARIES[name]
    assert set(wanted.under) <= {axis.name for axis in coupling.members}
    for axis in coupling.members:
        if axis.name in wanted.under:
            assert wanted.verdict == told(coupling, axis)


def told(coupling: Coupling, axis: Any) -> str:
    """What is said of an axis."""
    if axis in coupling.pins:
        return "pinned"
    return "exact" if coupling.natural(axis) else "approximate"
