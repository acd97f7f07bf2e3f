"""Moving: what is flipped or rolled is pinned, with the reason; everything else is carried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.operations.neutralising import check

Function = Callable[[torch.Tensor], torch.Tensor]

SPACE: dict[str, Function] = {
    "roll": lambda h: h.roll((1, 2), (2, 3)),
    "roll back": lambda h: h.roll(-1, -1),
    "flip": lambda h: h.flip(3),
    "flip two": lambda h: h.flip((2, -1)),
}
CHANNELS: dict[str, Function] = {
    "roll": lambda h: h.roll(1, 1),
    "roll flat": lambda h: torch.roll(h, 5),
    "flip": lambda h: h.flip(1),
    "fliplr": torch.fliplr,
    "cat with its flip": lambda h: (torch.cat([h, h.flip(1)], 1))[:, 4:12],
}


@pytest.mark.parametrize("name", SPACE)
def test_channels_are_carried_where_pixels_move(name: str) -> None:
    function = SPACE[name]
    assert check(lambda x, a, b: b(function(a(x))), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1)).free == (8,)


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_that_move_are_pinned(name: str) -> None:
    function = CHANNELS[name]
    found = check(lambda x, a, b: b(function(a(x))), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1))
    assert found.free == ()
    assert "its positions change places" in found.pins("layers.0.weight", 0)[0]
