"""Distances and angles: exact where both sides are zero, at a distance where one is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from surgdsl.operations import BY_NAME, cost
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import agree, said
from tests.operations.neutralising import check

Two = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
CASES: dict[str, tuple[Two, tuple[int, ...]]] = {
    "cdist": (torch.cdist, ()),
    "cdist by sums": (lambda x, y: torch.cdist(x, y, p=1.0), ()),
    "cdist to what is not zero": (lambda x, y: torch.cdist(x, y.sigmoid()), (6,)),
    "cosine_similarity": (lambda x, y: functional.cosine_similarity(x, y, dim=-1), ()),
    "cosine_similarity of every pair": (
        lambda x, y: functional.cosine_similarity(x.unsqueeze(1), y.unsqueeze(2), dim=3),
        (),
    ),
    "cosine_similarity with what is not zero": (lambda x, y: functional.cosine_similarity(x, y.exp(), dim=-1), (6,)),
    "pairwise_distance": (functional.pairwise_distance, (6,)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_length_of_vectors(name: str) -> None:
    function, approximate = CASES[name]
    knows = f"aten.{name.partition(' ')[0]}.default"
    found = check(lambda x, a, b: function(a(x), b(x)), nn.Linear(8, 6), nn.Linear(8, 6), shape=(5, 8), knows=knows)
    assert (found.free, found.approximate) == ((6,), approximate)


def test_rows_are_at_a_distance_even_where_they_are_zero() -> None:
    def between(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        return torch.cdist(x.transpose(1, 2), a(x).transpose(1, 2))

    read = check(lambda x, a, b: b(between(x, a)), nn.Linear(8, 6), nn.Linear(6, 4), shape=(5, 8))
    assert (read.free, read.approximate) == ((6,), ())
    summed = check(lambda x, a: between(x, a).sum(2), nn.Linear(8, 6), shape=(5, 8))
    assert (summed.free, summed.approximate) == ((6,), (6,))


def test_angles_with_zero_are_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        y = a(x).transpose(1, 2)
        return functional.cosine_similarity(y, torch.ones_like(y), dim=2).sum(1)

    found = check(function, nn.Linear(8, 6), shape=(5, 8))
    assert (found.free, found.approximate) == ((6,), ())


sizes = st.integers(1, 4)


@given(sizes, sizes, sizes, sizes, st.booleans())
def test_typing_is_torchs(batch: int, p: int, r: int, k: int, stretched: bool) -> None:
    x, y = torch.randn(batch, p, k), torch.randn(1 if stretched else batch, r, k)
    agree("aten.cdist.default", x, y)
    agree("aten.cdist.default", x, y[0], 1.0)
    other = torch.randn(*(() if stretched else (batch,)), 1, k)
    for dim in (0, 1, 2, -1):
        agree("aten.cosine_similarity.default", x, other, dim)
    for keep in (False, True):
        agree("aten.pairwise_distance.default", x, other, 2.0, 1e-6, keep)


def test_every_pair_costs_as_a_product_of_matrices() -> None:
    x, y = torch.randn(2, 3, 5), torch.randn(2, 4, 5)
    for name, tensors, macs in (
        ("aten.cdist.default", (x, y), 2 * 3 * 4 * 5),
        ("aten.cosine_similarity.default", (x, x[:, :1]), 2 * 3 * 5),
    ):
        operation, sources = said(name, *tensors)
        assert cost(operation, sources, BY_NAME[name].typing(operation, sources), {}) == macs


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x = torch.randn(2, 3, 5)
    for name, tensors in (
        ("aten.cdist.default", (x, x[..., :4])),
        ("aten.cdist.default", (x, x.double())),
        ("aten.cdist.default", (x, x[0, 0])),
        ("aten.cosine_similarity.default", (x, x, 3)),
        ("aten.pairwise_distance.default", (x.long(), x.long())),
    ):
        operation, sources = said(name, *tensors)
        with pytest.raises(IllTyped):
            BY_NAME[name].typing(operation, sources)
