"""Creation: one number everywhere can be made shorter; numbers by position cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from surgdsl.axis.extent import Extent, add, symbol
from surgdsl.bridge.arguments import DTYPES
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import Map, check

FREE: dict[str, tuple[str, Map]] = {
    "zeros": ("aten.zeros.default", lambda h: h + torch.zeros(h.shape[0], 8, 1, 1)),
    "ones": ("aten.ones.default", lambda h: h * torch.ones(h.shape[0], 8, 1, 1)),
    "full": ("aten.full.default", lambda h: h + torch.full((h.shape[0], 8, 1, 1), 2.0)),
    "new_zeros": ("aten.new_zeros.default", lambda h: h + h.new_zeros(h.shape[0], 8, 1, 1)),
    "new_ones": ("aten.new_ones.default", lambda h: h - h.new_ones(h.shape[0], 8, 6, 6)),
    "new_full": ("aten.new_full.default", lambda h: h * h.new_full((h.shape[0], 8, 1, 1), 0.5)),
    "zeros_like": ("aten.zeros_like.default", lambda h: torch.zeros_like(h) - h),
    "ones_like": ("aten.ones_like.default", lambda h: torch.ones_like(h) - h),
    "full_like": ("aten.full_like.default", lambda h: torch.full_like(h, 3.0) * h),
    "samples": ("aten.arange.start", lambda h: h * torch.arange(1, h.shape[0] + 1)[:, None, None, None]),
}


@pytest.mark.parametrize("name", FREE)
def test_channels_stay_free(name: str) -> None:
    operator, function = FREE[name]
    found = check(lambda x, a, b: b(function(a(x))), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), knows=operator)
    assert found.free == (8,)


def test_channels_that_are_filled_are_an_axis_of_their_own() -> None:
    layers = nn.Conv2d(3, 5, 3), nn.Conv2d(8, 4, 1)
    assert check(lambda x, a, b: b(torch.cat([a(x), x.new_ones(x.shape[0], 3, 6, 6)], 1)), *layers).free == (5, 3)


def test_channels_that_differ_by_position_are_pinned() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        return b(a(x) + torch.eye(x.shape[0], 8)[:, :, None, None])

    found = check(function, nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), knows="aten.eye.m")
    assert "numbers that differ by position" in found.pins("layers.0.weight", 0)[0]


def test_a_sum_with_ones_is_not_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        left = torch.ones_like(a(x))
        return torch.matmul(left, a(x).sigmoid().transpose(1, 2))

    assert check(function, nn.Linear(3, 6), shape=(5, 3)).approximate == (6,)


def test_a_sum_with_zeros_is_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        return torch.matmul(torch.zeros_like(a(x)), a(x).sigmoid().transpose(1, 2)) + x.sum(2, keepdim=True)

    assert check(function, nn.Linear(3, 6), shape=(5, 3)).approximate == ()


CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("arange.default", {"end": 7}),
    ("arange.start", {"start": 2, "end": 9}),
    ("arange.start_step", {"start": 0, "end": 10, "step": 3}),
    ("arange.start_step", {"start": 10, "end": 0, "step": -3}),
    ("arange.start_step", {"start": 0.0, "end": 1.0, "step": 0.1}),
    ("arange.start", {"start": 0.5, "end": 4.0}),
    ("arange.default", {"end": 5, "dtype": torch.float16}),
    ("zeros.default", {"size": (2, 3), "dtype": torch.bool}),
    ("full.default", {"size": (2,), "fill_value": 1}),
    ("full.default", {"size": (2,), "fill_value": True}),
    ("full.default", {"size": (), "fill_value": 1.5}),
    ("ones.default", {"size": (2,), "dtype": torch.int32}),
    ("linspace.default", {"start": 0, "end": 1, "steps": 5}),
    ("logspace.default", {"start": 0, "end": 1, "steps": 5}),
    ("eye.default", {"n": 3}),
    ("eye.m", {"n": 3, "m": 4, "dtype": torch.int64}),
    ("scalar_tensor.default", {"s": 2}),
    ("scalar_tensor.default", {"s": 2, "dtype": torch.int64}),
    ("empty.memory_format", {"size": (3, 1)}),
)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_calls_type_as_torch_does(name: str, arguments: dict[str, Any]) -> None:
    operator, overload = name.split(".")
    wanted: torch.Tensor = getattr(getattr(torch.ops.aten, operator), overload)(**arguments)
    attributes: dict[str, Attribute] = {
        key: str(value) if isinstance(value, torch.dtype) else value
        for key, value in {"dtype": None, **arguments}.items()
    }
    operation = Operation(f"aten.{name}", (), (), tuple(sorted(attributes.items())))
    assert BY_NAME[operation.name].typing(operation, ()) == (Sort(DTYPES[wanted.dtype], tuple(wanted.shape)),)


def test_a_range_of_symbolic_length_is_typed() -> None:
    b, t = symbol("B"), symbol("T")

    def typed(start: Extent, end: Extent) -> tuple[Sort, ...]:
        operation = Operation("aten.arange.start", (), (), (("dtype", None), ("end", end), ("start", start)))
        return BY_NAME[operation.name].typing(operation, ())

    assert typed(b, add(b, t)) == (Sort("I64", (t,)),)
    assert typed(0, b) == (Sort("I64", (b,)),)
    with pytest.raises(IllTyped):
        typed(add(b, t), b)
