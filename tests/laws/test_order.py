"""The laws of the order of steps: independence, layers, linear extensions, parallel and composite steps (31 to 37)."""

from __future__ import annotations

from itertools import combinations, islice

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.causality import causality, linear_extension, linear_extensions
from surgdsl.diagram.concurrency import composite
from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hashing import graph_hash, plan_hash
from surgdsl.diagram.independence import clashes, conflicts
from surgdsl.diagram.item import items
from surgdsl.diagram.match import Match
from surgdsl.diagram.morphism import inclusion
from surgdsl.diagram.parallel import in_layers, together
from surgdsl.diagram.pushout import NoPushout, apply, numbered, replayed
from surgdsl.diagram.square import pullback
from tests.rewriting_strategies import derivations, independent_pairs, pairs

SOME = 24
"""Of the linear extensions of a derivation, how many are taken."""


@st.composite
def extensions(draw: st.DrawFn, derivation: Derivation) -> tuple[int, ...]:
    """Any order that keeps to the causes."""
    keys = draw(st.permutations(range(len(derivation.steps))))
    return linear_extension(derivation.causes, keys.__getitem__)


@given(independent_pairs())
def test_independent_commute(pair: tuple[Match, Match]) -> None:
    """The residual match is the same map, and both orders give one net under the same names."""
    first, second = pair
    assert conflicts(first, second) == conflicts(second, first) == ()
    one, other = apply(first, "1"), apply(second, "2")
    after_one, after_other = replayed(other, one.result), replayed(one, other.result)
    assert after_one.result == after_other.result
    assert (after_one.match.wires, after_one.match.operations) == (second.wires, second.operations)


@given(pairs())
def test_conflicts_are_what_the_pullbacks_disagree_on(pair: tuple[Match, Match]) -> None:
    """Independent exactly if the pullback of the matches is the pullback of their glues."""
    first, second = pair
    corner = pullback(first.morphism, second.morphism).corner
    kept = pullback(
        inclusion(first.rule.glue, first.rule.left).then(first.morphism),
        inclusion(second.rule.glue, second.rule.left).then(second.morphism),
    ).corner
    shared = len(items(corner.wires, corner.operations)) - len(items(kept.wires, kept.operations))
    found = conflicts(first, second)
    assert shared == len(found)
    assert {conflict.item for conflict in found} == (first.deletes & (second.deletes | second.reads)) | (
        first.reads & second.deletes
    )
    mirrored = {"delete-use": "use-delete", "use-delete": "delete-use", "delete-delete": "delete-delete"}
    assert {(mirrored[one.kind], one.item) for one in found} == {
        (one.kind, one.item) for one in conflicts(second, first)
    }
    assert clashes(pair) == ({(0, 1): found} if found else {})


@given(derivations())
def test_any_linear_extension_same_hash(derivation: Derivation) -> None:
    assert derivation.faults() == ()
    wanted = derivation.result
    for order in islice(linear_extensions(derivation.causes), SOME):
        other = derivation.reordered(order)
        assert other.faults() == ()
        assert other.result == wanted
        assert (graph_hash(other.result), plan_hash(other.result)) == (graph_hash(wanted), plan_hash(wanted))


@given(derivations())
def test_layers_pairwise_independent(derivation: Derivation) -> None:
    """Also: a layer holds all whose causes lie before it, and taking the layers in turn keeps to the causes."""
    found, done = derivation.layers(), set[int]()
    assert sorted(step for layer in found for step in layer) == list(range(len(derivation.steps)))
    net = derivation.start
    for layer in found:
        moved = [evolve(derivation.steps[step].match, host=net) for step in layer]
        assert all(match.violations() == () for match in moved)
        assert all(conflicts(one, other) == () for one, other in combinations(moved, 2))
        ready = {step for step, causes in enumerate(derivation.causes) if step not in done and causes <= done}
        assert set(layer) == ready
        done |= set(layer)
        for step in layer:
            net = replayed(derivation.steps[step], net).result


@given(derivations())
def test_parallel_step_is_the_sequence(derivation: Derivation) -> None:
    short = in_layers(derivation)
    assert short.faults() == ()
    assert len(short.steps) == len(derivation.layers())
    assert short.result == derivation.result


@given(independent_pairs())
def test_two_at_once_are_two_in_turn(pair: tuple[Match, Match]) -> None:
    one, other = (apply(match, stem) for match, stem in zip(pair, "12", strict=True))
    at_once = together(pair[0].host, pair, [one.naming, other.naming])
    assert at_once.result == replayed(other, one.result).result
    assert at_once.match.deletes == pair[0].deletes | pair[1].deletes
    assert at_once.creates == one.creates | other.creates


@given(pairs())
def test_dependent_steps_are_not_taken_at_once(pair: tuple[Match, Match]) -> None:
    found = conflicts(*pair)
    namings = [numbered(match.rule, stem) for match, stem in zip(pair, "12", strict=True)]
    if not found:
        assert together(pair[0].host, pair, namings).result.faults() == ()
        return
    with pytest.raises(NoPushout, match="I: the steps are not independent") as refused:
        together(pair[0].host, pair, namings)
    assert set(refused.value.faults[0].items) == {conflict.item.name for conflict in found}


@given(st.data())
def test_order_stable(data: st.DataObject) -> None:
    """However independent steps were written down, the canonical order is the same."""
    derivation = data.draw(derivations())
    canonical = linear_extension(derivation.causes)
    written = data.draw(extensions(derivation))
    other = derivation.reordered(written)
    assert [written[step] for step in linear_extension(other.causes, written.__getitem__)] == list(canonical)
    assert {(written[a], written[b]) for b, causes in enumerate(other.causes) for a in causes} == {
        (a, b) for b, causes in enumerate(derivation.causes) for a in causes
    }


@given(st.data())
def test_wrong_order_rejected(data: st.DataObject) -> None:
    """A step before one of its causes finds no match: it needs what is not made, or reads what is gone."""
    derivation = data.draw(derivations())
    back = derivation.steps[-1].inverse()
    derivation = derivation.then(back)  # at least this one has a cause, if the last step did anything
    wrong = [(cause, step) for step, causes in enumerate(derivation.causes) for cause in causes]
    assert wrong or derivation.steps[-2].effects.deletes == derivation.steps[-2].creates == frozenset()
    for cause, step in wrong:
        order = [one for one in range(len(derivation.steps)) if one != step]
        order.insert(order.index(cause), step)
        with pytest.raises(NoPushout):
            derivation.reordered(order)


@given(st.data())
def test_neighbours_switch_exactly_if_neither_causes_the_other(data: st.DataObject) -> None:
    derivation = data.draw(derivations())
    derivation = derivation.then(derivation.steps[-1].inverse())
    for first in range(len(derivation.steps) - 1):
        if first in derivation.causes[first + 1]:
            with pytest.raises(NoPushout):
                derivation.switched(first)
        else:
            assert derivation.switched(first).result == derivation.result


@given(derivations())
def test_causes_are_those_of_every_pair(derivation: Derivation) -> None:
    """By the definition, pair by pair; items made twice under one name have the later maker."""
    effects = [step.effects for step in derivation.steps]
    for later, step in enumerate(effects):
        wanted = {
            earlier
            for earlier in range(later)
            if effects[earlier].creates & (step.deletes | step.reads) or effects[earlier].reads & step.deletes
        }
        assert derivation.causes[later] == wanted
    assert causality(effects) == derivation.causes


@given(derivations())
def test_concurrent_rule(derivation: Derivation) -> None:
    """One composite step does what the steps do."""
    step = composite(derivation)
    assert step.match.rule.faults() == step.match.violations() == ()
    assert step.result == derivation.result
    assert step.match.host == derivation.start
    assert step.match.rule.name == "; ".join(["drawn"] * len(derivation.steps))
    assert step.inverse() == composite(derivation.inverse())


@given(derivations(most=3))
def test_composition_of_steps_is_associative(derivation: Derivation) -> None:
    start, steps = derivation.start, derivation.steps
    for cut in range(1, len(steps)):
        first = composite(Derivation(start, steps[:cut]))
        second = composite(Derivation(first.result, steps[cut:]))
        both, whole = composite(Derivation(start, (first, second))), composite(derivation)
        assert both.match.deletes == whole.match.deletes
        assert (both.creates, both.result) == (whole.creates, whole.result)


@given(derivations())
def test_inverse_of_a_derivation(derivation: Derivation) -> None:
    back = derivation.inverse()
    assert back.faults() == ()
    assert back.result == derivation.start
    assert back.inverse() == derivation
    assert evolve(derivation, steps=derivation.steps + back.steps).result == derivation.start


@given(derivations())
def test_tracks_are_what_every_step_keeps(derivation: Derivation) -> None:
    track = derivation.track()
    graph, after = derivation.start.graph, derivation.result.graph
    left = items(graph.wires, graph.operations) & items(after.wires, after.operations)
    assert set(track) == left
    assert all(item == image for item, image in track.items())
    for name in (item.name for item in track if item.kind == "operation"):
        assert after.operations[name] == graph.operations[name]
