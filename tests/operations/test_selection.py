"""Selection: what is picked from is pinned, what lies beside it is carried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations.selection import GATHER, INDEX, INDEX_SELECT, RANKED, SELECT
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import check

Function = Callable[[torch.Tensor], torch.Tensor]
PICKS = torch.tensor([2, 0, 1, 5])
GRID = torch.tensor([[0, 3, 1], [5, 2, 2]])

BESIDE: dict[str, tuple[str, Function]] = {
    "select": ("aten.select.int", lambda h: h[:, :, 2].unsqueeze(-1)),
    "select from the end": ("aten.select.int", lambda h: h[..., -1].unsqueeze(-1)),
    "index": ("aten.index.Tensor", lambda h: h[:, :, PICKS]),
    "index by a matrix": ("aten.index.Tensor", lambda h: h[:, :, GRID].flatten(3)),
    "index by two that broadcast": ("aten.index.Tensor", lambda h: h[:, :, PICKS[:, None], PICKS[:3]]),
    "index by two in a row": ("aten.index.Tensor", lambda h: h[:, :, PICKS, PICKS].unsqueeze(-1)),
    "index_select": ("aten.index_select.default", lambda h: h.index_select(2, PICKS)),
    "gather": ("aten.gather.default", lambda h: h.gather(2, h.argsort(2))),
    "gather less": ("aten.gather.default", lambda h: h.gather(2, h.argsort(2)[:, :, :, :3])),
    "sort": ("aten.sort.default", lambda h: h.sort(2)[0]),
    "sort stably": ("aten.sort.stable", lambda h: torch.sort(h, dim=3, stable=True)[0]),
    "topk": ("aten.topk.default", lambda h: h.topk(3, 2)[0]),
    "argsort": ("aten.argsort.default", lambda h: h + h.argsort(2)[:, :, :6].to(torch.float32)),
}
WITHIN: dict[str, Function] = {
    "index": lambda h: h[:, torch.tensor([2, 0, 1, 5, 7, 7, 3, 4])],
    "index_select": lambda h: h.index_select(1, torch.tensor([2, 0, 1, 5, 7, 7, 3, 4])),
    "sort": lambda h: h.sort(1)[0],
    "topk": lambda h: h.topk(8, 1)[0],
    "gather": lambda h: h.gather(1, h.argsort(1)),
    "gather in front": lambda h: h.gather(1, h[:, :4].argsort(1).repeat(1, 2, 1, 1)),
    "select": lambda h: h[:, 3].unsqueeze(1).expand(-1, 8, -1, -1),
}


@pytest.mark.parametrize("name", BESIDE)
def test_channels_are_carried_beside_it(name: str) -> None:
    operator, function = BESIDE[name]
    found = check(lambda x, a, b: b(function(a(x))), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), knows=operator)
    assert 8 in found.free


@pytest.mark.parametrize("name", WITHIN)
def test_channels_that_are_picked_from_are_pinned(name: str) -> None:
    function = WITHIN[name]
    found = check(lambda x, a, b: b(function(a(x))), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1))
    assert found.pins("layers.0.weight", 0)


def test_indices_that_are_no_neighbours_come_first() -> None:
    found = check(lambda x, a, b: b(a(x)[PICKS % 3, :, :, PICKS]), nn.Conv2d(3, 8, 3), nn.Linear(6, 4), batch=False)
    assert "aten.index.Tensor" in found.calls


def test_rows_of_a_table_are_pinned_and_its_columns_carried() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(7, 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.table[GRID.flatten()]

    found = check(lambda x, a, t, b: b(t(a(x))), nn.Linear(3, 6), Table(), nn.Linear(6, 4), shape=(6, 3))
    assert found.free == (6,)
    assert "positions are picked from it" in found.pins("layers.1.table", 0)[0]


def test_a_scaled_table_contracts_only_over_what_is_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        left, right = a(x).sigmoid(), b(x).sigmoid()
        return torch.matmul(left[:, PICKS], right[:, PICKS].transpose(1, 2))

    assert check(function, nn.Linear(3, 8), nn.Linear(3, 8), shape=(6, 3)).approximate == (8,)


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x, truth, picks = Sort("F32", (2, 3)), Sort("BOOL", (2, 3)), Sort("I64", (4,))
    attributes = (("dim", 1), ("index", 3), ("k", 4), ("indices", Tensors(1)))
    operation = Operation("aten.op", (), (), attributes)
    cases = ((SELECT, (x,)), (INDEX, (x, truth)), (INDEX_SELECT, (x, truth)), (GATHER, (x, picks)), (RANKED, (x,)))
    for signature, sources in cases:
        with pytest.raises(IllTyped):
            signature.typing(operation, sources)
