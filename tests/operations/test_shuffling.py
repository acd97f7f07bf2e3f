"""Shuffling: what is beside the block is carried to where it goes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.shuffling import CHANNEL_SHUFFLE, PIXEL_SHUFFLE, PIXEL_UNSHUFFLE
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import check

shuffle, unshuffle = nn.functional.pixel_shuffle, nn.functional.pixel_unshuffle


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_channels_leave_their_block_to_the_pixels(factor: int) -> None:
    layers = nn.Conv2d(3, 3 * factor**2, 3), nn.Conv2d(3, 4, 1)
    assert check(lambda x, a, b: b(shuffle(a(x), factor)), *layers).free == (3,)


def test_channels_take_a_block_from_the_pixels() -> None:
    assert check(lambda x, a, b: b(unshuffle(a(x), 2)), nn.Conv2d(3, 5, 3), nn.Conv2d(20, 4, 1)).free == (5,)


def test_there_and_back() -> None:
    layers = nn.Conv2d(3, 12, 3), nn.Conv2d(12, 4, 1)
    assert check(lambda x, a, b: b(unshuffle(shuffle(a(x), 2).relu(), 2) + a(x)), *layers).free == (3,)


def test_groups_of_channels_are_shuffled() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        return b(nn.functional.channel_shuffle(a(x), 2))

    found = check(function, nn.Conv2d(3, 12, 3), nn.Conv2d(12, 4, 1), knows="aten.channel_shuffle.default")
    assert found.free == (6,)


def test_a_shuffle_meets_channels_in_order_and_groups() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module, c: nn.Module) -> torch.Tensor:
        return b(nn.functional.channel_shuffle(a(x), 3) + c(x))

    layers = nn.Conv2d(3, 12, 3, groups=3), nn.Conv2d(12, 4, 1, groups=2), nn.Conv2d(3, 12, 3)
    assert check(function, *layers).free == (2,)


def test_blocks_that_do_not_divide_are_ill_typed() -> None:
    x = Sort("F32", (2, 6, 5, 5))
    for signature, name in (
        (PIXEL_SHUFFLE, "upscale_factor"),
        (PIXEL_UNSHUFFLE, "downscale_factor"),
        (CHANNEL_SHUFFLE, "groups"),
    ):
        with pytest.raises(IllTyped):
            signature.typing(Operation("aten.op", (), (), ((name, 4),)), (x,))
