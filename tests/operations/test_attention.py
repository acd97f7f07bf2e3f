"""Attention: heads and widths are cut, the scale stays, positions that a causal mask counts are pinned."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import sdpa_flop_count

from surgdsl.diagram.sort import Sort
from surgdsl.operations.attention import ATTENTION
from surgdsl.operations.signature import Cut, IllTyped
from tests.operations.calling import agree, said
from tests.operations.neutralising import check

NAME = "aten.scaled_dot_product_attention.default"
Attend = torch.nn.functional.scaled_dot_product_attention


def heads(y: torch.Tensor, count: int) -> torch.Tensor:
    return y.unflatten(2, (count, -1)).transpose(1, 2)


def attention(x: torch.Tensor, q: Any, k: Any, v: Any, o: Any, *, shared: int = 4, **settings: Any) -> torch.Tensor:
    found = Attend(heads(q(x), 4), heads(k(x), shared), heads(v(x), shared), **settings)
    return o(found.transpose(1, 2).flatten(2))


def layers(shared: int = 4, width: int = 3) -> tuple[nn.Linear, ...]:
    return nn.Linear(8, 20), nn.Linear(8, 5 * shared), nn.Linear(8, width * shared), nn.Linear(4 * width, 6)


MASK = torch.linspace(-2, 2, 25).reshape(5, 5)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mask": {"attn_mask": MASK},
    "mask of truth values": {"attn_mask": MASK > -1.9},
    "mask of one row": {"attn_mask": MASK[:1]},
    "causal": {"is_causal": True},
    "scale": {"scale": 0.3},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_heads_and_widths_are_free(name: str) -> None:
    def function(x: torch.Tensor, *given: nn.Module) -> torch.Tensor:
        return attention(x, *given, **SETTINGS[name])

    found = check(function, *layers(), shape=(5, 8), knows=NAME)
    assert (sorted(found.free), found.approximate) == ([3, 4, 5], ())


def test_grouped_queries() -> None:
    def function(x: torch.Tensor, *given: nn.Module) -> torch.Tensor:
        return attention(x, *given, shared=2, enable_gqa=True)

    found = check(function, *layers(2), shape=(5, 8), knows=NAME)
    assert (sorted(found.free), found.approximate) == ([2, 2, 3, 5], ())


def test_grouped_queries_with_as_many_keys() -> None:
    def function(x: torch.Tensor, *given: nn.Module) -> torch.Tensor:
        return attention(x, *given, enable_gqa=True).square().sum(2)

    found = check(function, *layers()[:3], nn.Linear(12, 12, bias=False), shape=(5, 8))
    assert sorted(found.free) == [3, 4, 5, 12]


def test_values_of_a_group_are_no_zero_for_a_head_that_only_queries_tell_apart() -> None:
    def function(x: torch.Tensor, q: Any, k: Any, v: Any) -> torch.Tensor:
        found = Attend(heads(q(x), 4), heads(k(x), 2), heads(v(x), 2), enable_gqa=True)
        return found.sum(1)

    found = check(function, *layers(2)[:3], shape=(5, 8))
    assert sorted(found.approximate) == [2, 2]


def test_keys_repeated_by_hand() -> None:
    def function(x: torch.Tensor, q: Any, k: Any, v: Any, o: Any) -> torch.Tensor:
        def repeated(y: torch.Tensor) -> torch.Tensor:
            return heads(y, 2)[:, :, None].expand(-1, 2, 2, -1, -1).flatten(1, 2)

        return o(Attend(heads(q(x), 4), repeated(k(x)), repeated(v(x))).transpose(1, 2).flatten(2))

    found = check(function, *layers(2), shape=(5, 8))
    assert (sorted(found.free), found.approximate) == ([2, 2, 3, 5], ())


def test_keys_are_normalised_over() -> None:
    def function(x: torch.Tensor, k: Any, v: Any) -> torch.Tensor:
        return Attend(x, k(x.mT).mT, v(x.mT).mT)

    found = check(function, nn.Linear(5, 7), nn.Linear(5, 7), shape=(5, 8))
    assert (found.free, found.approximate) == ((7,), (7,))


def test_queries_of_their_own_are_carried_and_are_no_zero() -> None:
    def function(x: torch.Tensor, q: Any, o: Any) -> torch.Tensor:
        return o(Attend(q(x.mT).mT, x, x).mT)

    assert check(function, nn.Linear(5, 7), nn.Linear(7, 3), shape=(5, 8)).approximate == ()

    def summed(x: torch.Tensor, q: Any) -> torch.Tensor:
        return Attend(q(x.mT).mT, x, x).sum(1)

    assert check(summed, nn.Linear(5, 7), shape=(5, 8)).approximate == (7,)


def test_a_causal_mask_pins_what_it_counts() -> None:
    def function(x: torch.Tensor, q: Any, k: Any) -> torch.Tensor:
        return Attend(q(x.mT).mT, k(x.mT).mT, k(x.mT).mT, is_causal=True).sum(1)

    found = check(function, nn.Linear(5, 7), nn.Linear(5, 7), shape=(5, 8))
    assert found.free == ()
    assert found.pins("layers.0.weight", 0) == (
        "a causal mask counts its positions at model (scaled_dot_product_attention)",
    )


def test_a_product_of_what_is_not_zero_is_approximate() -> None:
    def function(x: torch.Tensor, q: Any, k: Any) -> torch.Tensor:
        return Attend(q(x).exp(), k(x).sigmoid(), x)

    assert check(function, nn.Linear(8, 6), nn.Linear(8, 6), shape=(5, 8)).approximate == (6,)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(2, 4))
def test_typing_is_torchs(batch: int, shared: int, groups: int, queries: int, keys: int, width: int) -> None:
    q = torch.randn(batch, shared * groups, queries, width)
    k, v = torch.randn(batch, shared, keys, width), torch.randn(batch, shared, keys, width + 1)
    agree(NAME, q, k, v, enable_gqa=True)
    agree(NAME, q[:, :shared], k, v, torch.zeros(queries, keys))
    agree(NAME, q[0, 0], k[0, 0], v[0, 0])


def test_cost_is_half_of_what_torch_counts() -> None:
    q, k, v = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 6, 5), torch.randn(2, 3, 6, 7)
    operation, sources = said(NAME, q, k, v)
    counted = int(str(sdpa_flop_count(q.shape, k.shape, v.shape)))
    assert 2 * ATTENTION.cost(operation, sources, ATTENTION.typing(operation, sources), {}) == counted


def test_the_scale_is_written_out_when_the_width_shrinks() -> None:
    operation, before = said(NAME, *(torch.randn(2, 3, 4, 5) for _ in range(3)))
    after = tuple(Sort(sort.dtype, (*sort.shape[:-1], 2)) for sort in before)
    attributes = dict(ATTENTION.retune(Cut(operation, after, after[:1], ((None,) * 4,) * 3, before)))
    assert attributes["scale"] == pytest.approx(1 / math.sqrt(5))
    said_so, _ = said(NAME, *(torch.randn(2, 3, 4, 5) for _ in range(3)), scale=0.7)
    assert dict(ATTENTION.retune(Cut(said_so, after, after[:1], ((None,) * 4,) * 3, before)))["scale"] == 0.7


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    q, k = torch.randn(2, 4, 5, 6), torch.randn(2, 3, 5, 6)
    wrong = [
        said(NAME, q, q, q, dropout_p=0.5),
        said(NAME, q, k, k),
        said(NAME, q, k, k, enable_gqa=True),
        said(NAME, q, q[..., :5], q),
        said(NAME, q, q[:, :, :4], q),
        said(NAME, q, q, q, torch.zeros(1, 2, 4, 5, 5)),
        said(NAME, q, q, q, torch.zeros(5, 6)),
        said(NAME, q[0, 0], q[0, 0], q[0, 0], enable_gqa=True),
        said(NAME, q[0, 0, 0], q[0, 0, 0], q[0, 0, 0]),
    ]
    for operation, sources in wrong:
        with pytest.raises(IllTyped):
            ATTENTION.typing(operation, sources)
