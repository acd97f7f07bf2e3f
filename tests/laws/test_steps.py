"""The laws of double-pushout steps, against finite sets by brute force (16 to 25)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.canonical import renumber
from surgdsl.diagram.convexity import between, closure, is_weakly_convex
from surgdsl.diagram.gluing import gluing_violations
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.match import Match
from surgdsl.diagram.morphism import HypergraphMorphism, inclusion
from surgdsl.diagram.net import Net
from surgdsl.diagram.pushout import NoPushout, apply, complement, numbered, placed, rewrite
from surgdsl.diagram.square import pushout
from tests.rewriting_strategies import bounded, returning, rewirings, subgraphs, unfoldings
from tests.strategies import matches, matches_in, nets, parts, relabelled

Items = frozenset[Item]


def whole(graph: Hypergraph) -> Items:
    return items(graph.wires, graph.operations)


@given(matches())
def test_drawn_rules_are_linear_and_their_matches_glue(match: Match) -> None:
    assert match.rule.faults() == ()
    assert match.violations() == ()


@given(matches())
def test_complement_then_pushout(match: Match) -> None:
    """G is the pushout of L ← K → D, computed from the definition."""
    context, glue = complement(match), match.rule.glue
    into = HypergraphMorphism(glue, context, *places(match, glue))
    square = pushout(inclusion(glue, match.rule.left), into)
    found = Net(square.corner, *moved_ends(match.host, square.second.wires, square.first.wires, match.wires))
    assert renumber(found) == renumber(match.host)


def places(match: Match, glue: Hypergraph) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return (
        {wire: match.wires[wire] for wire in glue.wires},
        {name: match.operations[name] for name in glue.operations},
    )


def moved_ends(
    net: Net, kept: Mapping[str, str], glued: Mapping[str, str], match: Mapping[str, str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], Mapping[str, str]]:
    """The interface of a net in the corner of a square."""
    back = {image: glued[wire] for wire, image in match.items()}
    at = {**back, **kept}
    return (
        tuple((name, at[wire]) for name, wire in net.inputs),
        tuple((name, at[wire]) for name, wire in net.outputs),
        {name: at[wire] for name, wire in net.boundary.items()},
    )


@given(matches())
def test_second_square_is_a_pushout(match: Match) -> None:
    """H is the pushout of D ← K → R, computed from the definition."""
    step, glue = apply(match, "s"), match.rule.glue
    into = HypergraphMorphism(glue, step.context, *places(match, glue))
    square = pushout(inclusion(glue, match.rule.right), into)
    ends = moved_ends(match.host, square.second.wires, square.first.wires, {})
    assert renumber(Net(square.corner, *ends)) == renumber(step.result)


@given(matches())
def test_identity_rule(match: Match) -> None:
    rule = match.rule
    same = evolve(match, rule=evolve(rule, glue=rule.left, right=rule.left))
    assert apply(same, "s").result == match.host


@given(bounded().flatmap(matches_in))
def test_apply_preserves_net(match: Match) -> None:
    result = apply(match, "s").result
    assert result.faults() == ()
    fresh = Hypergraph(dict(result.graph.wires), dict(result.graph.operations))
    assert evolve(result, graph=fresh).faults() == ()


@given(bounded().flatmap(matches_in))
def test_interface_preserved(match: Match) -> None:
    before, after = match.host, apply(match, "s").result
    assert (after.inputs, after.outputs, after.boundary) == (before.inputs, before.outputs, before.boundary)
    assert all(after.sort(wire) == before.sort(wire) for wire in before.interface)


@given(matches())
def test_inverse_undoes(match: Match) -> None:
    """p⁻¹ at the comatch gives the net back, to the very names."""
    step = apply(match, "s")
    back = Match(match.rule.inverse(), step.result, step.comatch_wires, step.comatch_operations)
    undone = rewrite(back, step.inverse().naming)
    assert undone == step.inverse()
    assert undone.result == match.host
    assert undone.inverse() == step


@given(matches())
def test_match_equivariance(match: Match) -> None:
    def primed(name: str) -> str:
        return f"{name}'"

    host = relabelled(match.host, primed, primed, list(match.host.graph.operations))
    wires = {wire: primed(place) for wire, place in match.wires.items()}
    operations = {name: primed(place) for name, place in match.operations.items()}
    moved = apply(Match(match.rule, host, wires, operations), "s")
    assert renumber(moved.result) == renumber(apply(match, "s").result)


def subsets(found: Iterable[str]) -> Iterator[frozenset[str]]:
    names = list(found)
    return (frozenset(some) for count in range(len(names) + 1) for some in combinations(names, count))


def closed_parts(graph: Hypergraph) -> Iterator[Hypergraph]:
    """Every sub-hypergraph."""
    for wires in subsets(graph.wires):
        inside = [name for name, one in graph.operations.items() if {*one.sources, *one.targets} <= wires]
        for names in subsets(inside):
            yield Hypergraph(
                {wire: graph.wires[wire] for wire in sorted(wires)},
                {name: graph.operations[name] for name in sorted(names)},
            )


def classes(left: Items, context: Items, pairs: Iterable[tuple[Item, Item]]) -> list[frozenset[tuple[str, Item]]]:
    """The pushout of finite sets from its definition: the disjoint union, the images of each glue item made one."""
    found: list[frozenset[tuple[str, Item]]] = [frozenset([("left", item)]) for item in left]
    found += [frozenset([("context", item)]) for item in context]
    for one, other in pairs:
        joined = [some for some in found if ("left", one) in some or ("context", other) in some]
        found = [some for some in found if some not in joined] + [frozenset(chain(*joined))]
    return found


def has_complement(glue: Hypergraph, morphism: HypergraphMorphism) -> bool:
    """Whether some D ⊆ G makes G the pushout of L ← K → D: all are tried."""
    place = {Item("wire", wire): Item("wire", image) for wire, image in morphism.wires.items()}
    place |= {Item("operation", name): Item("operation", image) for name, image in morphism.operations.items()}
    left, goal = whole(morphism.dom), whole(morphism.cod)
    below = [(item, place[item]) for item in whole(glue)]
    for part in closed_parts(morphism.cod):
        context = whole(part)
        if all(image in context for _, image in below):
            reached = [
                {place[item] if side == "left" else item for side, item in some}
                for some in classes(left, context, below)
            ]
            if all(len(some) == 1 for some in reached) and sorted(chain(*reached)) == sorted(goal):
                return True
    return False


@given(st.data())
def test_violation_iff_no_complement(data: st.DataObject) -> None:
    """For any morphism, also one that is not injective, and any K ⊆ L."""
    graph = data.draw(nets(most=3)).graph
    part = subgraphs(graph).map(lambda found: inclusion(found, graph))
    morphism = data.draw(st.one_of(part, unfoldings(graph, most=2)))
    glue = data.draw(subgraphs(morphism.dom))
    assert morphism.faults() == ()
    assert (gluing_violations(glue, morphism) == ()) == has_complement(glue, morphism)


@given(parts())
def test_a_complement_is_the_largest_context(match: Match) -> None:
    if match.violations():
        with pytest.raises(NoPushout):
            complement(match)
        return
    found = complement(match)
    assert whole(found) == whole(match.host.graph) - (whole(match.rule.left) - whole(match.rule.glue))
    assert found.loose_ends() == ()


def naive(match: Match) -> Net:
    """H as sets, from scratch."""
    rule, graph, names = match.rule, match.host.graph, numbered(match.rule, "s")
    wires = {**{wire: match.wires[wire] for wire in rule.glue.wires}, **names.wires}
    kept = {wire: sort for wire, sort in graph.wires.items() if Item("wire", wire) not in match.deletes}
    old = {name: one for name, one in graph.operations.items() if Item("operation", name) not in match.deletes}
    new = {names.operations[name]: placed(one, wires) for name, one in rule.created.operations.items()}
    sorts = {names.wires[wire]: sort for wire, sort in rule.created.wires.items()}
    return evolve(match.host, graph=Hypergraph({**kept, **sorts}, {**old, **new}))


@given(rewirings())
def test_a_step_is_refused_exactly_if_its_result_is_no_net(match: Match) -> None:
    """What is looked at around the new items decides as looking at the whole net would."""
    wanted = naive(match)
    codes = {fault.code for fault in wanted.faults()}
    if codes:
        with pytest.raises(NoPushout) as refused:
            apply(match, "s")
        assert {fault.code for fault in refused.value.faults} == codes
        return
    step = apply(match, "s")
    assert step.result == wanted
    order = step.result.graph.ranks
    assert order.keys() == wanted.graph.operations.keys()
    for name, one in wanted.graph.operations.items():
        for wire in one.sources:
            assert all(order[maker] < order[name] for maker in wanted.graph.producers[wire])
    assert dict(step.result.graph.producers) == dict(wanted.graph.producers)
    assert dict(step.result.graph.consumers) == dict(wanted.graph.consumers)


@given(rewirings())
def test_weakly_convex_implies_acyclic(match: Match) -> None:
    codes = {fault.code for fault in naive(match).faults()}
    assert "N3" not in codes or not is_weakly_convex(match)


@given(returning())
def test_a_path_that_comes_back_is_seen(match: Match) -> None:
    middle = {name for name in match.host.graph.operations if name.startswith("middle")}
    assert middle <= set(between(match))
    assert not is_weakly_convex(match)


@given(rewirings())
def test_closure_same_result(match: Match) -> None:
    closed = closure(match)
    assert is_weakly_convex(closed)
    assert closed.violations() == match.violations() == ()
    assert closed.deletes == match.deletes
    assert naive(closed) == naive(match)
    cyclic = "N3" in {fault.code for fault in naive(match).faults()}
    assert [fault.code for fault in closed.rule.faults()] == (["R4"] if cyclic else [])  # where the path is in the rule
    assert closed.reads - match.reads >= items((), between(match))


@given(rewirings())
def test_between_is_what_lies_on_paths(match: Match) -> None:
    """By walking every path that leaves the match, where `between` walks from both ends."""
    graph, left = match.host.graph, match.rule.left
    inside = set(match.operations.values())
    entered = {match.wires[wire] for wire in left.wires if not left.producers[wire]}

    def found(wire: str, path: tuple[str, ...]) -> Iterator[str]:
        for name in graph.consumers[wire]:
            if name not in inside:
                for target in graph.operations[name].targets:
                    if target in entered:
                        yield from (*path, name)
                    yield from found(target, (*path, name))

    starts = [match.wires[wire] for wire in left.wires if left.producers[wire]]
    assert set(between(match)) == {name for wire in starts for name in found(wire, ())}


@given(bounded().flatmap(matches_in), st.data())
def test_deleting_a_consumer_from_L_dangles(match: Match, data: st.DataObject) -> None:
    left = match.rule.left
    gone = set(match.rule.deleted.wires)
    touching = [name for name, one in left.operations.items() if gone & {*one.sources, *one.targets}]
    if not touching:
        assert gone <= {wire for wire in left.wires if not left.producers[wire] and not left.consumers[wire]}
        return
    name = data.draw(st.sampled_from(touching))
    smaller = evolve(left, operations={one: found for one, found in left.operations.items() if one != name})
    short = evolve(match, rule=evolve(match.rule, left=smaller), operations={one: one for one in smaller.operations})
    assert [(fault.code, fault.items) for fault in short.violations()] == [("G1", (name,))]


@given(matches(), st.data())
def test_adding_a_leg_inside_L_breaks_the_interface(match: Match, data: st.DataObject) -> None:
    gone = list(match.rule.deleted.wires)
    held = data.draw(st.lists(st.sampled_from(gone), unique=True)) if gone else []
    host = evolve(match.host, boundary={f"held {wire}": wire for wire in held})
    found = evolve(match, host=host).violations()
    wanted = [wire for wire in gone if wire in held]
    assert [(fault.code, fault.items) for fault in found] == ([("G3", tuple(wanted))] if wanted else [])
