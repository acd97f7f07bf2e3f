"""Soundness: a cut of an axis that is not pinned is the net with its positions neutralised, or says that it is not."""

from __future__ import annotations

from functools import cache

import pytest

from surgdsl.bridge.weight import State
from surgdsl.diagram.canonical import renumber
from surgdsl.diagram.net import Net
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.surgery.prune import Prune
from tests.bridge.cases import CASES, OVER, PERMUTED
from tests.bridge.zoo import answers, captured
from tests.operations.cutting import apart, choices, cut, degenerate, neutralised

TOLERANCE = 1e-5


@cache
def coupled(name: str) -> tuple[State, Coupling]:
    state = captured(CASES[name])
    return state, couple(state.net)


@pytest.mark.parametrize("name", CASES)
def test_a_natural_cut_is_the_neutralised_net(name: str) -> None:
    state, coupling = coupled(name)
    inputs = CASES[name].inputs()
    assert not degenerate(answers(state, inputs))
    for keep in choices(tuple(axis for axis in coupling.prunable if coupling.natural(axis))):
        small = cut(state, coupling, keep)
        shown = {axis.name: index.tolist() for axis, index in keep.items()}
        assert apart(answers(small, inputs), answers(neutralised(state, coupling, keep), inputs)) <= TOLERANCE, shown
        assert small.net.faults() == ()


@pytest.mark.parametrize("name", CASES)
def test_every_cut_runs_and_keeps_the_interface(name: str) -> None:
    state, coupling = coupled(name)
    inputs, before = CASES[name].inputs(), answers(state, CASES[name].inputs())
    for keep in choices(coupling.prunable):
        small = cut(state, coupling, keep)
        assert [one.shape for one in answers(small, inputs)] == [one.shape for one in before]
        assert (small.net.inputs, small.net.outputs) == (state.net.inputs, state.net.outputs)
        assert all(small.net.sort(wire) == state.net.sort(wire) for wire in state.net.interface)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.natural is not None])
def test_axes_that_can_be_cut_exactly_are_found(name: str) -> None:
    _, coupling = coupled(name)
    natural = {axis.name for axis in coupling.prunable if coupling.natural(axis)}
    assert set(CASES[name].natural or ()) <= natural
    if CASES[name].natural == ():
        assert natural == set()


@pytest.mark.parametrize("name", PERMUTED)
def test_positions_that_are_looked_at_pin_the_axis_with_a_reason(name: str) -> None:
    _, coupling = coupled(name)
    assert coupling.prunable == ()
    assert all(pin.reason for pin in coupling.pins.values())


@pytest.mark.parametrize("name", OVER)
def test_a_cut_of_what_is_worked_over_says_that_it_is_approximate(name: str) -> None:
    state, coupling = coupled(name)
    over = tuple(axis for axis in coupling.prunable if not coupling.natural(axis))
    assert all(coupling.blurs[axis] for axis in over)
    inputs = CASES[name].inputs()
    assert (
        max(
            apart(answers(cut(state, coupling, keep), inputs), answers(neutralised(state, coupling, keep), inputs))
            for keep in choices(over)
        )
        > TOLERANCE
    )


@pytest.mark.parametrize("name", CASES)
def test_prune_prune_is_prune_union(name: str) -> None:
    state, coupling = coupled(name)
    for keep in choices(coupling.prunable):
        at_once = renumber(cut(state, coupling, keep).net)
        for order in (list(keep), list(keep)[::-1]):
            one_by_one = state
            for number, axis in enumerate(order):
                places = tuple((member.tensor, member.dimension) for member in coupling.members[axis])
                kept = tuple(int(index) for index in keep[axis])
                assert isinstance(axis.size, int)
                one_by_one = Prune(axis.name, axis.size, kept, tensors=places).rewrite(one_by_one, number, "s").after
            net = renumber(one_by_one.net)
            assert net.graph.wires == at_once.graph.wires
            assert skeleton(net) == skeleton(at_once)


def skeleton(net: Net) -> object:
    """The net without the provenance of its weights."""
    return [(one.name, one.attributes, one.sources, one.targets) for one in net.graph.operations.values()]


@pytest.mark.parametrize("name", CASES)
def test_all_axes_of_a_net_have_a_name_of_their_own(name: str) -> None:
    _, coupling = coupled(name)
    names = [axis.name for axis in coupling.members]
    assert len(set(names)) == len(names)
    assert all(names)
