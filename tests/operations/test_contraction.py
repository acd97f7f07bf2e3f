"""Contractions: letters that line up are tied, sums over activations are exact where a factor is zero."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surgdsl.axis.extent import symbol
from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME
from surgdsl.operations.contraction import CONTRACTION, pattern
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import Two, agree, said
from tests.operations.neutralising import check

PRODUCTS: dict[str, tuple[str, Two, tuple[int, ...]]] = {
    "gram": ("aten.matmul.default", lambda q, k: q @ k.transpose(1, 2), ()),
    "bmm": ("aten.bmm.default", lambda q, k: torch.bmm(q, k.transpose(1, 2)), ()),
    "baddbmm": ("aten.baddbmm.default", lambda q, k: torch.baddbmm(q.sum(2).unsqueeze(2), q, k.mT), ()),
    "einsum": ("aten.einsum.default", lambda q, k: torch.einsum("bij,bkj->bik", q, k), ()),
    "einsum with dots": ("aten.einsum.default", lambda q, k: torch.einsum("...ij,...kj->...ik", q, k), ()),
    "einsum without arrow": ("aten.einsum.default", lambda q, k: torch.einsum("bij,bkj", q, k).sum(), ()),
    "with one that is not zero": (
        "aten.matmul.default",
        lambda q, k: q @ k.sigmoid().transpose(1, 2),
        (),
    ),
    "of none that is zero": ("aten.matmul.default", lambda q, k: q.exp() @ k.sigmoid().transpose(1, 2), (6,)),
    "sum of one that is not zero": ("aten.einsum.default", lambda q, k: torch.einsum("bij->bi", (q + k).exp()), (6,)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_width_of_a_product_of_activations(name: str) -> None:
    operator, function, approximate = PRODUCTS[name]
    layers = nn.Linear(8, 6), nn.Linear(8, 6)
    found = check(lambda x, a, b: function(a(x), b(x)), *layers, shape=(5, 8), knows=operator)
    assert (found.free, found.approximate) == ((6,), approximate)


def test_three_factors() -> None:
    layers = nn.Linear(8, 6), nn.Linear(8, 6), nn.Linear(6, 4)
    found = check(lambda x, a, b, c: c(torch.einsum("bij,bkj,bkc->bic", a(x), b(x), a(x))), *layers, shape=(5, 8))
    assert (found.free, found.approximate) == ((6,), ())


@pytest.mark.parametrize("operator", ["addmm", "mm", "mv", "matmul", "dot"])
def test_a_weight_that_is_multiplied_by_hand(operator: str) -> None:
    def function(x: torch.Tensor, a: Any, b: Any, c: Any) -> torch.Tensor:
        if operator == "addmm":
            return c(torch.addmm(b.bias, torch.addmm(a.bias, x, a.weight.t()).relu(), b.weight.t()))
        if operator == "mm":
            return c(torch.mm(torch.mm(x, a.weight.t()).relu(), b.weight.t()))
        if operator == "mv":
            return x.sum() * torch.mv(b.weight, a.weight.sum(1)).sum()
        if operator == "dot":
            return x.sum() * torch.dot(a.bias, b.weight.sum(0))
        return c(torch.matmul(b.weight, torch.matmul(a.weight, x.unsqueeze(2)).relu()).squeeze(2))

    layers = nn.Linear(8, 6), nn.Linear(6, 5), nn.Linear(5, 3)
    found = check(function, *layers, shape=(8,), knows=f"aten.{operator}.default")
    assert 6 in found.free
    assert found.approximate == ()


def test_an_addend_that_is_not_the_weights_own_is_no_zero() -> None:
    def function(x: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        return torch.addmm(b(x).sum(1, keepdim=True), x, a.weight.t()).sum(1)

    assert 6 in check(function, nn.Linear(8, 6), nn.Linear(8, 4), shape=(8,)).approximate


def test_an_outer_product_is_zero_along_each_factor_that_is() -> None:
    layers = nn.Linear(8, 6), nn.Linear(8, 4)
    zero = check(lambda x, a, b: torch.einsum("bi,bj->bij", a(x), b(x)).sum((1, 2)), *layers, shape=(8,))
    assert (zero.free, zero.approximate) == ((6, 4), ())
    other = check(lambda x, a, b: torch.einsum("bi,bj->bij", a(x), b(x).exp()).sum((1, 2)), *layers, shape=(8,))
    assert 4 in other.approximate


def test_a_square_of_one_axis() -> None:
    layers = nn.Linear(8, 4), nn.Linear(16, 3)
    found = check(lambda x, a, b: b(torch.einsum("bi,bj->bij", a(x), a(x).sigmoid()).flatten(1)), *layers, shape=(8,))
    assert (found.free, found.approximate) == ((4,), ())


def test_a_diagonal() -> None:
    layers = nn.Linear(8, 6), nn.Linear(8, 6), nn.Linear(6, 3)
    found = check(
        lambda x, a, b, c: c(torch.einsum("bii->bi", torch.einsum("bi,bj->bij", a(x), b(x)))), *layers, shape=(8,)
    )
    assert (found.free, found.approximate) == ((6,), ())


shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


@given(shapes, st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_typing_of_matrix_products_is_torchs(
    sizes: tuple[int, int, int, int, int], left: int, right: int, stretched: bool
) -> None:
    first, second, i, k, j = sizes
    a = ((first, second, i, k))[4 - left :]
    batch = (1, second) if stretched else (first, 1)
    b = (k,) if right == 1 else (*batch, k, j)[4 - right :]
    if left == right == 4 or min(left, right) < 3:
        agree("aten.matmul.default", torch.randn(a), torch.randn(b))
    agree("aten.bmm.default", torch.randn(first, i, k), torch.randn(first, k, j))
    agree("aten.addmm.default", torch.randn(j), torch.randn(i, k), torch.randn(k, j))
    agree("aten.baddbmm.default", torch.randn(1, j), torch.randn(first, i, k), torch.randn(first, k, j), beta=0.5)


EQUATIONS = [
    "ij,jk->ik",
    "ij,jk",
    "bij,bjk->b",
    "i,j->ij",
    "bii->bi",
    "ij->",
    "...i,...i->...",
    "...i,ij->...j",
    "ab,cb,cd->ad",
]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_typing_of_einsum_is_torchs(equation: str) -> None:
    sizes = dict(zip("ijkabcd", (2, 3, 4, 5, 2, 3, 4), strict=True))
    terms = equation.partition("->")[0].replace("...", "ab").split(",")
    agree("aten.einsum.default", equation, [torch.randn(*(sizes[letter] for letter in term)) for term in terms])


@pytest.mark.parametrize("equation", ["ij,jk->ik", "bij,bkj->bik", "bhld,bhsd->bhls", "ij,ij->i", "i,ij->j"])
def test_cost_of_two_factors_is_half_of_what_torch_counts(equation: str) -> None:
    sizes = dict(zip("ijkbhlds", (2, 3, 4, 5, 2, 3, 4, 6), strict=True))
    terms = equation.partition("->")[0].split(",")
    tensors = [torch.randn(*(sizes[letter] for letter in term)) for term in terms]
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.einsum(equation, *tensors)
    operation, sources = said("aten.einsum.default", equation, tensors)
    targets = CONTRACTION.typing(operation, sources)
    assert 2 * CONTRACTION.cost(operation, sources, targets, {}) == counter.get_total_flops()


def test_cost_of_more_factors_is_that_of_pairs() -> None:
    a, b, c = torch.randn(2, 3), torch.randn(3, 4), torch.randn(4, 5)
    costs: list[int] = []
    for path in (None, [1, 2, 0, 1]):
        operation, sources = said("aten.einsum.default", "ij,jk,kl->il", [a, b, c], path=path)
        costs.append(CONTRACTION.cost(operation, sources, CONTRACTION.typing(operation, sources), {}))
    assert costs == [2 * 3 * 4 + 2 * 4 * 5, 3 * 4 * 5 + 2 * 3 * 5]


def test_cost_of_what_sums_nothing_is_nothing() -> None:
    operation, sources = said("aten.outer.default", torch.randn(3), torch.randn(4))
    assert CONTRACTION.cost(operation, sources, CONTRACTION.typing(operation, sources), {}) == 0


def test_cost_of_matrix_products_is_half_of_what_torch_counts() -> None:
    def function(x: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        q = torch.addmm(a.bias, x.flatten(0, 1), a.weight.t()).view(-1, 5, 6)
        return torch.baddbmm(q, torch.bmm(q, q.mT), q) @ b.weight.t()

    found = check(function, nn.Linear(8, 6), nn.Linear(6, 4), shape=(5, 8), batch=False)
    assert 2 * found.macs({}) == found.counted(torch.randn(5, 5, 8))


def test_symbolic_sizes() -> None:
    batch = symbol("B")
    operation = Operation("aten.matmul.default", (), ())
    assert CONTRACTION.typing(operation, (Sort("F32", (batch, 2, 3)), Sort("F32", (3, 4)))) == (
        Sort("F32", (batch, 2, 4)),
    )


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    matmul, addmm = Operation("aten.matmul.default", (), ()), Operation("aten.addmm.default", (), ())
    a, b = Sort("F32", (2, 3)), Sort("F32", (3, 4))
    wrong = [
        (matmul, (b, a)),
        (matmul, (a, Sort("F64", (3, 4)))),
        (matmul, (a, Sort("F32", ()))),
        (matmul, (Sort("F32", (2, 1)), b)),
        (addmm, (Sort("F32", (5,)), a, b)),
        (addmm, (Sort("F32", (1, 2, 4)), a, b)),
        (addmm, (Sort("F32", (4,)), Sort("F32", (1, 2, 3)), b)),
    ]
    for operation, sources in wrong:
        with pytest.raises(IllTyped):
            CONTRACTION.typing(operation, sources)
    for equation in ("ij,jk,kl->il", "i2,jk->ik"):
        einsum = Operation(
            "aten.einsum.default", (), (), (("equation", equation), ("path", None), ("tensors", Tensors(2)))
        )
        with pytest.raises(IllTyped):
            pattern(einsum, (a, b))


def test_every_name_is_known() -> None:
    assert all(BY_NAME[name] is CONTRACTION for name in CONTRACTION.names)
