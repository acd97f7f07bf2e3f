"""Folding: the net without its batch norms computes what it did, and where it would not, nothing is folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from attrs import evolve
from torch import nn
from torch.nn import functional

from surgdsl.bridge.capture import capture
from surgdsl.bridge.weight import State
from surgdsl.diagram.operation import PARAM
from surgdsl.surgery.fold import NORM, Fold, sites
from surgdsl.surgery.recode import Mask
from tests.bridge.zoo import Conv, Linear, Norm, Wired, answers, randomised
from tests.operations.cutting import apart, degenerate

Case = tuple[tuple[int, ...], Callable[[Any, Any], Any], Mapping[str, nn.Module]]


def shared_weight() -> Mapping[str, nn.Module]:
    first, second = Conv(3, 3, 1), Conv(3, 3, 1)
    second.weight = first.weight
    return {"c": first, "d": second, "n": Norm(3)}


def read_elsewhere(m: Any, x: Any) -> Any:
    y = m.c(x)
    return m.n(y) + y


def given_away(m: Any, x: Any) -> Any:
    y = m.c(x)
    return m.n(y), y


FOLDED: Mapping[str, Case] = {
    "convolution": ((3, 6, 6), lambda m, x: m.n(m.c(x)).relu(), {"c": Conv(3, 4, 3), "n": Norm(4)}),
    "convolution without a bias": ((3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3, bias=False), "n": Norm(4)}),
    "grouped convolution": ((4, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(4, 6, 3, groups=2), "n": Norm(6)}),
    "norm without scale": ((3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3), "n": Norm(4, affine=False)}),
    "linear": ((5,), lambda m, x: m.n(m.c(x)).relu(), {"c": Linear(5, 4), "n": nn.BatchNorm1d(4)}),
    "one dimension": ((5, 7), lambda m, x: m.n(m.c(x)), {"c": nn.Conv1d(5, 4, 3), "n": nn.BatchNorm1d(4)}),
    "three dimensions": ((2, 4, 4, 4), lambda m, x: m.n(m.c(x)), {"c": nn.Conv3d(2, 4, 3), "n": nn.BatchNorm3d(4)}),
    "two in a row": (
        (3, 6, 6),
        lambda m, x: m.n(m.c(m.m(m.b(x)).relu())),
        {"b": Conv(3, 4, 3), "m": Norm(4), "c": Conv(4, 3, 3), "n": Norm(3)},
    ),
}

LEFT: Mapping[str, Case] = {
    "a norm over rows": ((6, 5), lambda m, x: m.n(m.c(x)), {"c": Linear(5, 6), "n": nn.BatchNorm1d(6)}),
    "a weight that is shared": ((3, 6, 6), lambda m, x: m.n(m.c(x)) + m.d(x), shared_weight()),
    "a layer called twice": ((3, 6, 6), lambda m, x: m.n(m.c(x)) + m.c(x), {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a norm called twice": (
        (3, 6, 6), lambda m, x: m.n(m.c(x)) + m.n(m.d(x)), {"c": Conv(3, 3, 1), "d": Conv(3, 3, 1), "n": Norm(3)}
    ),
    "a value that is read elsewhere": ((3, 6, 6), read_elsewhere, {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a value that is an output": ((3, 6, 6), given_away, {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "something in between": ((3, 6, 6), lambda m, x: m.n(m.c(x).relu()), {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a weight that is computed": (
        (3, 6, 6), lambda m, x: m.n(functional.conv2d(x, m.c.weight * 2.0)), {"c": Conv(3, 3, 1), "n": Norm(3)}
    ),
    "statistics of the batch": (
        (3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3), "n": Norm(4, track_running_stats=False)}
    ),
    "double precision": (
        (3, 6, 6), lambda m, x: m.n(m.c(x.double())), {"c": Conv(3, 4, 3).double(), "n": Norm(4).double()}
    ),
}  # fmt: skip


def opened(case: Case) -> tuple[State, tuple[torch.Tensor, ...]]:
    shape, wiring, parts = case
    inputs = (torch.randn(4, *shape, generator=torch.Generator().manual_seed(2)),)
    return capture(randomised(Wired(wiring, parts)), inputs), inputs


def norms(state: State) -> list[str]:
    return [name for name, operation in state.net.graph.operations.items() if operation.name == NORM]


@pytest.mark.parametrize("name", FOLDED)
def test_a_folded_net_computes_the_same(name: str) -> None:
    start, inputs = opened(FOLDED[name])
    before, state = answers(start, inputs), start
    for number, site in enumerate(sites(start)):
        state = Fold(site.layer, site.norm).rewrite(state, number, "fold").after
    assert norms(start) != []
    assert norms(state) == []
    assert not degenerate(before)
    assert apart(answers(state, inputs), before) <= 1e-6
    assert state.net.faults() == ()
    assert set(state.weights) == set(state.net.params())


@pytest.mark.parametrize("name", LEFT)
def test_what_cannot_be_folded_exactly_is_left(name: str) -> None:
    state, _ = opened(LEFT[name])
    assert norms(state) != []
    assert sites(state) == ()


def test_a_weight_that_is_masked_is_left() -> None:
    state, _ = opened(FOLDED["convolution"])
    masked = Mask("c.weight", 50, 108).rewrite(state, 0, "thin").after
    assert len(sites(state)) == 1
    assert sites(masked) == ()


def test_a_norm_inside_an_interface_is_left() -> None:
    state, _ = opened(FOLDED["convolution"])
    (norm,) = norms(state)
    wire = state.net.graph.operations[norm].sources[0]
    held = evolve(state, net=evolve(state.net, boundary={"before the norm": wire}))
    assert sites(held) == ()


def test_a_fold_keeps_the_name_and_the_place_of_what_it_folds_into() -> None:
    state, _ = opened(FOLDED["convolution without a bias"])
    (site,) = sites(state)
    rewrite = Fold(site.layer, site.norm).rewrite(state, 3, "fold")
    params = [operation for operation in rewrite.after.net.graph.operations.values() if operation.name == PARAM]
    assert sorted(one.payload.base for one in params if one.payload) == ["c.bias", "c.weight"]
    assert (rewrite.rule, rewrite.kind, rewrite.reduces, rewrite.note) == (
        "fold-batchnorm/1",
        "reduce",
        "params/1",
        "n into c",
    )
