"""Counts are those of the definitions, once for each weight, and a step's difference is a recount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from surgdsl.axis.extent import symbol
from surgdsl.bridge.encoding import decode, dense, with_codebook, with_mask
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.payload import Dense, Masked, Payload
from surgdsl.diagram.pushout import apply
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from surgdsl.metrics import METRICS, contribution, count, ones, recount
from surgdsl.metrics.nnz import nonzero

WIDE = Sort("F32", (4, 4))
BATCH = Sort("F32", (symbol("B"), 4))


def twice(weight: Weight) -> State:
    """x → linear → relu → linear, with one weight of shape [4, 4] that both linear maps read."""
    payload = Payload("w", "parameter", weight.encoding, Given("w"))
    graph = Hypergraph(
        {"x": BATCH, "w": WIDE, "a": BATCH, "b": BATCH, "y": BATCH},
        {
            "p": Operation("param", (), ("w",), payload=payload),
            "f": Operation("aten.linear.default", ("x", "w"), ("a",), (("bias", None),)),
            "r": Operation("aten.relu.default", ("a",), ("b",)),
            "g": Operation("aten.linear.default", ("b", "w"), ("y",), (("bias", None),)),
        },
    )
    return State(Net(graph, (("x", "x"),), (("y", "y"),)), {"p": weight})


def test_a_shared_weight_is_stored_once_and_used_twice() -> None:
    state = twice(dense(np.arange(16, dtype=np.float32).reshape(4, 4)))
    assert count(state.net, state.weights, {"B": 3}) == {"macs/1": 96, "nnz/1": 15, "params/1": 16, "size/1": 64}
    assert ones(state.net) == {"B": 1}


def test_stored_bytes_are_those_of_the_encoding() -> None:
    array = np.arange(16, dtype=np.float32).reshape(4, 4)
    quantized = with_codebook(dense(array), np.array([0, 8], dtype=np.float32), 1)
    state = twice(with_mask(quantized, array % 2 == 1))
    # mask: 16 bits, codes: 8 bits, codebook: 2 floats
    assert count(state.net, state.weights, {"B": 1}) == {"macs/1": 32, "nnz/1": 6, "params/1": 16, "size/1": 2 + 1 + 8}


@given(hnp.arrays(np.float32, (4, 4), elements=st.floats(width=32)), hnp.arrays(np.bool_, (4, 4)))
def test_nonzero_elements_are_counted_on_bits(array: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    for weight in (dense(array), with_mask(dense(array), mask)):
        assert nonzero(weight) == sum(
            int(bits) not in (0, 1 << 31) for bits in decode(weight).view(np.uint32).reshape(-1)
        )


@pytest.mark.parametrize(
    ("array", "dtype", "expected"),
    [
        (np.array([0, 1, -1], dtype=np.int64), None, 2),
        (np.array([0, 128], dtype=np.uint8), None, 1),
        (np.array([False, True]), None, 1),
        (np.array([0, 0x8000, 1], dtype=np.uint16), "BF16", 1),
        (np.array([], dtype=np.float64), None, 0),
    ],
)
def test_nonzero_elements_of_every_kind_of_dtype(array: NDArray[Any], dtype: str | None, expected: int) -> None:
    assert nonzero(dense(array, dtype)) == expected


def masked_step(state: State, mask: NDArray[np.bool_]) -> tuple[Rule, Mapping[str, Weight]]:
    old = state.net.graph.operations["p"]
    assert old.payload is not None
    new = Operation("param", (), ("w",), payload=Payload("w", "parameter", Masked(Dense()), old.payload.term))
    ends = Hypergraph({"w": WIDE})
    rule = Rule("mask/1", Hypergraph(ends.wires, {"p": old}), ends, Hypergraph(ends.wires, {"p+": new}))
    return rule, {"s0.0": with_mask(state.weights["p"], mask)}


def test_a_recount_of_a_step_is_the_count_of_its_result() -> None:
    state = twice(dense(np.arange(16, dtype=np.float32).reshape(4, 4)))
    rule, weights = masked_step(state, np.eye(4, dtype=np.bool_))
    step = apply(Match(rule, state.net, {"w": "w"}, {"p": "p"}), "s0")
    after = State(step.result, weights)
    before = count(state.net, state.weights, {"B": 2})
    assert recount(before, step, (state, after), {"B": 2}) == count(after.net, after.weights, {"B": 2})
    assert tuple(before) == METRICS == tuple(sorted(METRICS))


def test_an_operation_without_a_cost_rule_is_refused_not_counted_as_zero() -> None:
    operation = Operation("aten.fft.default", ("x",), ("y",))
    net = Net(Hypergraph({"x": BATCH, "y": BATCH}, {"f": operation}), (("x", "x"),), (("y", "y"),))
    with pytest.raises(Refusal, match="E0603"):
        contribution("macs/1", operation, net)
