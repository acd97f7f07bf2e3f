"""Typing and cost against torch: a call on random shapes gives the same shape and count, or is refused by both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from surgdsl.verifier.operations import CATALOGUE, check_type, macs
from surgdsl.verifier.reject import Reject
from tests.verifier.calls import DTYPES, operator, recorded

torch.set_num_threads(1)
SIZES = st.integers(1, 5)


def agrees(name: str, *arguments: Any) -> torch.Tensor:
    """The verifier gives the target the shape that torch gives it, and no other."""
    found = operator(name)(*arguments)
    shape, dtype = tuple(found.shape), DTYPES[found.dtype]
    operation, wires = recorded(name, arguments, shape, dtype)
    check_type(operation, wires)
    for other in ((*shape, 1), tuple(extent + 1 for extent in shape), ()):
        if other != shape:
            with pytest.raises(Reject):
                check_type(*recorded(name, arguments, other, dtype))
    return found


def refused(name: str, *arguments: Any) -> None:
    """Torch refuses, and so does the verifier, whatever target is stated."""
    with pytest.raises((RuntimeError, IndexError)):
        operator(name)(*arguments)
    for shape in ((1,), (1, 1), (2, 2), (1, 1, 1, 1), (2, 4, 1, 1)):
        with pytest.raises(Reject):
            check_type(*recorded(name, arguments, shape))


def counts(name: str, *arguments: Any) -> None:
    """Twice the multiply-accumulates is what torch counts as operations."""
    found = agrees(name, *arguments)
    with FlopCounterMode(display=False) as counter:
        operator(name)(*arguments)
    operation, wires = recorded(name, arguments, tuple(found.shape))
    assert 2 * macs(operation, wires, {}) == counter.get_total_flops()


@given(st.integers(1, 3), st.data())
@settings(deadline=None, max_examples=80)
def test_conv(rank: int, data: st.DataObject) -> None:

    def draw(low: int, high: int) -> int:
        return data.draw(st.integers(low, high))

    groups, batch, ins, outs = draw(1, 3), draw(1, 3), draw(1, 3), draw(1, 3)
    kernel, size = [draw(1, 3) for _ in range(rank)], [draw(5, 9) for _ in range(rank)]
    x, w = torch.randn(batch, groups * ins, *size), torch.randn(groups * outs, ins, *kernel)
    bias = torch.randn(groups * outs) if data.draw(st.booleans()) else None
    rows = [[draw(1, 3) for _ in range(rank)], [draw(0, 2) for _ in range(rank)], [draw(1, 2) for _ in range(rank)]]
    counts(f"aten.conv{rank}d.default", x, w, bias, *rows, groups)


@given(st.lists(SIZES, min_size=1, max_size=3), SIZES, st.booleans())
@settings(deadline=None)
def test_linear(lead: list[int], out: int, biased: bool) -> None:
    x, w = torch.randn(*lead, 4), torch.randn(out, 4)
    counts("aten.linear.default", x, w, torch.randn(out) if biased else None)


@given(st.integers(1, 3), st.booleans(), st.data())
@settings(deadline=None, max_examples=120)
def test_pools(rank: int, ceil: bool, data: st.DataObject) -> None:
    def row(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(rank)]

    x, kernel = torch.randn(2, 3, *row(6, 11)), row(1, 4)
    padding = [data.draw(st.integers(0, k // 2)) for k in kernel]
    stride = row(1, 4) if data.draw(st.booleans()) else []
    agrees(f"aten.avg_pool{rank}d.default", x, kernel, stride, padding, ceil)
    agrees(f"aten.adaptive_avg_pool{rank}d.default", x, row(1, 4))
    row_of_gaps = [data.draw(st.integers(1, 2)) if extent > 7 else 1 for extent in x.shape[2:]]
    agrees(f"aten.max_pool{rank}d.default", x, kernel, stride, padding, row_of_gaps, ceil)


ALONE = [name for name, row in CATALOGUE.items() if row.places == "~*>*"]
UNARY = [name for name in ALONE if CATALOGUE[name].schema.split()[0] in ("self", "input")]
MORE: dict[str, tuple[Any, ...]] = {
    "to.dtype_layout": (), "dropout": (0.5, False),
    "threshold": (0.5, 0.25), "to.dtype": (torch.int64,), "to.device": ("cpu", torch.float32),
    "Scalar": (2,), "clamp.default": (0.5, 1.5), "full_like": (2,), "lerp": (2,),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    """Of one source, or of one and a number, in floats, integers and truth values as far as torch takes them."""
    more = next((given for word, given in MORE.items() if word in name), ())
    taken = 0
    for x in (torch.rand(2, 3) + 1, torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.bool)):
        arguments = (2, x) if name == "aten.pow.Scalar" else (x, *more)
        try:
            found = operator(name)(*arguments)
        except RuntimeError:
            continue
        shape, dtype = (2, 3), DTYPES[found.dtype]
        assert found.shape == shape
        with suppress(Reject):
            check_type(*recorded(name, arguments, shape, dtype))
            taken += 1
        for other in (((3, 2), dtype), (shape, "U8" if dtype != "U8" else "F32")):
            with pytest.raises(Reject):
                check_type(*recorded(name, arguments, *other))
    assert taken > 0


@given(
    st.lists(SIZES, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(0, 4),
    st.booleans(),
    st.data(),
)
@settings(deadline=None)
def test_broadcasting(shape: list[int], ones: list[bool], drop: int, swap: bool, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["add", "sub", "mul", "div"]))
    other = [1 if one else extent for one, extent in zip(ones, shape, strict=False)][drop:]
    pair = (torch.rand(shape), torch.rand(other))
    agrees(f"aten.{name}.Tensor", *(reversed(pair) if swap else pair))
    agrees(f"aten.{name}.Tensor", pair[0], 2.5)
    agrees(f"aten.{name}.Tensor", pair[0], 2)


@given(st.lists(SIZES, min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_rearranging(shape: list[int], data: st.DataObject) -> None:
    x, rank = torch.rand(shape), len(shape)
    dims = st.integers(-rank, rank - 1)
    agrees("aten.permute.default", x, data.draw(st.permutations(range(rank))))
    agrees("aten.transpose.int", x, data.draw(dims), data.draw(dims))
    agrees("aten.unsqueeze.default", x, data.draw(st.integers(-rank - 1, rank)))
    start, end = sorted(data.draw(dims) % rank for _ in range(2))
    agrees("aten.flatten.using_ints", x, start, end)
    agrees("aten.view.default", x, [*shape[:start], x[(0,) * start].numel()])
    agrees("aten.reshape.default", x, data.draw(st.permutations(shape)))
    at = data.draw(dims)
    agrees("aten.squeeze.dim", x.unsqueeze(at), at)
    first = data.draw(st.integers(0, shape[at] - 1))
    last = data.draw(st.integers(first + 1, shape[at]))
    agrees("aten.slice.Tensor", x, at, first, last, data.draw(SIZES))
    more = [torch.rand([*shape[: at % rank], data.draw(SIZES), *shape[at % rank + 1 :]]) for _ in range(2)]
    agrees("aten.cat.default", [x, *more], at)
    over = data.draw(st.lists(st.integers(0, rank - 1), min_size=1, unique=True))
    agrees("aten.mean.dim", x, over, data.draw(st.booleans()))
    agrees("aten.softmax.int", x, at)
    agrees("aten.log_softmax.int", x, at)


@given(st.integers(2, 5), SIZES)
@settings(deadline=None)
def test_batch_norm(rank: int, channels: int) -> None:
    x, row = torch.rand(2, channels, *[2] * (rank - 2)), torch.rand(channels)
    agrees("aten.batch_norm.default", x, row, row, row, row, False, 0.1, 1e-5, True)
    agrees("aten.batch_norm.default", x, None, None, row, row, False, 0.1, 1e-5, True)


FAULTS: list[Callable[[], None]] = [
    lambda: refused("aten.linear.default", torch.rand(2, 3), torch.rand(2, 4)),
    lambda: refused("aten.conv2d.default", torch.rand(1, 3, 4, 4), torch.rand(2, 2, 3, 3)),
    lambda: refused("aten.conv2d.default", torch.rand(1, 1, 2, 2), torch.rand(2, 1, 3, 3)),
    lambda: refused("aten.conv2d.default", torch.rand(1, 2, 4, 4), torch.rand(3, 1, 1, 1), None, [1], [0], [1], 2),
    lambda: refused("aten.add.Tensor", torch.rand(2, 3), torch.rand(2)),
    lambda: refused("aten.view.default", torch.rand(2, 3), [4, 2]),
    lambda: refused("aten.permute.default", torch.rand(2, 3), [0, 0]),
    lambda: refused("aten.cat.default", [torch.rand(2, 3), torch.rand(3, 2)], 0),
    lambda: refused("aten.transpose.int", torch.rand(2, 3), 0, 2),
    lambda: refused("aten.flatten.using_ints", torch.rand(2, 3), 1, 0),
    lambda: refused("aten.max_pool2d.default", torch.rand(1, 1, 2, 2), [3, 3]),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_torch_refuses_is_refused(fault: Callable[[], None]) -> None:
    fault()


def test_what_is_not_evaluation_is_refused() -> None:
    x, row = torch.rand(2, 3), torch.rand(3)
    for name, arguments in (
        ("aten.batch_norm.default", (x, row, row, row, row, True, 0.1, 1e-5, True)),
        ("aten.dropout.default", (x, 0.5, True)),
        ("aten.erfinv.default", (x,)),
        ("aten.sigmoid.default", (torch.ones(2, 3, dtype=torch.int64),)),
        ("aten.sub.Tensor", (torch.ones(2, 3, dtype=torch.int64), torch.ones(3, dtype=torch.int64), 0.5)),
    ):
        with pytest.raises(Reject):
            check_type(*recorded(name, arguments, (2, 3)))
