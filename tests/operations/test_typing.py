"""Typing, cost and literals of the layers of plain networks, held against torch on random shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from surgdsl.axis.extent import symbol
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME, CATALOGUE, cost
from surgdsl.operations.signature import Cut, IllTyped
from tests.bridge.cases import CASES
from tests.bridge.zoo import captured
from tests.operations.calling import agree, overload, said

SMALL = st.integers(1, 4)
SHAPES = st.lists(SMALL, min_size=1, max_size=4)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[str, list[object]]:
    """A convolution that fits: name and arguments."""
    rank = draw(st.integers(1, 3))
    groups, per, out = draw(SMALL), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel, stride, padding, dilation = ([draw(st.integers(low, 2)) for _ in range(rank)] for low in (1, 1, 0, 1))
    room = [(k - 1) * d + 1 + draw(st.integers(0, 4)) for k, d in zip(kernel, dilation, strict=True)]
    x, w = torch.zeros(draw(SMALL), groups * per, *room), torch.zeros(groups * out, per, *kernel)
    bias = torch.zeros(groups * out) if draw(st.booleans()) else None
    return f"aten.conv{rank}d.default", [x, w, bias, stride, padding, dilation, groups]


def macs(name: str, arguments: list[object]) -> int:
    operation, sources = said(name, *arguments)
    return cost(operation, sources, BY_NAME[name].typing(operation, sources), {})


def counted(name: str, arguments: list[object]) -> int:
    """What torch counts, which is two for each multiply-accumulate."""
    counter = FlopCounterMode(display=False)
    with counter:
        overload(name)(*arguments)
    return counter.get_total_flops() // 2


@given(convolutions())
def test_convolutions(drawn: tuple[str, list[object]]) -> None:
    name, arguments = drawn
    agree(name, *arguments)
    assert macs(name, arguments) == counted(name, arguments)


@given(convolutions(), st.sampled_from(("same", "valid")))
def test_convolutions_whose_padding_is_a_word(drawn: tuple[str, list[object]], word: str) -> None:
    name, (x, w, bias, stride, _, dilation, groups) = drawn
    assert isinstance(stride, list)
    arguments = [x, w, bias, [1] * len(stride) if word == "same" else stride, word, dilation, groups]
    name = name.replace("default", "padding")
    agree(name, *arguments)
    assert macs(name, arguments) == counted(name, arguments)


@given(SHAPES, SMALL, SMALL, st.booleans())
def test_linear_maps(shape: list[int], features: int, out: int, bias: bool) -> None:
    arguments: list[object] = [torch.zeros(*shape, features), torch.zeros(out, features)]
    arguments += [torch.zeros(out)] if bias else []
    agree("aten.linear.default", *arguments)
    assert macs("aten.linear.default", arguments) == counted("aten.linear.default", arguments)


@given(st.integers(1, 3), st.sampled_from(("max", "avg")), st.booleans(), st.data())
def test_pools(rank: int, kind: str, ceil: bool, data: st.DataObject) -> None:
    kernel = [data.draw(st.integers(1, 3)) for _ in range(rank)]
    stride = [data.draw(st.integers(1, 3)) for _ in range(rank)]
    padding = [data.draw(st.integers(0, k // 2)) for k in kernel]
    x = torch.zeros(2, 3, *(k + data.draw(st.integers(0, 5)) for k in kernel))
    tail = [[1] * rank, ceil] if kind == "max" else [ceil]
    agree(f"aten.{kind}_pool{rank}d.default", x, kernel, data.draw(st.sampled_from((stride, []))), padding, *tail)
    agree(f"aten.adaptive_avg_pool{rank}d.default", x, [data.draw(SMALL) for _ in range(rank)])


@given(SHAPES, st.data())
def test_reshapes(shape: list[int], data: st.DataObject) -> None:
    x = torch.zeros(shape)
    start, end = sorted(data.draw(st.integers(0, len(shape) - 1)) for _ in range(2))
    agree("aten.flatten.using_ints", x, start, end - len(shape))
    agree("aten.view.default", x, [*shape[:start], int(np.prod(shape[start:]))])
    agree("aten.reshape.default", x, data.draw(st.permutations(shape)))
    agree("aten.permute.default", x, data.draw(st.permutations(range(len(shape)))))
    agree("aten.transpose.int", x, start, end - len(shape))
    agree("aten.unsqueeze.default", x, data.draw(st.integers(-len(shape) - 1, len(shape))))


@given(SHAPES, st.data())
def test_joins_and_cuts(shape: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(shape) - 1))
    parts = [torch.zeros(*shape[:place], data.draw(SMALL), *shape[place + 1 :]) for _ in range(data.draw(SMALL))]
    agree("aten.cat.default", parts, place - len(shape))
    start = data.draw(st.integers(0, shape[place] - 1))
    end = data.draw(st.integers(start + 1, shape[place]))
    agree("aten.slice.Tensor", torch.zeros(shape), place, start, end, data.draw(st.integers(1, 3)))
    agree("aten.slice.Tensor", torch.zeros(shape), place, start, start)


@given(SHAPES, st.booleans(), st.data())
def test_means_and_softmax(shape: list[int], keep: bool, data: st.DataObject) -> None:
    x = torch.zeros(shape)
    over = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    agree("aten.mean.dim", x, over, keep)
    place = data.draw(st.integers(-len(shape), len(shape) - 1))
    agree("aten.softmax.int", x, place)
    agree("aten.log_softmax.int", x, place)


@given(st.lists(SMALL, min_size=2, max_size=4), st.integers(0, 1))
def test_norms_and_dropout(shape: list[int], scaled: int) -> None:
    x, ones = torch.zeros(shape), torch.ones(shape[1])
    scale = (ones, ones) if scaled else (None, None)
    agree("aten.batch_norm.default", x, *scale, ones, ones, False, 0.1, 1e-5, False)
    agree("aten.dropout.default", x, 0.5, False)


X = torch.zeros(2, 4, 5, 5)
UNFIT: dict[str, tuple[str, list[object]]] = {
    "channels": ("aten.conv2d.default", [X, torch.zeros(3, 3, 1, 1)]),
    "groups": ("aten.conv2d.default", [X, torch.zeros(3, 2, 1, 1), None, [1, 1], [0, 0], [1, 1], 2]),
    "bias": ("aten.conv2d.default", [X, torch.zeros(3, 4, 1, 1), torch.zeros(2)]),
    "same padding with a stride": (
        "aten.conv2d.padding",
        [X, torch.zeros(3, 4, 1, 1), None, [2, 2], "same"],
    ),
    "large window": ("aten.conv2d.default", [X, torch.zeros(3, 4, 6, 6)]),
    "large pool": ("aten.max_pool2d.default", [X, [6, 6]]),
    "features": ("aten.linear.default", [X, torch.zeros(3, 4)]),
    "elements": ("aten.view.default", [X, [2, 4, 5, 6]]),
    "parts": ("aten.cat.default", [[X, torch.zeros(2, 4, 5, 6)], 1]),
    "statistics": (
        "aten.batch_norm.default",
        [X, None, None, torch.zeros(5), torch.zeros(5), False, 0.1, 1e-5, False],
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_torch_refuses_is_ill_typed(name: str) -> None:
    operator, arguments = UNFIT[name]
    with pytest.raises(RuntimeError):
        overload(operator)(*arguments)
    operation, sources = said(operator, *arguments)
    with pytest.raises(IllTyped):
        BY_NAME[operator].typing(operation, sources)


def test_what_a_frozen_net_does_not_do_is_ill_typed() -> None:
    ones = torch.ones(4)
    agree("aten.batch_norm.default", X, ones, None, None, None, True, 0.1, 1e-5, False)
    training: tuple[tuple[str, list[object]], ...] = (
        ("aten.batch_norm.default", [X, ones, ones, ones, ones, True, 0.1, 1e-5, False]),
        ("aten.dropout.default", [X, 0.5, True]),
        ("aten.conv2d.default", [X[0], torch.zeros(3, 4, 1, 1)]),
        ("aten.max_pool2d.default", [X[0], [2, 2]]),
    )
    for name, arguments in training:
        operation, sources = said(name, *arguments)
        with pytest.raises(IllTyped):
            BY_NAME[name].typing(operation, sources)


def test_costs_of_sizes_that_vary_are_those_of_the_binding() -> None:
    linear = Operation("aten.linear.default", ("x", "w"), ("y",))
    x, w, y = Sort("F32", (symbol("B"), 3)), Sort("F32", (5, 3)), Sort("F32", (symbol("B"), 5))
    assert [cost(linear, (x, w), (y,), {"B": batch}) for batch in (1, 7)] == [15, 105]


def test_an_operator_without_a_rule_has_no_cost() -> None:
    with pytest.raises(Refusal, match="E0603"):
        cost(Operation("aten.bessel.default", ("x",), ("y",), path="layer.0"), (), (), {})


def test_every_operator_is_in_one_family() -> None:
    names = [name for signature in CATALOGUE for name in signature.names]
    assert len(set(names)) == len(names) == len(BY_NAME)


def test_literals_follow_a_cut() -> None:
    operation, sources = said("aten.slice.Tensor", torch.zeros(2, 8), 1, 2, 6, 1)
    kept = np.array([0, 3, 5, 7], dtype=np.intp)
    small = (Sort("F32", (2, 4)),)
    cut = BY_NAME["aten.slice.Tensor"].retune(Cut(operation, small, (Sort("F32", (2, 2)),), ((None, kept),)))
    assert (dict(cut)["start"], dict(cut)["end"]) == (1, 3)
    assert sources == (Sort("F32", (2, 8)),)
    view, _ = said("aten.view.default", torch.zeros(2, 6), [2, 3, 2])
    after = BY_NAME["aten.view.default"].retune(Cut(view, small, (Sort("F32", (symbol("B"), 2, 2)),), ((None, kept),)))
    assert dict(after)["size"] == (symbol("B"), 2, 2)


@pytest.mark.parametrize("name", CASES)
def test_captured_sorts_are_those_of_the_typing(name: str) -> None:
    net = captured(CASES[name]).net
    known = [one for one in net.graph.operations.values() if one.name in BY_NAME and one.sources]
    assert known
    for one in known:
        try:
            found = BY_NAME[one.name].typing(one, tuple(map(net.sort, one.sources)))
        except IllTyped:
            continue  # a call that the family does not cover: its axes are pinned
        assert found == tuple(map(net.sort, one.targets))
