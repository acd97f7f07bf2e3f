"""Transposed convolutions: channels, groups, sizes and costs."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import IllTyped
from surgdsl.operations.transposed import TRANSPOSED
from tests.operations.neutralising import check

LAYERS: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
PLAIN: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
SHAPES = {1: (3, 7), 2: (3, 5, 4), 3: (3, 3, 4, 2)}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("groups", "free"), [(1, [6, 12]), (3, [2, 3, 4]), (2, [2, 3, 6]), (6, [2, 6])])
def test_inputs_outputs_and_groups_are_free(rank: int, groups: int, free: list[int]) -> None:
    draw = random.Random(rank * 10 + groups)  # noqa: S311 - settings of a test
    stride, dilation = draw.randint(1, 3), draw.randint(1, 2)
    layer = LAYERS[rank](
        6, 12, draw.randint(2, 3), stride, draw.randint(0, 1), max(stride, dilation) - 1, groups, dilation=dilation
    )
    layers = PLAIN[rank](3, 6, 1), layer, PLAIN[rank](12, 4, 1)
    found = check(lambda x, a, b, c: c(b(a(x)).relu()), *layers, shape=SHAPES[rank])
    assert sorted(found.free) == free
    assert found.approximate == ()
    assert 2 * found.macs({"B": 2}) == found.counted(torch.randn(2, *SHAPES[rank]))


def test_every_channel_by_itself() -> None:
    layers = nn.Conv2d(3, 6, 1), nn.ConvTranspose2d(6, 6, 3, 2, groups=6, bias=False), nn.Conv2d(6, 4, 1)
    assert check(lambda x, a, b, c: c(b(a(x)).relu()), *layers).free == (6,)


def test_channels_are_called_what_they_are_to_the_layer() -> None:
    layers = nn.ConvTranspose2d(3, 6, 2), nn.ConvTranspose2d(6, 4, 2), nn.Conv2d(4, 2, 1)
    found = check(lambda x, a, b, c: c(b(a(x))), *layers)
    assert [axis.name for axis in found.coupling.prunable] == ["layers.0:filters", "layers.1:filters"]


def test_a_weight_that_is_computed_need_not_be_zero() -> None:
    class Computed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(8, 4, 2, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.conv_transpose2d(x, self.weight.sigmoid())

    found = check(lambda x, a, b: b(a(x).sigmoid()), nn.Conv2d(3, 8, 1), Computed())
    assert found.approximate == (8,)
    assert check(lambda x, a, b: b(a(x)), nn.Conv2d(3, 8, 1), Computed()).approximate == ()


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    settings = (("dilation", (1,)), ("groups", 2), ("output_padding", (0,)), ("padding", (0,)), ("stride", (1,)))
    operation = Operation("aten.conv_transpose1d.default", (), (), settings)
    w = Sort("F32", (4, 3, 2))
    assert TRANSPOSED.typing(operation, (Sort("F32", (2, 4, 5)), w)) == (Sort("F32", (2, 6, 6)),)
    for sources in (
        (Sort("F32", (2, 3, 5)), w),
        (Sort("F32", (4, 5)), w),
        (Sort("F32", (2, 3, 5)), Sort("F32", (3, 3, 2))),
        (Sort("F32", (2, 4, 5)), w, Sort("F32", (3,))),
    ):
        with pytest.raises(IllTyped):
            TRANSPOSED.typing(operation, sources)
