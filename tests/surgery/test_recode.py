"""Recoding: one weight is stored otherwise, and the rest of the net is the same."""

from __future__ import annotations

import numpy as np
import pytest

from surgdsl.bridge.encoding import decode, dense, stored_bytes, stored_count
from surgdsl.bridge.weight import State
from surgdsl.diagram.payload import Affine, Codebook, Dense, Encoding, Masked
from surgdsl.diagram.term import Given, Made, Read, Term
from surgdsl.diagram.term import Mask as Largest
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import Quantize, param
from surgdsl.surgery.rewrite import Rewrite, around, layers
from tests.bridge.cases import CASES
from tests.bridge.zoo import answers, captured
from tests.operations.cutting import apart

CASE = CASES["batch norm"]

ACTIONS: dict[str, tuple[Mask | Quantize, Encoding, str, str]] = {
    "mask": (Mask("b.weight", 100, 432), Masked(Dense()), "nnz/1", "mask/1"),
    "codebook": (Quantize("b.weight", 3, "kmeans"), Codebook(3), "size/1", "quantize-codebook/1"),
    "scales": (Quantize("b.weight", 5, "affine"), Affine(5, 0), "size/1", "quantize-affine/1"),
}

WEIGHT = Given("b.weight")
TERMS: dict[str, Term] = {
    "mask": Largest(100, WEIGHT),
    "codebook": Made("quantize-codebook/1", (Read(WEIGHT),), (("bits", 3),)),
    "scales": Made("quantize-affine/1", (Read(WEIGHT, ((0, 0),)),), (("bits", 5),), (0,)),
}


@pytest.fixture(scope="module")
def state() -> State:
    return captured(CASE)


def rewritten(state: State, name: str) -> Rewrite:
    return ACTIONS[name][0].rewrite(state, 4, "code")


@pytest.mark.parametrize("name", ACTIONS)
def test_only_the_weight_changes(state: State, name: str) -> None:
    rewrite = rewritten(state, name)
    before, after = state.net.graph, rewrite.after.net.graph
    old, new = param(state, "b.weight"), param(rewrite.after, "b.weight")
    assert after.wires == before.wires
    assert set(before.operations) - set(after.operations) == {old}
    assert set(after.operations) - set(before.operations) == {new} == {"s4.0"}
    assert after.operations[new].targets == before.operations[old].targets
    assert all(rewrite.after.weights[one] is weight for one, weight in state.weights.items() if one != old)
    assert rewrite.after.net.faults() == ()


@pytest.mark.parametrize("name", ACTIONS)
def test_the_rule_is_told_and_what_it_reduces_is_reduced(state: State, name: str) -> None:
    action, encoding, reduces, rule = ACTIONS[name]
    rewrite = rewritten(state, name)
    weight, old = rewrite.after.weights["s4.0"], state.weights[param(state, "b.weight")]
    payload = rewrite.after.net.graph.operations["s4.0"].payload
    assert payload is not None
    assert payload.encoding == weight.encoding == encoding
    assert payload.term == TERMS[name]
    assert rewrite.rule == rule
    assert (rewrite.reduces, rewrite.kind) == (reduces, "reduce")
    assert rewrite.note.startswith(action.note)
    assert stored_bytes(weight) < stored_bytes(old)
    assert stored_count(weight) <= stored_count(old)


@pytest.mark.parametrize("name", ACTIONS)
def test_the_net_computes_with_the_decoded_weight(state: State, name: str) -> None:
    rewrite = rewritten(state, name)
    plain = dict(state.weights)
    old = param(state, "b.weight")
    plain[old] = dense(decode(rewrite.after.weights["s4.0"]))
    inputs = CASE.inputs()
    assert apart(answers(rewrite.after, inputs), answers(State(state.net, plain), inputs)) <= 1e-6
    assert apart(answers(rewrite.after, inputs), answers(state, inputs)) > 1e-6


def test_a_mask_keeps_the_largest(state: State) -> None:
    old, new = decode(state.weights[param(state, "b.weight")]), decode(rewritten(state, "mask").after.weights["s4.0"])
    assert np.count_nonzero(new) == 100
    assert np.abs(new[new != 0]).min() >= np.abs(old[new == 0]).max()
    assert np.array_equal(new[new != 0], old[new != 0])


def test_a_scheme_that_does_not_exist_is_no_action() -> None:
    with pytest.raises(ValueError, match="scheme"):
        Quantize("b.weight", 4, "ternary")


def test_a_weight_that_is_not_there_is_no_param(state: State) -> None:
    with pytest.raises(KeyError):
        param(state, "c.weight")


def test_layers_are_matrices_and_kernels_by_path(state: State) -> None:
    found = {
        path: [payload.base for name in names if (payload := state.net.graph.operations[name].payload)]
        for path, names in layers(state).items()
    }
    assert found == {"a": ["a.weight"], "b": ["b.weight"], "fc": ["fc.weight"]}


def test_around_is_some_operations_with_their_wires(state: State) -> None:
    names = tuple(state.net.graph.operations)[:3]
    found = around(state, names)
    assert tuple(found.operations) == names
    assert found.loose_ends() == ()
    assert set(found.wires) == {
        wire for name in names for wire in (*found.operations[name].sources, *found.operations[name].targets)
    }
