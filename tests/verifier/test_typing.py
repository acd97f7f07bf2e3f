"""Typing and cost against torch: a call on random shapes gives the same shape and count, or is refused by both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from surgdsl.verifier.net import Operation, Sort, parse_operation
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


def drawn_shape(data: st.DataObject, rank: int) -> list[int]:
    return data.draw(st.lists(SIZES, min_size=rank, max_size=rank))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_products(data: st.DataObject) -> None:
    b, i, j, k = drawn_shape(data, 4)
    left, right = torch.rand(b, i, k + 1), torch.rand(b, k + 1, j)
    counts("aten.bmm.default", left, right)
    counts("aten.mm.default", left[0], right[0])
    counts("aten.baddbmm.default", torch.rand(1, j), left, right)
    counts("aten.addmm.default", torch.rand(j), left[0], right[0])
    agrees("aten.mv.default", left[0], right[0, :, 0])
    agrees("aten.dot.default", left[0, 0], right[0, :, 0])
    agrees("aten.einsum.default", "bik,bkj->bji", [left, right])
    for pair in ((left, right[0]), (left[0], right), (left[:, None], right)):
        counts("aten.matmul.default", *pair)
    for pair in ((left[0, 0], right), (left, right[0, :, 0])):
        agrees("aten.matmul.default", *pair)


@given(st.data(), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_attention(data: st.DataObject, causal: bool, masked: bool) -> None:
    b, h, q, s, e = drawn_shape(data, 5)
    v = data.draw(SIZES)
    mask = torch.ones(q, s, dtype=torch.bool) if masked and not causal else None
    arguments = (torch.rand(b, h, q, e), torch.rand(b, h, s, e), torch.rand(b, h, s, v), mask, 0.0, causal)
    name = "aten.scaled_dot_product_attention.default"
    found = agrees(name, *arguments)
    assert macs(*recorded(name, arguments, tuple(found.shape)), {}) == b * h * q * s * (e + v)
    with pytest.raises(Reject):
        check_type(*recorded(name, (*arguments[:4], 0.5, causal), tuple(found.shape)))


def test_grouped_queries() -> None:
    q, k = torch.rand(2, 6, 3, 4), torch.rand(2, 2, 5, 4)
    name, shape = "aten.scaled_dot_product_attention.default", (2, 6, 3, 4)
    operation, wires = recorded(name, (q, k, k, None, 0.0, False), shape)
    with pytest.raises(Reject):
        check_type(operation, wires)
    raw = {**operation.raw, "sources": list(operation.sources), "targets": list(operation.targets)}
    raw["attributes"] = [[key, True if key == "enable_gqa" else value] for key, value in raw["attributes"]]
    grouped = parse_operation(raw, wires, "")
    check_type(grouped, wires)
    assert macs(grouped, wires, {}) == 2 * 6 * 3 * 5 * 8


@given(st.data(), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_transposed_convolutions(data: st.DataObject, rank: int) -> None:
    def row(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(rank)]

    groups, ins, outs, stride = data.draw(SIZES), data.draw(SIZES), data.draw(SIZES), row(2, 3)
    x, w = torch.rand(2, groups * ins, *row(3, 5)), torch.rand(groups * ins, outs, *row(1, 3))
    form = "default" if rank == 1 else "input"
    more = (stride, [0] * rank, row(0, 1), groups, row(1, 2))
    counts(f"aten.conv_transpose{rank}d.{form}", x, w, torch.rand(groups * outs), *more)


@given(st.lists(SIZES, min_size=2, max_size=4), st.data())
@settings(deadline=None)
def test_norms_and_tables(shape: list[int], data: st.DataObject) -> None:
    x, last = torch.rand(shape), data.draw(st.integers(1, len(shape)))
    over = torch.rand(shape[-last:])
    agrees("aten.layer_norm.default", x, list(over.shape), over, data.draw(st.sampled_from([None, over])))
    agrees("aten.rms_norm.default", x, list(over.shape), over)
    agrees("aten.embedding.default", torch.rand(7, 3), torch.randint(0, 7, shape))
    groups = data.draw(st.integers(1, 3))
    row = torch.rand(2 * groups)
    agrees("aten.group_norm.default", torch.rand(shape[0], 2 * groups, *shape[1:]), groups, row, row)
    agrees("aten.prelu.default", x, torch.rand(data.draw(st.sampled_from([1, shape[1]]))))


@given(st.lists(SIZES, min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_copying_and_picking(shape: list[int], data: st.DataObject) -> None:
    x, rank = torch.rand(shape), len(shape)
    at = data.draw(st.integers(0, rank - 1))
    agrees("aten.select.int", x, at, data.draw(st.integers(-shape[at], shape[at] - 1)))
    agrees("aten.stack.default", [x, x], at)
    grown = [data.draw(SIZES), *(data.draw(SIZES) if extent == 1 else -1 for extent in shape)]
    agrees("aten.expand.default", x, grown)
    agrees("aten.repeat.default", x, [data.draw(SIZES) for _ in range(rank + data.draw(st.integers(0, 3)))])
    agrees("aten.repeat_interleave.self_int", x, data.draw(SIZES), at)
    margins = [data.draw(st.integers(0, 2)) for _ in range(2 * data.draw(st.integers(1, rank)))]
    agrees("aten.pad.default", x, margins, "constant", 0.5)
    picks = torch.randint(0, min(shape), (data.draw(SIZES), 2))
    places = [picks if data.draw(st.booleans()) else None for _ in range(rank)]
    agrees("aten.index_select.default", x, at, picks[:, 0])
    if any(place is not None for place in places):
        operation, wires = indexed(x, places)
        check_type(operation, wires | {"y": Sort("F32", tuple(torch.ops.aten.index.Tensor(x, places).shape))})
        operation, wires = indexed(x, places, torch.rand(data.draw(st.sampled_from([(), (1,), (2,)]))))
        fits = wires["v"].shape != (2,) or torch.ops.aten.index.Tensor(x, places).shape[-1] == 2
        with nullcontext() if fits else pytest.raises(Reject):
            check_type(operation, wires | {"y": Sort("F32", tuple(shape))})
    agrees("aten.sum.dim_IntList", x, [at], data.draw(st.booleans()))
    agrees("aten.cumsum.default", x > 0.5, at)
    agrees("aten.argmax.default", x, at)


def indexed(
    x: torch.Tensor, places: list[torch.Tensor | None], values: torch.Tensor | None = None
) -> tuple[Operation, dict[str, Sort]]:
    """index.Tensor, or with values index_put, whose list of tensors has holes."""
    wires = {"x": Sort("F32", tuple(x.shape)), "y": Sort("F32", (1,))}
    wires |= {f"i{at}": Sort("I64", tuple(one.shape)) for at, one in enumerate(places) if one is not None}
    given: list[dict[str, Any]] = [{"none": True} if one is None else {"tensors": 1} for one in places]
    name, attributes = "aten.index.Tensor", list[list[Any]]([["indices", given]])
    if values is not None:
        wires["v"] = Sort("F32", tuple(values.shape))
        name, attributes = "aten.index_put.default", [["accumulate", False], *attributes]
    sources = [wire for wire in wires if wire != "y"]
    raw = {"op": name, "attributes": attributes, "sources": sources, "targets": ["y"]}
    return parse_operation(raw, wires, ""), wires


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_columns_and_windows(data: st.DataObject) -> None:
    def pair(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(2)]

    x, rows = torch.rand(*data.draw(st.sampled_from([(), (2,)])), 3, *pair(5, 8)), [pair(1, 2), pair(0, 2), pair(1, 3)]
    columns = agrees("aten.im2col.default", x, kernel := pair(1, 3), *rows)
    agrees("aten.col2im.default", columns, list(x.shape[-2:]), kernel, *rows)
    size, step = data.draw(st.integers(1, 5)), data.draw(SIZES)
    agrees("aten.unfold.default", x, data.draw(st.sampled_from([-1, -2])), size, step)
    start = data.draw(st.integers(0, 3))
    end = data.draw(st.integers(start + 1, 5))
    agrees("aten.slice_scatter.default", x, x[..., start:end:step], -1, start, end, step)
    agrees("aten.copy.default", x, torch.rand(data.draw(st.sampled_from([(), (1, 1), (3, 1, 1)]))))
    agrees("aten.histc.default", x, size, 0, 1)


def test_rows_of_several_matrices() -> None:
    """Each row of the first source meets one of the matrices, whichever the offsets say."""
    shapes = {"x": (6, 3), "w": (2, 3, 4), "y": (6, 4)}
    wires = {wire: Sort("F32", shape) for wire, shape in shapes.items()} | {"n": Sort("I32", (2,))}
    raw: dict[str, Any] = {"op": "transformers.grouped_mm_fallback.default", "attributes": [], "targets": ["y"]}
    product = parse_operation({**raw, "sources": ["x", "w", "n"]}, wires, "")
    check_type(product, wires)
    assert macs(product, wires, {}) == 6 * 3 * 4
    with pytest.raises(Reject):
        check_type(parse_operation({**raw, "sources": ["x", "w", "x"]}, wires, ""), wires)


def test_batch_norm_of_its_own_input() -> None:
    """As weights are standardised: statistics are those of the input, and none is kept."""
    x, row = torch.rand(1, 3, 4), torch.rand(3)
    agrees("aten.batch_norm.default", x, row, None, None, None, True, 0.0, 1e-5, False)


SEVERAL: list[tuple[str, tuple[Any, ...]]] = [
    ("aten.split_with_sizes.default", ([1, 3, 2], 1)), ("aten.unbind.int", (1,)), ("aten.topk.default", (2, 1)),
    ("aten.sort.default", (0,)), ("aten.max.dim", (1,)), ("aten.min.dim", (0, True)),
    ("aten.var_mean.correction", ([1],)), ("aten.adaptive_max_pool1d.default", ([2],)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "more"), SEVERAL)
def test_several_targets(name: str, more: tuple[Any, ...]) -> None:
    x = torch.rand(2, 6, 3)
    found = operator(name)(x, *more)
    operation, wires = recorded(name, (x, *more), tuple(found[0].shape))
    targets = [f"y{at}" for at in range(len(found))]
    wires |= {wire: Sort(DTYPES[one.dtype], tuple(one.shape)) for wire, one in zip(targets, found, strict=True)}
    raw = {**operation.raw, "sources": list(operation.sources), "targets": targets}
    check_type(parse_operation(raw, wires, ""), wires)
    for wrong in (targets[:-1], [*targets, targets[0]]):
        with pytest.raises(Reject):
            check_type(parse_operation({**raw, "targets": wrong}, wires, ""), wires)


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
