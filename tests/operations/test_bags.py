"""Bags of rows: columns are carried, rows and bags are pinned."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import agree, said
from tests.operations.neutralising import check

NAME = "aten.embedding_bag.padding_idx"
SETTINGS = (("sum", {}), ("mean", {}), ("max", {}), ("sum", {"padding_idx": 2}), ("mean", {"padding_idx": 0}))


def numbered(x: torch.Tensor) -> torch.Tensor:
    return x.abs().mul(2).clamp(max=6).long()


@pytest.mark.parametrize(("mode", "options"), SETTINGS)
def test_columns_are_carried_and_rows_pinned(mode: str, options: dict[str, Any]) -> None:
    layers = nn.EmbeddingBag(7, 6, mode=mode, **options), nn.Linear(6, 3)
    found = check(lambda x, e, b: b(e(numbered(x))), *layers, shape=(5,), batch=False, knows=NAME)
    assert (found.free, found.approximate) == ((6,), ())
    (pin,) = found.pins("layers.0.weight", 0)
    assert pin == "its rows are looked up by number at layers.0 (embedding_bag.padding_idx)"


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("padding", [None, 1])
def test_typing_is_torchs(mode: int, padding: int | None) -> None:
    table, numbers, starts = torch.randn(5, 3), torch.randint(0, 5, (10,)), torch.tensor([0, 4, 7])
    agree(NAME, table, numbers, starts, False, mode, False, None, False, padding)
    agree(NAME, table.double(), numbers, starts, False, mode, False, None, False, padding)


def test_rows_may_be_scaled() -> None:
    table, numbers, starts = torch.randn(5, 3), torch.randint(0, 5, (10,)), torch.tensor([0, 4, 7])
    agree(NAME, table, numbers, starts, False, 0, False, torch.rand(10), False, None)


def test_calls_that_are_not_covered_are_ill_typed() -> None:
    table, numbers, starts = torch.randn(5, 3), torch.randint(0, 5, (10,)), torch.tensor([0, 10])
    for arguments in (
        (table, numbers, starts, False, 0, False, None, True, None),
        (table, numbers, starts, False, 0, False, torch.rand(9), False, None),
        (table, numbers.float(), starts, False, 0, False, None, False, None),
        (table[0], numbers, starts, False, 0, False, None, False, None),
    ):
        operation, sources = said(NAME, *arguments)
        with pytest.raises(IllTyped):
            BY_NAME[NAME].typing(operation, sources)
