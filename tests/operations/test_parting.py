"""Parting and stacking: pieces refine a dim, stacks tie."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgdsl.axis.extent import multiply, symbol
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.parting import SPLIT, UNBIND
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import check


def test_pieces_are_cut_by_themselves() -> None:
    found = check(
        lambda x, a, b: b(torch.cat(torch.split(a(x), [3, 5], 1)[::-1], 1)),
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(8, 4, 1),
        knows="aten.split_with_sizes.default",
    )
    assert found.free == (3, 5)


def test_queries_and_keys_are_one_axis_and_values_another() -> None:
    def attend(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        q, k, v = torch.split(a(x), [8, 8, 8], -1)
        return b(nn.functional.scaled_dot_product_attention(q, k, v))

    found = check(attend, nn.Linear(6, 24), nn.Linear(8, 4), shape=(5, 6))
    assert found.free == (8, 8)


def test_heads_that_are_unbound_keep_their_axes() -> None:
    def attend(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        q, k, v = a(x).unflatten(2, (3, 2, 4)).permute(2, 0, 3, 1, 4).unbind(0)
        return b(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    found = check(attend, nn.Linear(6, 24), nn.Linear(8, 4), shape=(5, 6), knows="aten.unbind.int")
    assert found.free == (2, 4)


def test_what_is_taken_apart_is_pinned() -> None:
    found = check(
        lambda x, a, b: b(torch.stack(a(x).unbind(1), 1)),
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(8, 4, 1),
        knows="aten.stack.default",
    )
    assert found.free == ()
    assert "each of its indices goes its own way" in found.pins("layers.0.weight", 0)[0]


def test_a_stack_beside_the_channels_is_a_product_with_them() -> None:
    found = check(
        lambda x, a, b: b(torch.stack([a(x), a(x).relu()], 2).flatten(1, 2)), nn.Conv2d(3, 8, 1), nn.Conv2d(16, 4, 1)
    )
    assert found.free == (8,)


def test_pieces_along_a_symbolic_dimension_are_typed() -> None:
    b = symbol("B")
    operation = Operation("aten.split_with_sizes.default", ("x",), ("y", "z"), (("dim", 0), ("split_sizes", (b, b))))
    x = Sort("F32", (multiply(b, 2), 3))
    assert SPLIT.typing(operation, (x,)) == (Sort("F32", (b, 3)),) * 2
    with pytest.raises(IllTyped):
        SPLIT.typing(operation, (Sort("F32", (b, 3)),))
    with pytest.raises(IllTyped):
        UNBIND.typing(Operation("aten.unbind.int", ("x",), (), (("dim", 0),)), (x,))
