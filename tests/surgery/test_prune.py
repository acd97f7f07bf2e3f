"""Pruning as a rule: L is all that touches what shrinks, and weights follow in the form in which they are stored."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.dim import axes
from surgdsl.bridge.encoding import codes, decode, innermost
from surgdsl.bridge.encoding import kept as stored_places
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.operation import PARAM
from surgdsl.diagram.payload import Codebook, Masked
from surgdsl.diagram.pushout import apply
from surgdsl.diagram.term import Given, Slice
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.prune import Cutting, Prune, ranked
from surgdsl.surgery.recode import Quantize, param
from tests.bridge.cases import CASES
from tests.bridge.zoo import Linear, captured, row
from tests.operations.cutting import choices

PLAIN = row(lambda m, x: m.o(m.i(x).relu()), None, i=lambda: Linear(5, 6), o=lambda: Linear(6, 3))


@cache
def opened(name: str) -> tuple[State, Coupling]:
    state = captured(CASES.get(name, PLAIN))
    return state, couple(state.net)


@pytest.mark.parametrize("name", CASES)
def test_a_cut_rule_is_all_that_touches_what_shrinks(name: str) -> None:
    state, coupling = opened(name)
    for keep in choices(coupling.prunable):
        step, _ = Cutting(state, coupling, keep).carry_out(0)
        rule = step.match.rule
        assert rule.faults() == ()
        assert rule.glue.operations == {}
        shrinking = {wire for wire, dims in coupling.dims.items() if any(set(keep) & set(axes(dim)) for dim in dims)}
        assert set(rule.deleted.wires) == shrinking
        assert set(rule.left.operations) == set(state.net.graph.touching(sorted(shrinking)))
        assert not shrinking & state.net.interface


@pytest.mark.parametrize("name", ["residual", "grouped", "concatenation", "a weight used twice"])
def test_minimality(name: str) -> None:
    """Without any one of its operations, the rule would leave something dangling."""
    state, coupling = opened(name)
    (keep, *_) = choices(coupling.prunable)
    match = Cutting(state, coupling, keep).carry_out(0)[0].match
    for gone in match.rule.left.operations:
        left = evolve(
            match.rule.left, operations={one: op for one, op in match.rule.left.operations.items() if one != gone}
        )
        smaller = evolve(match, rule=evolve(match.rule, left=left), operations={one: one for one in left.operations})
        assert "G1" in [fault.code for fault in smaller.violations()]


def test_the_inverse_of_a_cut_gives_the_net_back() -> None:
    state, coupling = opened("residual")
    step, _ = Cutting(state, coupling, choices(coupling.prunable)[0]).carry_out(0)
    back = evolve(
        step.match,
        rule=step.match.rule.inverse(),
        host=step.result,
        wires=step.comatch_wires,
        operations=step.comatch_operations,
    )
    assert len(apply(back, "t").result.graph.operations) == len(state.net.graph.operations)


RECODED = {
    "codebook": (Quantize("i.weight", 3, "kmeans"), Quantize("o.weight", 2, "kmeans")),
    "scales": (Quantize("i.weight", 4, "affine"), Quantize("o.weight", 8, "affine")),
    "mask": (Mask("i.weight", 20, 30), Mask("o.weight", 11, 18)),
    "masked codebook": (Mask("i.weight", 20, 30), Quantize("i.weight", 3, "kmeans"), Mask("o.weight", 17, 18)),
    "masked scales": (Quantize("o.weight", 5, "affine"), Mask("o.weight", 11, 18)),
}


@pytest.mark.parametrize("name", RECODED)
@pytest.mark.parametrize("keep", [(0, 2, 5), (1, 2, 3, 4), (3,)])
def test_a_cut_keeps_codes_and_masks(name: str, keep: tuple[int, ...]) -> None:
    state, _ = opened("plain one")
    for number, action in enumerate(RECODED[name]):
        state = action.rewrite(state, number, "s").after
    after = Prune("i:out", 6, keep).rewrite(state, 9, "cut").after
    for base, place in (("i.weight", 0), ("i.bias", 0), ("o.weight", 1)):
        before, now = state.weights[param(state, base)], after.weights[param(after, base)]
        assert np.array_equal(decode(now), np.take(decode(before), keep, place))
        assert now.encoding == before.encoding
        if isinstance(before.encoding, Masked):
            assert np.array_equal(stored_places(now), np.take(stored_places(before), keep, place))
        if isinstance(innermost(before.encoding), Codebook):
            assert np.array_equal(now.parts["codebook"], before.parts["codebook"])
            assert set(codes(now).tolist()) <= set(codes(before).tolist())
    assert after.weights[param(after, "o.bias")] is state.weights[param(state, "o.bias")]


def test_a_cut_weight_tells_where_it_comes_from() -> None:
    state, _ = opened("plain one")
    rewrite = Prune("i:out", 6, (1, 4), (0, 9, 0, 0, 9, 0)).rewrite(state, 3, "narrow")
    cut = rewrite.after.net.graph.operations[param(rewrite.after, "i.weight")]
    assert cut.payload is not None
    assert cut.payload.term == Slice(((0, (1, 4)),), Given("i.weight"))
    assert (rewrite.kind, rewrite.reduces, rewrite.note) == ("reduce", "params/1", "i:out: 6 -> 2")
    assert rewrite.arguments["keep"] == [1, 4]
    assert rewrite.arguments["scores"] == ["0", "9", "0", "0", "9", "0"]
    assert set(rewrite.after.weights) == set(rewrite.after.net.params())


def test_the_witness_lists_what_every_shrinking_dimension_keeps() -> None:
    state, coupling = opened("residual")
    axis = coupling.prunable[0]
    cutting = Cutting(state, coupling, {axis: np.array([0, 3], dtype=np.intp)})
    witness = cutting.witness()
    lists, places = witness["indices"], witness["kept"]
    assert isinstance(lists, list)
    assert isinstance(places, list)
    assert len({tuple(one) for one in lists}) == len(lists)
    assert {place[0] for place in places} == set(cutting.shrinking)
    for wire, dimension, which in places:
        assert len(lists[which]) == cutting.sort(wire).shape[dimension]


def test_an_axis_that_is_not_there_is_refused() -> None:
    state, _ = opened("plain one")
    for action in (Prune("j:out", 6, (0,)), Prune("i:out", 7, (0,))):
        with pytest.raises(Refusal, match="E0501"):
            action.rewrite(state, 0, "s")


def test_positions_that_go() -> None:
    assert Prune("a", 5, (0, 3)).gone == (1, 2, 4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.data())
def test_ranked_keeps_the_best_and_the_first_among_equals(scores: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(scores)))
    found = ranked(tuple(scores), count)
    assert list(found) == sorted(set(found))
    assert len(found) == count
    for gone in set(range(len(scores))) - set(found):
        assert all(scores[kept] > scores[gone] or (scores[kept] == scores[gone] and kept < gone) for kept in found)


def test_operations_beside_the_cut_are_the_same_objects() -> None:
    state, coupling = opened("densely connected")
    _, after = Cutting(state, coupling, choices(coupling.prunable)[0]).carry_out(0)
    before = state.net.graph.operations
    assert all(
        after.net.graph.operations[name] is before[name] for name in set(before) & set(after.net.graph.operations)
    )
    assert any(one.name == PARAM for one in after.net.graph.operations.values())
