"""Unfolding: channels become channels and kernel, and come back."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import IllTyped
from surgdsl.operations.unfolding import COLUMNS, IMAGE
from tests.operations.neutralising import check

unfold, fold = nn.functional.unfold, nn.functional.fold


@pytest.mark.parametrize("seed", range(4))
def test_channels_go_into_columns_and_back(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - settings of a test
    kernel, dilation, padding = draw.randint(1, 3), draw.randint(1, 2), draw.randint(0, 1)
    options = {"dilation": dilation, "padding": padding, "stride": draw.randint(1, 2)}

    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        return b(fold(unfold(a(x), kernel, **options).relu(), (8, 8), kernel, **options))

    found = check(function, nn.Conv2d(3, 5, 1), nn.Conv2d(5, 4, 1))
    assert found.free == (5,)
    assert {"aten.im2col.default", "aten.col2im.default"} <= found.calls


def test_columns_are_read_by_a_map() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        return b(unfold(a(x), (2, 3)).transpose(1, 2))

    found = check(function, nn.Conv2d(3, 5, 1), nn.Linear(30, 4))
    assert found.free == (5,)
    assert "a window slides over it" in found.pins("layers.1.weight", 1)[0]


def test_windows_along_one_dimension() -> None:
    layers = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 4, 1)
    assert check(lambda x, a, b: b(a(x).unfold(2, 3, 2).flatten(3)), *layers, knows="aten.unfold.default").free == (5,)
    found = check(lambda x, a, b: b(a(x).unfold(1, 3, 2).flatten(3)), nn.Conv2d(3, 5, 3), nn.Conv2d(2, 4, 1))
    assert "a window slides over it" in found.pins("layers.0.weight", 0)[0]


def test_windows_that_do_not_fit_are_ill_typed() -> None:
    settings = (("dilation", (1,)), ("kernel_size", (2,)), ("output_size", (3, 3)), ("padding", (0,)), ("stride", (1,)))
    operation = Operation("aten.op", (), (), settings)
    assert IMAGE.typing(operation, (Sort("F32", (2, 12, 4)),)) == (Sort("F32", (2, 3, 3, 3)),)
    for signature, shape in ((IMAGE, (2, 12, 5)), (IMAGE, (2, 13, 4)), (IMAGE, (12, 4)), (COLUMNS, (2, 3, 1, 4))):
        with pytest.raises(IllTyped):
            signature.typing(operation, (Sort("F32", shape),))
