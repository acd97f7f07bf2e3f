"""The laws of cuts: which indices go together, and what cutting them does to a net and its values (26 to 30).

The nets are captured from torch, one for each way in which axes meet; which indices stay is drawn.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.axis.dim import Axis, Indices, axes, kept, size, whole
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.hashing import plan_hash, shape_hash
from surgdsl.diagram.net import Net
from surgdsl.diagram.pushout import Step
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.surgery.prune import Cutting, Prune
from tests.bridge.cases import CASES
from tests.bridge.zoo import answers, captured
from tests.operations.cutting import Keep, apart, cut, neutralised

NAMES = (
    "batch norm", "residual", "concatenation", "slices", "gated halves", "grouped", "groups that do not nest",
    "depthwise", "depthwise with a multiplier", "squeeze and excitation", "flatten", "channels last and back",
    "channel shuffle", "densely connected", "mobile", "flattened and concatenated", "a weight used twice",
    "tied weights", "two outputs", "heads", "three in one", "mixer", "sums that nest", "interleaved",
)  # fmt: skip
TOLERANCE = 1e-5


@cache
def opened(name: str) -> tuple[State, Coupling]:
    state = captured(CASES[name])
    return state, couple(state.net)


def length(axis: Axis) -> int:
    assert isinstance(axis.size, int)
    return axis.size


@st.composite
def subsets(draw: st.DrawFn, axis: Axis) -> Indices:
    """Some of the positions of an axis, one at least."""
    found = draw(st.sets(st.integers(0, length(axis) - 1), min_size=1))
    return np.array(sorted(found), dtype=np.intp)


@st.composite
def keeps(draw: st.DrawFn, chosen: tuple[Axis, ...]) -> Keep:
    """Positions of one axis or of a few."""
    some = draw(st.lists(st.sampled_from(chosen), min_size=1, max_size=3, unique=True))
    return {axis: draw(subsets(axis)) for axis in some}


def carried(state: State, coupling: Coupling, keep: Keep) -> Step:
    return Cutting(state, coupling, keep).carry_out(0)[0]


@given(st.data())
def test_atoms_partition(data: st.DataObject) -> None:
    """Keeping S and keeping the rest take away all positions of an axis between them, and none twice."""
    _, coupling = opened(data.draw(st.sampled_from(NAMES)))
    axis = data.draw(st.sampled_from(coupling.prunable))
    stay = data.draw(subsets(axis))
    rest = np.setdiff1d(np.arange(length(axis)), stay)
    for dims in coupling.dims.values():
        for dim in dims:
            if axis in axes(dim):
                everything = np.arange(whole(dim))
                lost, other, all_of_it = (
                    set(np.setdiff1d(everything, kept(dim, {axis: some})).tolist())
                    for some in (stay, rest, np.array([], dtype=np.intp))
                )
                assert lost | other == all_of_it
                assert not lost & other or axes(dim).count(axis) > 1


@given(st.sampled_from(NAMES))
def test_dims_have_the_sizes_of_their_sorts_and_boundary_axes_are_not_chosen(name: str) -> None:
    state, coupling = opened(name)
    for wire, dims in coupling.dims.items():
        assert tuple(map(size, dims)) == state.net.sort(wire).shape
        if wire in state.net.interface:
            assert not {axis for dim in dims for axis in axes(dim)} & set(coupling.prunable)


@given(st.data())
def test_synth_applicable(data: st.DataObject) -> None:
    """For any positions, the rule is linear, the gluing condition holds, and the result is a net."""
    state, coupling = opened(data.draw(st.sampled_from(NAMES)))
    step = carried(state, coupling, data.draw(keeps(coupling.prunable)))
    assert step.match.rule.faults() == ()
    assert step.match.violations() == ()
    assert step.result.faults() == ()
    assert (step.result.inputs, step.result.outputs) == (state.net.inputs, state.net.outputs)


@given(st.data())
def test_minimality(data: st.DataObject) -> None:
    """Without any one of its operations, L would leave something dangling."""
    state, coupling = opened(data.draw(st.sampled_from(NAMES)))
    axis = data.draw(st.sampled_from(coupling.prunable))
    stay = np.arange(length(axis) - 1) if length(axis) > 1 else np.arange(1)
    match = carried(state, coupling, {axis: stay}).match
    if not match.rule.left.operations:
        assert length(axis) == 1
        return
    gone = data.draw(st.sampled_from(list(match.rule.left.operations)))
    left = evolve(
        match.rule.left, operations={one: found for one, found in match.rule.left.operations.items() if one != gone}
    )
    smaller = evolve(match, rule=evolve(match.rule, left=left), operations={one: one for one in left.operations})
    assert [(fault.code, fault.items) for fault in smaller.violations()] == [("G1", (gone,))]


@given(st.data())
def test_prune_prune_is_prune_union(data: st.DataObject) -> None:
    """One axis after another, in any order, is all of them at once: to the provenance of every weight."""
    state, coupling = opened(data.draw(st.sampled_from(NAMES)))
    keep = data.draw(keeps(coupling.prunable))
    at_once = carried(state, coupling, keep).result
    one_by_one = in_turn(state, coupling, {axis: keep[axis] for axis in data.draw(st.permutations(list(keep)))})
    if one_by_one is None:
        assert any(len(stay) == 1 for stay in keep.values())
        return
    assert shape_hash(one_by_one) == shape_hash(at_once)
    assert plan_hash(one_by_one) == plan_hash(at_once)


def in_turn(state: State, coupling: Coupling, keep: Keep) -> Net | None:
    """The net after one cut after another; None where one that left a single position took the next one's name away."""
    for number, (axis, stay) in enumerate(keep.items()):
        places = tuple((member.tensor, member.dimension) for member in coupling.members[axis])
        prune = Prune(axis.name, length(axis), tuple(map(int, stay)), tensors=places)
        try:
            state = prune.rewrite(state, number, "s").after
        except Refusal:
            return None
    return state.net


@given(st.data())
@settings(max_examples=40)
def test_index_relation_agrees_with_execution(data: st.DataObject) -> None:
    """In torch: cutting natural axes is zeroing the weights at the positions that go, then running."""
    name = data.draw(st.sampled_from([name for name in NAMES if natural(name)]))
    state, coupling = opened(name)
    keep = data.draw(keeps(natural(name)))
    inputs = CASES[name].inputs()
    found = answers(cut(state, coupling, keep), inputs)
    assert apart(found, answers(neutralised(state, coupling, keep), inputs)) <= TOLERANCE


@cache
def natural(name: str) -> tuple[Axis, ...]:
    _, coupling = opened(name)
    return tuple(axis for axis in coupling.prunable if coupling.natural(axis))
