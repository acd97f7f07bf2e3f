"""Aggregation, extremes and scans: exact where zeros do not count, else approximate, pinned where places count."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from surgdsl.axis.extent import symbol
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import One, agree, said
from tests.operations.neutralising import Checked, check


def around(function: One, operator: str) -> Checked:
    """A layer before, and one behind wherever channels are left, so that they do not reach the output."""

    def whole(x: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        y = function(a(x))
        if y.dim() < 3 or y.shape[1] != 8:
            return y * b.bias[0] if y.dim() else y * x
        return b(y if y.dim() == 4 else y.unsqueeze(3))

    return check(whole, nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1), shape=(3, 6, 6), knows=operator)


EXACT: dict[str, tuple[str, One]] = {
    "sum of channels": ("aten.sum.dim_IntList", lambda h: h.sum(1)),
    "sum kept": ("aten.sum.dim_IntList", lambda h: h.sum((1, 2), keepdim=True) * h),
    "sum of all": ("aten.sum.default", lambda h: h.sum()),
    "norm of channels": ("aten.linalg_vector_norm.default", lambda h: h.norm(dim=1)),
    "largest magnitude": ("aten.linalg_vector_norm.default", lambda h: torch.linalg.vector_norm(h, torch.inf, dim=1)),
    "normalised": ("aten.linalg_vector_norm.default", lambda h: F.normalize(h, dim=1).sum(1)),
    "any": ("aten.any.dim", lambda h: (h > 1.5).any(1) * h.sum(1)),
    "any of two": ("aten.any.dims", lambda h: torch.any(h > 1.5, (1, 2)) * h.sum((1, 2))),
    "running sum of channels": ("aten.cumsum.default", lambda h: h.cumsum(1)),
    "running sum of rows": ("aten.cumsum.default", lambda h: h.cumsum(2).sum(1)),
    "sum of rows": ("aten.sum.dim_IntList", lambda h: h.sum(2).sum(1)),
    "spread of rows": ("aten.std.correction", lambda h: torch.std(h, (2, 3), correction=0).sum(1)),
    "spread and mean of rows": ("aten.var_mean.correction", lambda h: torch.var_mean(h, (2,), correction=0)[0]),
    "product of rows": ("aten.prod.dim_int", lambda h: h.prod(2)),
    "largest of rows": ("aten.max.dim", lambda h: h.max(2)[0]),
    "smallest of rows": ("aten.amin.default", lambda h: h.amin((2,))),
    "place in rows": ("aten.argmax.default", lambda h: h.argmax(2) * 0.5 + h[:, :, 0]),
    "differences of rows": ("aten.diff.default", lambda h: torch.diff(h, dim=2).sum(1)),
    "exponentials of rows": ("aten.logsumexp.default", lambda h: h.logsumexp(2)),
}


@pytest.mark.parametrize("name", EXACT)
def test_zeros_do_not_count(name: str) -> None:
    operator, function = EXACT[name]
    found = around(function, operator)
    assert (8 in found.free, found.approximate) == (True, ())


APPROXIMATE: dict[str, tuple[str, One]] = {
    "mean of all": ("aten.mean.default", lambda h: h.square().mean()),
    "variance": ("aten.var.correction", lambda h: torch.var(h, (1,), correction=0)),
    "largest": ("aten.amax.default", lambda h: h.amax(1)),
    "smallest": ("aten.amin.default", lambda h: h.amin((1, 2))),
    "largest of all": ("aten.max.default", lambda h: h.max()),
    "product": ("aten.prod.dim_int", lambda h: h.prod(1)),
    "exponentials": ("aten.logsumexp.default", lambda h: h.logsumexp(1)),
    "smallest magnitude": ("aten.linalg_vector_norm.default", lambda h: torch.linalg.vector_norm(h, -1.0, dim=1)),
    "all": ("aten.all.dim", lambda h: (h > -1).all(1) * h.sum(1)),
    "sum of what is not zero": ("aten.sum.dim_IntList", lambda h: h.exp().sum(1)),
    "norm of what is not zero": ("aten.linalg_vector_norm.default", lambda h: h.exp().norm(dim=1)),
    "any of what is not zero": ("aten.any.dim", lambda h: (h < 0.1).any(1) * h.sum(1)),
    "running sum of what is not zero": ("aten.cumsum.default", lambda h: h.exp().cumsum(1)),
    "sum along a running sum": ("aten.cumsum.default", lambda h: h.cumsum(1).sum(1)),
    "sum of largest exponentials": ("aten.logsumexp.default", lambda h: h.logsumexp(2).sum(1)),
}


@pytest.mark.parametrize("name", APPROXIMATE)
def test_zeros_count(name: str) -> None:
    operator, function = APPROXIMATE[name]
    assert 8 in around(function, operator).approximate


PINNED: dict[str, tuple[str, One, str]] = {
    "place": ("aten.argmax.default", lambda h: h.argmax(1) * 0.5, "a position along it is a result"),
    "place in all": ("aten.argmin.default", lambda h: h.argmin() * h[:, 0].mean(), "a position along it is a result"),
    "largest with its place": ("aten.max.dim", lambda h: h.max(1)[0], "a position along it is a result"),
    "differences": ("aten.diff.default", lambda h: torch.diff(h, dim=1).square(), "neighbours along it are subtracted"),
    "joined differences": (
        "aten.diff.default",
        lambda h: torch.diff(h, dim=2, prepend=h[:, :, :1]).sum(1),
        "something is put before or behind the input",
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_places_count(name: str) -> None:
    operator, function, reason = PINNED[name]
    found = around(function, operator)
    assert any(pin.startswith(reason) for pin in found.pins("layers.0.weight", 0))


dtypes = st.sampled_from(
    [torch.float32, torch.float64, torch.float16, torch.int32, torch.int64, torch.uint8, torch.bool]
)
floats = st.sampled_from([torch.float32, torch.float64, torch.float16])
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@given(st.data(), shapes, dtypes, st.booleans())
def test_typing_of_what_takes_any_dtype_is_torchs(
    data: st.DataObject, shape: list[int], dtype: torch.dtype, keep: bool
) -> None:
    x = torch.ones(shape, dtype=dtype)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    some = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    agree("aten.sum.dim_IntList", x, some, keep)
    agree("aten.sum.default", x, dtype=torch.float32)
    agree("aten.prod.dim_int", x, dim, keep)
    agree("aten.cumsum.default", x, dim)
    agree("aten.amax.default", x, some, keep)
    agree("aten.max.dim", x, dim, keep)
    agree("aten.min.default", x)
    agree("aten.any.dim", x, dim, keep)
    agree("aten.all.default", x)
    agree("aten.any.dims", x, some or None, keep)
    if dtype != torch.bool:
        agree("aten.argmax.default", x, dim, keep)
        agree("aten.argmin.default", x, None)


@given(st.data(), shapes, floats, st.booleans())
def test_typing_of_what_takes_floats_is_torchs(
    data: st.DataObject, shape: list[int], dtype: torch.dtype, keep: bool
) -> None:
    x = torch.ones(shape, dtype=dtype)
    some = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    agree("aten.mean.default", x)
    agree("aten.mean.dim", x, some, keep, dtype=torch.float32)
    agree("aten.softmax.int", x, 0, torch.float32)
    agree("aten.mean.default", x, dtype=torch.float64)
    agree("aten.var.correction", x, some or None, correction=0, keepdim=keep)
    agree("aten.std_mean.correction", x, some or None, correction=0, keepdim=keep)
    agree("aten.linalg_vector_norm.default", x, 2, some or None, keep)
    agree("aten.logsumexp.default", x, some or [0], keep)
    if shape[-1] > 1:
        agree("aten.diff.default", x)
        agree("aten.diff.default", x, 1, -1, x[..., :1], x)


def test_symbolic_sizes_are_carried() -> None:
    operation, _ = said("aten.sum.dim_IntList", torch.ones(2, 3), [1])
    batch = symbol("B")
    assert BY_NAME[operation.name].typing(operation, (Sort("F32", (batch, 3)),)) == (Sort("F32", (batch,)),)


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x, b = torch.ones(2, 3), symbol("B")
    mean, _ = said("aten.mean.default", x)
    diff, _ = said("aten.diff.default", x, 3)
    complex_, _ = said("aten.sum.default", x, dtype=torch.complex64)
    dims, _ = said("aten.any.dims", x, [])
    wrong = [
        (mean, Sort("I64", (2, 3))),
        (diff, Sort("F32", (2, 3))),
        (diff, Sort("F32", (2, b))),
        (complex_, Sort("F32", (2, 3))),
        (dims, Sort("BOOL", (2, 3))),
    ]
    for operation, sort in wrong:
        with pytest.raises(IllTyped):
            BY_NAME[operation.name].typing(operation, (sort,))
