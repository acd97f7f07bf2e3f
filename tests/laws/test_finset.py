"""The laws of squares of finite sets and of hypergraphs, against their definitions (1 to 9).

A universal property is tested by listing all maps, on sets of at most two elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.canonical import renumber
from surgdsl.diagram.cospan import beside, then, unit
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import items
from surgdsl.diagram.morphism import HypergraphMorphism, identity, inclusion
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import NoPushout
from surgdsl.diagram.square import Corner, pullback, pushout
from tests.rewriting_strategies import chains, functions, sets, subgraphs, unfoldings
from tests.strategies import UNARY, VECTOR, nets, relabelled

Span = tuple[HypergraphMorphism, HypergraphMorphism]


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """B ← A → C, sets of at most two elements."""
    a, b, c = draw(sets()), draw(sets(least=1)), draw(sets(least=1))
    return draw(functions(a, b)), draw(functions(a, c))


@st.composite
def inclusions(draw: st.DrawFn) -> Span:
    """L ← K → D, parts of one graph."""
    whole = draw(nets(most=4)).graph
    left, context = draw(subgraphs(whole)), draw(subgraphs(whole))
    glue = draw(subgraphs(common(left, context)))
    return inclusion(glue, left), inclusion(glue, context)


def common(one: Hypergraph, other: Hypergraph) -> Hypergraph:
    return Hypergraph(
        {wire: sort for wire, sort in one.wires.items() if wire in other.wires},
        {name: found for name, found in one.operations.items() if name in other.operations},
    )


def maps(dom: Hypergraph, cod: Hypergraph) -> Iterator[HypergraphMorphism]:
    """Every function between two sets."""
    for images in product(cod.wires, repeat=len(dom.wires)):
        yield HypergraphMorphism(dom, cod, dict(zip(dom.wires, images, strict=True)), {})


def mediating(square: Corner, first: HypergraphMorphism, second: HypergraphMorphism) -> HypergraphMorphism:
    """The map out of a pushout that two maps out of its sides make together."""
    wires: dict[str, str] = {}
    operations: dict[str, str] = {}
    for leg, found in ((square.first, first), (square.second, second)):
        for into, on, out in ((wires, leg.wires, found.wires), (operations, leg.operations, found.operations)):
            for item, image in on.items():
                assert into.setdefault(image, out[item]) == out[item], "the maps disagree on what is glued"
    return HypergraphMorphism(square.corner, first.cod, wires, operations)


def is_iso(found: HypergraphMorphism) -> bool:
    whole = items(found.cod.wires, found.cod.operations)
    return found.faults() == () and found.merged() == () and found.image() == whole


@given(spans() | inclusions())
def test_pushout_commutes(span: Span) -> None:
    square = pushout(*span)
    assert square.first.faults() == square.second.faults() == ()
    assert square.corner.loose_ends() == ()
    assert span[0].then(square.first) == span[1].then(square.second)


@given(spans())
def test_pushout_universal(span: Span) -> None:
    square = pushout(*span)
    target = Hypergraph(dict.fromkeys("uv", VECTOR))
    for first, second in product(maps(span[0].cod, target), maps(span[1].cod, target)):
        if span[0].then(first) == span[1].then(second):
            through = [
                found
                for found in maps(square.corner, target)
                if square.first.then(found) == first and square.second.then(found) == second
            ]
            assert len(through) == 1


@st.composite
def cospans(draw: st.DrawFn) -> Span:
    """B → D ← C, sets."""
    d = draw(sets(least=1))
    return draw(functions(draw(sets()), d)), draw(functions(draw(sets()), d))


@given(cospans())
def test_pullback_universal(cospan: Span) -> None:
    """The pairs of a pullback are all pairs with one image, each once."""
    first, second = cospan
    square = pullback(first, second)
    assert square.first.faults() == square.second.faults() == ()
    pairs = [(square.first.wires[one], square.second.wires[one]) for one in square.corner.wires]
    wanted = [(b, c) for b in first.dom.wires for c in second.dom.wires if first.wires[b] == second.wires[c]]
    assert sorted(pairs) == sorted(wanted)


@given(st.data())
def test_mono_pushout_iff_union_and_intersection(data: st.DataObject) -> None:
    whole = data.draw(nets(most=3)).graph
    left, context = data.draw(subgraphs(whole)), data.draw(subgraphs(whole))
    both = common(left, context)
    glue = data.draw(st.just(both) | subgraphs(both))
    square = pushout(inclusion(glue, left), inclusion(glue, context))
    compared = mediating(square, inclusion(left, whole), inclusion(context, whole))
    covers = items(left.wires, left.operations) | items(context.wires, context.operations)
    meets = items(both.wires, both.operations) == items(glue.wires, glue.operations)
    assert is_iso(compared) == (meets and covers == items(whole.wires, whole.operations))


@given(spans() | inclusions())
def test_pushout_symmetric(span: Span) -> None:
    one, other = pushout(*span), pushout(span[1], span[0])
    assert is_iso(mediating(one, other.second, other.first))


@given(inclusions())
def test_pushout_of_iso_is_iso(span: Span) -> None:
    leg, _ = span
    moved = primed(leg.dom)
    square = pushout(leg, moved)
    assert is_iso(square.first)
    assert square.second.merged() == ()


def primed(graph: Hypergraph) -> HypergraphMorphism:
    """An isomorphic copy of a graph."""

    def prime(name: str) -> str:
        return f"{name}'"

    copy = relabelled(Net(graph, (), ()), prime, prime, list(graph.operations)).graph
    return HypergraphMorphism(graph, copy, {one: prime(one) for one in graph.wires}, {
        one: prime(one) for one in graph.operations
    })  # fmt: skip


@st.composite
def ladders(draw: st.DrawFn) -> tuple[HypergraphMorphism, HypergraphMorphism, HypergraphMorphism]:
    """A → B → C and A → X, sets."""
    a, b, c, x = draw(sets()), *(draw(sets(least=1)) for _ in "bcx")
    return draw(functions(a, b)), draw(functions(b, c)), draw(functions(a, x))


@st.composite
def unfolded_ladders(draw: st.DrawFn) -> tuple[HypergraphMorphism, HypergraphMorphism, HypergraphMorphism]:
    """A → B → C and A → X, graphs, where A is glued differently in B and X."""
    small, middle, large = draw(chains(3))
    down = draw(unfoldings(small))
    return down.then(inclusion(small, middle)), inclusion(middle, large), down


@given(ladders() | unfolded_ladders())
def test_pasting(ladder: tuple[HypergraphMorphism, HypergraphMorphism, HypergraphMorphism]) -> None:
    """The pushout along A → B → C is the pushout of the pushout."""
    first, second, down = ladder
    near = pushout(first, down)
    far = pushout(second, near.first)
    whole = pushout(first.then(second), down)
    assert is_iso(mediating(whole, far.first, near.second.then(far.second)))


@given(st.data())
def test_pullback_stability(data: st.DataObject) -> None:
    """What lies over a pushout of inclusions is the pushout of what lies over its parts (van Kampen)."""
    whole = data.draw(nets(most=4)).graph
    left, context = data.draw(subgraphs(whole)), data.draw(subgraphs(whole))
    glue, union = common(left, context), Hypergraph(
        {**left.wires, **context.wires}, {**left.operations, **context.operations}
    )  # fmt: skip
    over = data.draw(unfoldings(union))
    above = {
        name: pullback(over, inclusion(part, union)) for name, part in zip("KLD", (glue, left, context), strict=True)
    }
    assert all(found.first.faults() == () for found in above.values())
    parts = {name: found.corner for name, found in above.items()}  # pairs have one name in all of them
    again = pushout(inclusion(parts["K"], parts["L"]), inclusion(parts["K"], parts["D"]))
    assert is_iso(mediating(again, above["L"].first, above["D"].first))


@given(st.data())
def test_compose_assoc(data: st.DataObject) -> None:
    first, second, third = data.draw(towers())
    assert first.then(second).then(third) == first.then(second.then(third))
    assert first.then(second.then(third)).faults() == ()


@st.composite
def towers(draw: st.DrawFn) -> tuple[HypergraphMorphism, HypergraphMorphism, HypergraphMorphism]:
    """Three morphisms, one after another."""
    third = draw(unfoldings(draw(nets(most=4)).graph))
    second = draw(unfoldings(third.dom))
    return draw(unfoldings(second.dom)), second, third


@given(nets(most=4).flatmap(lambda net: unfoldings(net.graph)))
def test_identity_neutral(found: HypergraphMorphism) -> None:
    assert identity(found.dom).then(found) == found == found.then(identity(found.cod))


@st.composite
def composable(draw: st.DrawFn) -> tuple[Net, Net, Net]:
    """Nets of two inputs, of which the first two have two outputs."""
    first, second, third = (draw(nets(most=4)) for _ in range(3))
    return two(first), two(second), third


def two(net: Net) -> Net:
    """The net with its first and its last output."""
    ends = (("a", net.outputs[0][1]), ("b", net.outputs[-1][1]))
    return then(evolve(net, outputs=ends), unit(evolve(net, outputs=ends)))


@given(composable())
def test_cospan_composition_associative(found: tuple[Net, Net, Net]) -> None:
    first, second, third = found
    one, other = then(then(first, second), third), then(first, then(second, third))
    assert one.faults() == other.faults() == ()
    assert renumber(one) == renumber(other)


@given(nets(), nets())
def test_cospan_identity_and_interchange(first: Net, second: Net) -> None:
    assert renumber(then(first, unit(first))) == renumber(first)
    both = beside(first, second)
    assert both.faults() == ()
    assert renumber(then(both, beside(unit(first), unit(second)))) == renumber(both)
    assert len(both.graph.operations) == len(first.graph.operations) + len(second.graph.operations)


def test_ends_that_do_not_fit_are_refused() -> None:
    net = Net(Hypergraph({"x": VECTOR}), (("x", "x"),), (("x", "x"), ("y", "x")))
    with pytest.raises(NoPushout, match="M: the ends do not fit"):
        then(net, net)


def test_what_the_second_net_ignores_is_dropped() -> None:
    call = Operation(UNARY[0], ("x",), ("y",))
    first = Net(Hypergraph({"x": VECTOR, "y": VECTOR}, {"r": call}), (("x", "x"),), (("x", "x"), ("y", "y")))
    second = Net(Hypergraph({"p": VECTOR, "q": VECTOR}), (("p", "p"), ("q", "q")), (("p", "p"),))
    assert then(first, second).graph.operations == {}
    held = evolve(first, boundary={"seen": "y"})
    found = then(held, second)
    assert [one.name for one in found.graph.operations.values()] == [UNARY[0]]
    assert found.graph.producers[found.boundary["seen"]] == tuple(found.graph.operations)
