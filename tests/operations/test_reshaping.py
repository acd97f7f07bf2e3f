"""Reshaping across a batch that is left open: parts are found by dividing sizes that have symbols in them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.axis.extent import add, multiply, symbol
from surgdsl.operations.reshaping import quotient
from tests.operations.neutralising import check

B, T = symbol("B"), symbol("T")


def test_heads_that_are_put_beside_the_batch_keep_their_width() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        tokens_first = a(x).transpose(0, 1).contiguous()
        heads = tokens_first.view(5, x.size(0) * 2, 3).transpose(0, 1)
        found = torch.bmm(torch.bmm(heads, heads.transpose(1, 2)), heads).transpose(0, 1)
        return b(found.reshape(5, x.size(0), 6)).transpose(0, 1)

    found = check(function, nn.Linear(8, 6), nn.Linear(6, 4), shape=(5, 8))
    assert (found.free, found.approximate) == ((3,), ())
    assert "symbolic" in found.pins("layers.0.weight", 0)[0]


@pytest.mark.parametrize("batch", [True, False])
def test_attention_keeps_the_width_of_its_heads(batch: bool) -> None:
    layers = nn.Linear(8, 6), nn.MultiheadAttention(6, 2, batch_first=True), nn.Linear(6, 4)

    def function(x: torch.Tensor, a: nn.Module, b: nn.Module, c: nn.Module) -> torch.Tensor:
        y = a(x)
        return c(b(y, y, y, need_weights=False)[0])

    found = check(function, *layers, shape=(5, 8), batch=batch)
    assert {6, 3} <= set(found.free)
    assert found.approximate == ()


def test_sizes_that_divide_each_other_for_every_batch() -> None:
    assert quotient(multiply(B, 6), multiply(B, 2)) == 3
    assert quotient(multiply(multiply(B, T), 6), multiply(B, 3)) == multiply(T, 2)
    assert quotient(multiply(B, add(multiply(T, 2), 4)), multiply(B, 2)) == add(T, 2)
    assert quotient(B, B) == 1
    assert quotient(12, 4) == 3


@pytest.mark.parametrize(
    ("extent", "by"), [(multiply(B, 6), 4), (B, T), (6, B), (multiply(B, B), add(B, 1)), (add(multiply(B, 2), 1), 2)]
)
def test_sizes_that_do_not(extent: object, by: object) -> None:
    assert isinstance(extent, int | type(B))
    assert isinstance(by, int | type(B))
    assert quotient(extent, by) is None
