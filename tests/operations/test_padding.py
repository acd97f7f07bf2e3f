"""Padding: margins of a fixed size around what can still be cut."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.padding import PADDING
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import check

pad = nn.functional.pad
KINDS = ("constant", "reflect", "replicate", "circular")


@pytest.mark.parametrize("mode", KINDS)
def test_channels_are_carried_where_pixels_are_padded(mode: str) -> None:
    layers = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)
    assert check(lambda x, a, b: b(pad(a(x), (1, 2, 0, 1), mode=mode)), *layers, knows="aten.pad.default").free == (8,)


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_a_shortcut_is_padded_to_more_channels(value: float) -> None:
    layers = nn.Conv2d(3, 8, 3), nn.Conv2d(13, 4, 1), nn.Conv2d(3, 13, 3)
    found = check(lambda x, a, b, c: b(pad(a(x), (0, 0, 0, 0, 2, 3), value=value) + c(x)), *layers)
    assert found.free == (8,)
    assert [reason.split(" at ")[0] for reason in found.pins("layers.1.weight", 1)] == [
        "it is a margin of a fixed size"
    ] * 2


def test_features_are_padded_at_the_end() -> None:
    assert check(lambda x, a, b: b(pad(a(x), (0, 3))), nn.Linear(8, 6), nn.Linear(9, 4)).free == (6,)


def test_channels_that_are_taken_away_are_pinned() -> None:
    found = check(lambda x, a, b: b(pad(a(x), (0, 0, 0, 0, -1, 0))), nn.Conv2d(3, 8, 3), nn.Conv2d(7, 4, 1))
    assert "it is padded" in found.pins("layers.0.weight", 0)[0]


def test_channels_that_are_mirrored_are_pinned() -> None:
    found = check(lambda x, a, b: b(pad(a(x), (2, 1), mode="reflect")), nn.Linear(8, 6), nn.Linear(9, 4), shape=(5, 8))
    assert "it is padded" in found.pins("layers.0.weight", 0)[0]


def test_a_padded_contraction_is_approximate_only_where_nothing_is_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        left, right = pad(a(x), (1, 1)), pad(a(x).sigmoid(), (1, 1), value=2.0)
        return torch.matmul(right, right.transpose(1, 2)) + torch.matmul(left, right.transpose(1, 2))

    assert check(function, nn.Linear(3, 6), shape=(5, 3)).approximate == (6,)


@pytest.mark.parametrize("kind", ["constant_pad_nd", "reflection_pad2d", "replication_pad2d"])
def test_other_calls_type_as_torch_does(kind: str) -> None:
    margins = (2, 1, 0, 3)
    attributes = (("pad" if kind == "constant_pad_nd" else "padding", margins),)
    wanted = getattr(torch.ops.aten, kind)(torch.zeros(2, 3, 5, 6), margins).shape
    (found,) = PADDING.typing(Operation(f"aten.{kind}.default", (), (), attributes), (Sort("F32", (2, 3, 5, 6)),))
    assert found.shape == tuple(wanted)


def test_margins_that_do_not_fit_are_ill_typed() -> None:
    for margins, mode in (((1, 2, 3), "constant"), ((-2, -1), "constant"), ((4, 0), "reflect"), ((1,) * 6, "constant")):
        operation = Operation("aten.pad.default", (), (), (("mode", mode), ("pad", margins)))
        with pytest.raises(IllTyped):
            PADDING.typing(operation, (Sort("F32", (2, 3)),))
