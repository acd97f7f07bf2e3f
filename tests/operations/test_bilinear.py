"""Bilinear maps: both inputs and the outputs can be cut, and the cost is that of two contractions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surgdsl.operations import BY_NAME, cost
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import agree, said
from tests.operations.neutralising import check

NAME = "aten.bilinear.default"


@pytest.mark.parametrize("bias", [True, False])
def test_inputs_and_outputs_are_free(bias: bool) -> None:
    layers = nn.Linear(8, 6), nn.Linear(8, 5), nn.Bilinear(6, 5, 7, bias=bias), nn.Linear(7, 3)
    found = check(lambda x, a, b, c, d: d(c(a(x), b(x).exp()).relu()), *layers, shape=(4, 8), knows=NAME)
    assert (sorted(found.free), found.approximate) == ([5, 6, 7], ())


def test_a_vector_with_itself() -> None:
    found = check(lambda x, a, b: b(a(x), a(x)), nn.Linear(8, 6), nn.Bilinear(6, 6, 3), shape=(8,))
    assert (found.free, found.approximate) == ((6,), ())


def test_a_weight_that_is_computed_need_not_be_zero() -> None:
    class Computed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 6, 8))

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return nn.functional.bilinear(x, y, self.weight.sigmoid())

    found = check(lambda x, a, b: b(a(x).exp(), x), nn.Linear(8, 6), Computed(), shape=(8,))
    assert found.approximate == (6,)


@given(st.lists(st.integers(1, 3), max_size=3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_typing_is_torchs(rows: list[int], i: int, j: int, o: int, bias: bool) -> None:
    given_bias = (torch.randn(o),) if bias else ()
    agree(NAME, torch.randn(*rows, i), torch.randn(*rows, j), torch.randn(o, i, j), *given_bias)


def test_cost_is_that_of_two_contractions() -> None:
    x, z, w = torch.randn(2, 3, 5), torch.randn(2, 3, 4), torch.randn(7, 5, 4)
    operation, sources = said(NAME, x, z, w)
    written, terms = said("aten.einsum.default", "nti,oij,ntj->nto", [x, w, z])
    targets = BY_NAME[NAME].typing(operation, sources)
    assert targets == BY_NAME["aten.einsum.default"].typing(written, terms)
    assert cost(operation, sources, targets, {}) == cost(written, terms, targets, {})


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x, z, w = torch.randn(2, 5), torch.randn(2, 4), torch.randn(7, 5, 4)
    for tensors in ((z, x, w), (x[:1], z, w), (x, z, w, x[0]), (x, z.double(), w)):
        operation, sources = said(NAME, *tensors)
        with pytest.raises(IllTyped):
            BY_NAME[NAME].typing(operation, sources)
