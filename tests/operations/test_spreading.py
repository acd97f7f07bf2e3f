"""Spreading: copies are an axis of their own, and the counts in the call follow."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.axis.extent import multiply, symbol
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import IllTyped
from surgdsl.operations.spreading import EXPAND, INTERLEAVE, REPEAT
from tests.operations.neutralising import Map, check

COPIES: dict[str, tuple[str, Map]] = {
    "expand": ("aten.expand.default", lambda h: h.unsqueeze(2).expand(-1, 4, 3, 6, 6).flatten(1, 2)),
    "repeat": ("aten.repeat.default", lambda h: h.repeat(1, 3, 1, 1)),
    "tile": ("aten.tile.default", lambda h: h.tile(3, 1, 1)),
    "repeat_interleave": ("aten.repeat_interleave.self_int", lambda h: h.repeat_interleave(3, 1)),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_and_what_is_copied_are_both_free(name: str) -> None:
    operator, function = COPIES[name]
    layers = nn.Conv2d(3, 4, 3), nn.Conv2d(12, 4, 1)
    assert check(lambda x, a, b: b(function(a(x))), *layers, knows=operator).free == (4, 3)


@pytest.mark.parametrize("name", COPIES)
def test_copies_meet_what_is_not_copied(name: str) -> None:
    _, function = COPIES[name]
    layers = nn.Conv2d(3, 4, 3), nn.Conv2d(12, 4, 1), nn.Conv2d(3, 12, 3)
    assert sorted(check(lambda x, a, b, c: b(function(a(x)) + c(x)), *layers).free) == [3, 4]


def test_a_gate_of_one_channel_is_stretched() -> None:
    layers = nn.Conv2d(3, 1, 3), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1)
    assert check(lambda x, a, b, c: c(a(x).expand(-1, 8, -1, -1) * b(x)), *layers).free == (8,)


def test_a_token_for_each_sample() -> None:
    class Token(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.randn(1, 1, 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            expanded, repeated = self.token.expand(x.shape[0], -1, -1), self.token.repeat(x.shape[0], 2, 1)
            return torch.cat([expanded, x, repeated], 1)

    found = check(lambda x, a, t, b: b(t(a(x))), nn.Linear(3, 6), Token(), nn.Linear(6, 4), shape=(5, 3))
    assert found.free == (6,)


def test_queries_in_groups_share_keys() -> None:
    def attend(x: torch.Tensor, *layers: nn.Module) -> torch.Tensor:
        q, k, v = (layer(x).unflatten(2, (-1, 4)).transpose(1, 2) for layer in layers[:3])
        k, v = k.repeat_interleave(3, 1), v.repeat_interleave(3, 1)
        return layers[3](nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    layers = nn.Linear(6, 24), nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(24, 4)
    assert sorted(check(attend, *layers, shape=(5, 6)).free) == [2, 3, 4, 4]


def test_a_sum_over_copies_that_nothing_makes_zero_is_only_approximate() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        return torch.matmul(a(x).repeat_interleave(2, 2), b(x).sigmoid().transpose(1, 2))

    assert 2 in check(function, nn.Linear(3, 3), nn.Linear(3, 6), shape=(5, 3)).approximate


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x = Sort("F32", (3, 1))
    for sizes in ((3,), (4, 1), (-1, 3, 1)):
        with pytest.raises(IllTyped):
            EXPAND.typing(Operation("aten.expand.default", (), (), (("size", sizes),)), (x,))
    with pytest.raises(IllTyped):
        REPEAT.typing(Operation("aten.repeat.default", (), (), (("repeats", (2,)),)), (x,))


def test_a_batch_laid_flat_is_typed() -> None:
    long = Operation("aten.repeat_interleave.self_int", (), (), (("dim", None), ("output_size", None), ("repeats", 2)))
    assert INTERLEAVE.typing(long, (Sort("F32", (symbol("B"), 3)),)) == (Sort("F32", (multiply(symbol("B"), 6),)),)
