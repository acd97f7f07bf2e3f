"""Crossing: types as torch has them, and every dim pinned with the reason."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.operations.calling import agree
from tests.operations.neutralising import Map, check

x, rows = torch.zeros(3, 4, 5), torch.tensor([[[0, 2, 1, 0, 1]]])
CALLS: tuple[tuple[Any, ...], ...] = (
    *(("diagonal.default", x, offset, *dims) for offset in (-1, 0, 2) for dims in ((0, 1), (-1, 1))),
    *(("rot90.default", x, turns, [0, -1]) for turns in (-1, 0, 1, 2)),
    ("meshgrid.default", [torch.zeros(3), torch.zeros(4)]),
    ("meshgrid.indexing", [torch.zeros(3), torch.zeros(4), torch.zeros(2)]),
    ("scatter.src", x, 1, rows, torch.ones(1, 1, 5)),
    ("scatter.value", x, 1, rows, 2.0),
    ("scatter_add.default", x, 1, rows, torch.ones(1, 1, 5)),
    ("scatter_reduce.two", x, 1, rows, torch.ones(1, 1, 5), "amax"),
    ("index_put.default", x, [torch.tensor([0, 1])], torch.ones(4, 5)),
    ("index_add.default", x, 1, torch.tensor([0, 3]), torch.ones(3, 2, 5)),
    ("index_copy.default", x, 1, torch.tensor([0, 3]), torch.ones(3, 2, 5)),
)
CROSSED: dict[str, tuple[str, Map]] = {
    "diagonal": ("aten.diagonal.default", lambda h: h.diagonal(0, 1, 2)[:, :, None, :]),
    "rot90": ("aten.rot90.default", lambda h: h.rot90(1, (1, 2))),
    "scatter": ("aten.scatter.value", lambda h: h.scatter(1, (h.sum(1, keepdim=True) > 0).long(), 3.0)),
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_calls_type_as_torch_does(call: tuple[Any, ...]) -> None:
    name, *arguments = call
    keywords = {"indexing": "xy"} if name == "meshgrid.indexing" else {}
    agree(f"aten.{name}", *arguments, **keywords)


@pytest.mark.parametrize("name", CROSSED)
def test_channels_are_pinned_with_the_reason(name: str) -> None:
    operator, function = CROSSED[name]
    layers = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 1)
    found = check(lambda x, a, b: b(function(a(x))), *layers, knows=operator)
    assert found.free == ()
    assert "depends on several dimensions" in found.pins("layers.0.weight", 0)[0]
