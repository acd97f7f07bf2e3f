"""Norms: what they average over is approximate, what stands beside it is exact, and literals follow."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import agree, said
from tests.operations.neutralising import check

LAST: dict[str, tuple[str, Any]] = {
    "layer norm": ("aten.layer_norm.default", lambda: nn.LayerNorm(6)),
    "layer norm without weights": ("aten.layer_norm.default", lambda: nn.LayerNorm(6, elementwise_affine=False)),
    "layer norm without bias": ("aten.layer_norm.default", lambda: nn.LayerNorm(6, bias=False)),
    "rms norm": ("aten.rms_norm.default", lambda: nn.RMSNorm(6)),
    "rms norm without weights": ("aten.rms_norm.default", lambda: nn.RMSNorm(6, elementwise_affine=False)),
}


@pytest.mark.parametrize("name", LAST)
def test_a_norm_over_the_last_dimension_is_approximate_there(name: str) -> None:
    operator, norm = LAST[name]
    layers = nn.Linear(8, 6), norm(), nn.Linear(6, 3)
    found = check(lambda x, a, n, b: b(n(a(x))), *layers, shape=(5, 8), knows=operator)
    assert (found.free, found.approximate) == ((6,), (6,))


@pytest.mark.parametrize(
    ("name", "exact"), [("layer norm", False), ("layer norm without bias", True), ("rms norm", True)]
)
def test_a_norm_over_other_dimensions_keeps_zero_unless_it_shifts(name: str, exact: bool) -> None:
    layers = nn.Linear(8, 4), LAST[name][1]()
    found = check(lambda x, a, n: n(a(x).transpose(1, 2)).sum(1), *layers, shape=(6, 8))
    assert (found.free, found.approximate) == ((4,), () if exact else (4,))


def test_a_norm_over_two_dimensions() -> None:
    layers = nn.Conv2d(3, 4, 1), nn.LayerNorm([4, 8, 8]), nn.Conv2d(4, 2, 1)
    found = check(lambda x, a, n, b: b(n(a(x))), *layers)
    assert (found.free, found.approximate) == ((4,), (4,))


@pytest.mark.parametrize(
    ("groups", "free", "approximate"), [(4, (4, 2), (2,)), (1, (8,), (8,)), (8, (8,), ())], ids=["some", "one", "each"]
)
@pytest.mark.parametrize("affine", [True, False])
def test_groups_go_as_a_whole(groups: int, free: tuple[int, ...], approximate: tuple[int, ...], affine: bool) -> None:
    layers = nn.Conv2d(3, 8, 1), nn.GroupNorm(groups, 8, affine=affine), nn.Conv2d(8, 2, 1)
    found = check(lambda x, a, n, b: b(n(a(x))), *layers, knows="aten.group_norm.default")
    assert (found.free, found.approximate) == (free, approximate)


def test_groups_of_joined_channels() -> None:
    layers = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 8, 1), nn.GroupNorm(6, 12), nn.Conv2d(12, 2, 1)
    found = check(lambda x, a, b, n, c: c(n(torch.cat([a(x), b(x)], 1))), *layers)
    assert sorted(found.free) == [2, 2, 4]
    assert found.approximate == (2,)


def test_a_group_norm_adds_its_shift_to_positions_that_are_zero() -> None:
    found = check(lambda x, a, n: n(a(x)).relu().sum(2), nn.Linear(8, 6), nn.GroupNorm(5, 5), shape=(5, 8))
    assert (found.free, found.approximate) == ((6,), (6,))


@pytest.mark.parametrize(
    "norm",
    [
        nn.InstanceNorm2d(8),
        nn.InstanceNorm2d(8, affine=True),
        nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
        nn.InstanceNorm2d(8, track_running_stats=True),
        nn.BatchNorm2d(8),
        nn.BatchNorm2d(8, affine=False),
    ],
    ids=["bare", "affine", "affine with statistics", "with statistics", "batch", "batch without weights"],
)
def test_channels_that_are_normalised_by_themselves_are_exact(norm: nn.Module) -> None:
    def function(x: torch.Tensor, a: nn.Module, n: nn.Module, b: nn.Module) -> torch.Tensor:
        y = n(a(x) * torch.linspace(-1, 1, 8))
        return b(y) + y.sum(1, keepdim=True).square()

    found = check(function, nn.Conv2d(3, 8, 1), norm, nn.Conv2d(8, 2, 1))
    assert (found.free, found.approximate) == ((8,), ())


@pytest.mark.parametrize("norm", [nn.InstanceNorm1d(5, affine=True), nn.BatchNorm1d(5)], ids=["instance", "batch"])
def test_a_shift_of_channels_is_no_zero_along_other_dimensions(norm: nn.Module) -> None:
    found = check(lambda x, a, n: n(a(x)).relu().sum(2), nn.Linear(8, 6), norm, shape=(5, 8))
    assert (found.free, found.approximate) == ((6,), (6,))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(2, 4), st.integers(2, 4))
def test_typing_is_torchs(batch: int, groups: int, inner: int, size: int) -> None:
    x = torch.randn(batch, groups * inner, size)
    weight, bias = torch.randn(size), torch.randn(size)
    agree("aten.layer_norm.default", x, [size], weight, bias)
    agree("aten.layer_norm.default", x, [groups * inner, size])
    agree("aten.rms_norm.default", x, [size], weight)
    agree("aten.group_norm.default", x, groups, torch.randn(groups * inner))
    agree("aten.instance_norm.default", x, None, None, None, None, True, 0.1, 1e-5, False)


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x, weight = torch.randn(2, 6, 4), torch.randn(3)
    wrong = [
        said("aten.layer_norm.default", x, [3]),
        said("aten.layer_norm.default", x, []),
        said("aten.layer_norm.default", x, [4], weight),
        said("aten.rms_norm.default", x, [2, 6, 4, 1]),
        said("aten.group_norm.default", x, 4),
        said("aten.group_norm.default", x, 3, weight),
        said("aten.group_norm.default", x[0, 0], 1),
        said("aten.instance_norm.default", x, weight, None, None, None, True, 0.1, 1e-5, False),
        said("aten.instance_norm.default", x[0], None, None, None, None, True, 0.1, 1e-5, False),
    ]
    for operation, sources in wrong:
        with pytest.raises(IllTyped):
            BY_NAME[operation.name].typing(operation, sources)


@pytest.mark.parametrize(("dim", "free", "approximate"), [(0, [4, 6], (6,)), (1, [4, 6], (4,)), (2, [4, 6], ())])
def test_a_weight_told_by_length_and_direction(dim: int, free: list[int], approximate: tuple[int, ...]) -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3), dim=dim)
    layers = nn.Linear(3, 4), layer, nn.Linear(6, 2)
    found = check(lambda x, a, n, b: b(n(a(x).mT).mT), *layers, shape=(9, 3), knows="aten._weight_norm.default")
    assert (sorted(found.free), found.approximate) == (free, approximate)


def test_typing_of_a_weight_told_by_length_and_direction_is_torchs() -> None:
    v = torch.randn(2, 3, 4)
    for dim in (0, 1, 2, -1):
        g = v.norm(dim=tuple(i for i in range(3) if i != dim % 3), keepdim=True)
        agree("aten._weight_norm.default", v, g, dim)
    operation, sources = said("aten._weight_norm.default", v, v[:1], 0)
    with pytest.raises(IllTyped):
        BY_NAME[operation.name].typing(operation, sources)


def test_a_weight_that_is_standardised() -> None:
    class Standardised(nn.Conv2d):
        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the base class names it so
            scale = torch.ones(self.out_channels)
            flat = self.weight.reshape(1, self.out_channels, -1)
            weight = nn.functional.batch_norm(flat, None, None, scale, training=True, momentum=0.0)
            return nn.functional.conv2d(input, weight.reshape_as(self.weight), self.bias)

    layers = nn.Conv2d(3, 8, 1), Standardised(8, 6, 3), nn.Conv2d(6, 4, 1)
    found = check(lambda x, a, b, c: c(b(a(x)).relu()), *layers, knows="aten.batch_norm.default")
    assert (found.free, found.approximate) == ((8, 6), (8,))


def test_an_embedding_carries_columns_and_pins_rows() -> None:
    def function(x: torch.Tensor, e: nn.Module, b: nn.Module) -> torch.Tensor:
        return b(e(x.abs().mul(2).clamp(max=6).long()))

    found = check(function, nn.Embedding(7, 6), nn.Linear(6, 3), shape=(5,), knows="aten.embedding.default")
    assert (found.free, found.approximate) == ((6,), ())
    assert found.pins("layers.0.weight", 0) == ("its rows are looked up by number at layers.0 (embedding)",)


def test_numbers_that_are_weights_still_name_rows() -> None:
    class Numbered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(7, 6)
            self.register_buffer("numbers", torch.tensor([4, 2, 6, 1]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.table(self.numbers).sum(0) * x).sum(1)

    found = check(lambda x, e: e(x), Numbered(), shape=(6,))
    assert 4 in found.approximate


def test_a_tied_table_is_cut_once() -> None:
    def function(x: torch.Tensor, e: Any, a: Any) -> torch.Tensor:
        y = a(e(x.abs().mul(2).clamp(max=6).long())).relu()
        return F.linear(y, e.weight)

    found = check(function, nn.Embedding(7, 6), nn.Linear(6, 6), shape=(5,))
    assert found.free == (6,)
