"""Pooling that says where, and triangles: pixels are pinned, channels pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.operations.neutralising import check

SHAPES = {1: (3, 9), 2: (3, 9, 7), 3: (3, 5, 6, 4)}
LAYERS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
ADAPTIVE: dict[int, Any] = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}
POOLS: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_pass_where_the_size_is_given(rank: int) -> None:
    layers = LAYERS[rank](3, 8, 2), ADAPTIVE[rank](tuple(range(2, 2 + rank))), LAYERS[rank](8, 4, 1)
    operator = f"aten.adaptive_max_pool{rank}d.default"
    found = check(lambda x, a, p, b: b(p(a(x))), *layers, shape=SHAPES[rank], knows=operator)
    assert found.free == (8,)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil", [False, True])
def test_channels_pass_where_places_are_returned(rank: int, *, ceil: bool) -> None:
    pool = POOLS[rank](3, 2, 1, return_indices=True, ceil_mode=ceil)

    def function(x: torch.Tensor, a: nn.Module, p: nn.Module, b: nn.Module) -> torch.Tensor:
        largest, places = p(a(x))
        return b(largest * 3 + places)

    layers = LAYERS[rank](3, 8, 2), pool, LAYERS[rank](8, 4, 1)
    operator = f"aten.max_pool{rank}d_with_indices.default"
    assert check(function, *layers, shape=SHAPES[rank], knows=operator).free == (8,)


def test_the_largest_go_back_to_their_places() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        largest, places = nn.functional.max_pool2d(a(x), 2, return_indices=True)
        return b(nn.functional.max_unpool2d(largest, places, [2, 2]))

    found = check(function, nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), knows="aten.max_unpool2d.default")
    assert found.free == (8,)


def test_a_triangle_of_pixels_is_kept_in_every_channel() -> None:
    layers = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1)
    found = check(lambda x, a, b: b(a(x).triu(-1).tril(3)), *layers, knows="aten.triu.default")
    assert found.free == (8,)
    assert "aten.tril.default" in found.calls


def test_a_triangle_of_features_pins_them() -> None:
    found = check(lambda x, a, b: b(a(x).tril(1)), nn.Linear(8, 6), nn.Linear(6, 4))
    assert "its row and its column" in found.pins("layers.0.weight", 0)[0]
