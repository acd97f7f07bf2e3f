"""Squeezing: what was pooled away goes, what merely shrinks to 1 stays."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import IllTyped
from surgdsl.operations.squeezing import SQUEEZING
from tests.operations.neutralising import check


@pytest.mark.parametrize("places", [(2, 3), (1, -2, -1)])
def test_channels_stay_even_at_size_one(places: tuple[int, ...]) -> None:
    layers = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)
    found = check(lambda x, a, b: b(a(x).mean((2, 3), keepdim=True).squeeze(places)), *layers)
    assert found.free == (8,)
    assert "aten.squeeze.dims" in found.calls


def test_a_call_that_names_no_dimension_pins_what_stays() -> None:
    layers = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)
    found = check(lambda x, a, b: b(torch.squeeze(a(x).mean((2, 3), keepdim=True))), *layers)
    assert "aten.squeeze.default" not in found.calls or "squeeze" in found.pins("layers.0.weight", 0)[0]


def test_a_dimension_that_is_not_there_is_ill_typed() -> None:
    with pytest.raises(IllTyped):
        SQUEEZING.typing(Operation("aten.squeeze.dims", (), (), (("dim", (2,)),)), (Sort("F32", (2, 1)),))
