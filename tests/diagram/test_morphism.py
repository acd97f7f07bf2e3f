"""Morphisms of hypergraphs: every way in which a pair of maps fails to be one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.gluing import gluing_violations
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.match import Match
from surgdsl.diagram.morphism import HypergraphMorphism, identity
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from tests.rewriting_strategies import unfoldings
from tests.strategies import VECTOR, nets

CALL = Operation("aten.relu.default", ("p",), ("q",))
SMALL = Hypergraph({"p": VECTOR, "q": VECTOR}, {"e": CALL})
LARGE = Hypergraph(
    {"x": VECTOR, "h": VECTOR, "y": VECTOR, "s": Sort("F32", (3,))},
    {
        "a": evolve(CALL, sources=("x",), targets=("h",)),
        "b": Operation("aten.tanh.default", ("h",), ("y",)),
        "c": evolve(CALL, sources=("h",), targets=("y",)),
    },
)
GOOD = HypergraphMorphism(SMALL, LARGE, {"p": "x", "q": "h"}, {"e": "a"})
SAID = "it is not said where these items go"
BROKEN: Mapping[str, tuple[HypergraphMorphism, list[tuple[str, tuple[str, ...]]]]] = {
    "a wire goes nowhere": (evolve(GOOD, wires={"p": "x"}), [(SAID, ("q",))]),
    "an operation goes nowhere": (evolve(GOOD, operations={}), [(SAID, ("e",))]),
    "too many items": (
        evolve(GOOD, wires={**GOOD.wires, "r": "y"}, operations={"e": "a", "f": "b"}),
        [("these are no items of the left side", ("r", "f"))],
    ),
    "out of the codomain": (
        evolve(GOOD, wires={"p": "x", "q": "z"}, operations={"e": "d"}),
        [("these go to no item of the net", ("q", "e"))],
    ),
    "another sort": (
        evolve(GOOD, wires={"p": "x", "q": "s"}),
        [("these wires go to wires of another sort", ("q",)), ("these go to operations at other wires", ("e",))],
    ),
    "another label": (
        evolve(GOOD, wires={"p": "h", "q": "y"}, operations={"e": "b"}),
        [("these go to operations with another label", ("e",))],
    ),
    "another source": (evolve(GOOD, wires={"p": "y", "q": "h"}), [("these go to operations at other wires", ("e",))]),
    "another target": (evolve(GOOD, wires={"p": "x", "q": "y"}), [("these go to operations at other wires", ("e",))]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_breach_of_a_morphism_is_told(name: str) -> None:
    found, wanted = BROKEN[name]
    assert [(fault.message, fault.items) for fault in found.faults()] == wanted
    assert {fault.code for fault in found.faults()} == {"M"}


def test_a_morphism_has_no_faults() -> None:
    assert GOOD.faults() == ()
    assert GOOD.image() == items(["x", "h"], ["a"])
    assert identity(LARGE).image() == items(LARGE.wires, LARGE.operations)
    assert eval(repr(GOOD)) == GOOD  # noqa: S307 - the law is about eval


@given(nets(most=4).flatmap(lambda net: unfoldings(net.graph)))
def test_drawn_morphisms_are_morphisms_and_merged_is_what_shares_an_image(found: HypergraphMorphism) -> None:
    assert found.faults() == ()
    for maps in (found.wires, found.operations):
        for name, image in maps.items():
            assert (name in found.merged()) == any(image == other for one, other in maps.items() if one != name)


TWICE = Hypergraph({"p": VECTOR, "q": VECTOR, "r": VECTOR}, {"e": CALL})


@pytest.mark.parametrize(
    ("kept", "wanted"), [(("p", "q", "r"), []), (("p", "q"), ["G2"]), (("q", "r"), ["G2"]), (("q",), ["G1", "G2"])]
)
def test_an_item_that_goes_may_be_no_other_item(kept: tuple[str, ...], wanted: list[str]) -> None:
    """p and r are one wire of the net: it can only go if no other operation uses it, and if it goes as both."""
    morphism = HypergraphMorphism(TWICE, LARGE, {"p": "h", "q": "y", "r": "h"}, {"e": "c"})
    glue = Hypergraph(dict.fromkeys(kept, VECTOR))
    codes = [fault.code for fault in gluing_violations(glue, morphism)]
    assert [code for code in codes if code == "G2" or "G1" in wanted] == wanted
    if "G2" in wanted:
        assert [fault.items for fault in gluing_violations(glue, morphism) if fault.code == "G2"] == [("p", "r")]


def test_all_violations_of_a_match_are_told_together() -> None:
    host = Net(LARGE, (("x", "x"),), (("y", "y"),), {"seen": "h"})
    rule = Rule("gone", TWICE, Hypergraph({"q": VECTOR}), Hypergraph({"q": VECTOR}))
    match = Match(rule, host, {"p": "h", "q": "y", "r": "h"}, {"e": "c"})
    assert [(str(fault), fault.items) for fault in match.violations()] == [
        ("M: items of L go to one item of the net", ("p", "r")),
        ("G1: an operation outside the match uses a wire that would go", ("a", "b")),
        ("G2: an item that would go is also another item of the match", ("p", "r")),
        ("G3: a wire of an interface would go", ("h", "h")),
    ]


def test_items_are_told_apart_by_kind() -> None:
    assert len(items(["a"], ["a"])) == 2
    assert str(Item("wire", "a")) == "wire a"
    assert sorted(items(["b"], ["c", "a"])) == [Item("operation", "a"), Item("operation", "c"), Item("wire", "b")]


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_items_of_names(wires: set[str], operations: set[str]) -> None:
    assert len(items(wires, operations)) == len(wires) + len(operations)
