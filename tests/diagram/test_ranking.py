"""Ranks of new operations: where they lie, when there is no room, and that a step carries what was known before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from surgdsl.diagram.hypergraph import GAP, Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import Naming, NoPushout, apply, numbered, rewrite
from surgdsl.diagram.ranking import ranked
from surgdsl.diagram.rule import Rule
from tests.strategies import VECTOR


def call(name: str, *ports: str) -> Operation:
    return Operation(f"aten.{name}.default", ports[:-1], ports[-1:])


def graph(wires: str, **operations: Operation) -> Hypergraph:
    return Hypergraph(dict.fromkeys(wires.split(), VECTOR), operations)


# x - a - h - new - k - b - y
MIDDLE = graph("x h k y", a=call("relu", "x", "h"), new=call("tanh", "h", "k"), b=call("neg", "k", "y"))
# x - a - h - one - i - two - k - b - y
TWO = graph(
    "x h i k y", a=call("abs", "x", "h"), one=call("abs", "h", "i"), two=call("abs", "i", "k"), b=call("abs", "k", "y")
)
WEIGHT = graph("x w y", new=Operation("param", (), ("w",)), b=call("mul", "x", "w", "y"))
# p and q are both read by new, which two operations read
BUSY = graph(
    "x p q n y z",
    a=call("abs", "x", "p"), b=call("neg", "x", "q"), new=call("add", "p", "q", "n"),
    c=call("abs", "n", "y"), d=call("neg", "n", "z"),
)  # fmt: skip
LAST = graph("x h y", a=call("abs", "x", "h"), new=call("abs", "h", "y"))
ALONE = graph("w", new=Operation("param", (), ("w",)))

PLACED: Mapping[str, tuple[Hypergraph, Mapping[str, int], tuple[str, ...], Mapping[str, int] | None]] = {
    "between": (MIDDLE, {"a": 0, "b": GAP}, ("new",), {"new": GAP // 2}),
    "between those that are near": (MIDDLE, {"a": 4, "b": 6}, ("new",), {"new": 5}),
    "no room between": (MIDDLE, {"a": 4, "b": 5}, ("new",), None),
    "a path comes back": (MIDDLE, {"a": 5, "b": 4}, ("new",), None),
    "after the last": (LAST, {"a": 7}, ("new",), {"new": 7 + GAP}),
    "before the first": (WEIGHT, {"b": 7}, ("new",), {"new": 7 - GAP}),
    "all alone": (ALONE, {}, ("new",), {"new": 2 * GAP}),
    "two in a row": (TWO, {"a": 0, "b": 9}, ("one", "two"), {"one": 3, "two": 6}),
    "two in a row, room for one": (TWO, {"a": 0, "b": 2}, ("one", "two"), None),
    "two in a row, just room": (TWO, {"a": 0, "b": 3}, ("one", "two"), {"one": 1, "two": 2}),
    "above the highest writer and below the lowest reader": (
        BUSY, {"a": 10, "b": 20, "c": 50, "d": 30}, ("new",), {"new": 25}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACED)
def test_where_new_operations_rank(name: str) -> None:
    found, known, created, wanted = PLACED[name]
    assert ranked(found, known, created) == wanted


def test_two_new_ones_at_the_end_share_the_room() -> None:
    found = graph("x h i y", a=call("abs", "x", "h"), one=call("abs", "h", "i"), two=call("abs", "i", "y"))
    assert ranked(found, {"a": 0}, ("one", "two")) == {"one": GAP, "two": 2 * GAP}


ENDS = graph("p q")
LONGER = Rule(
    "longer",
    graph("p q", a=call("abs", "p", "q")),
    ENDS,
    graph("p h q", b=call("abs", "p", "h"), a=call("abs", "h", "q")),
)


def first(net: Net) -> Match:
    """Where `LONGER` matches what reads `h`."""
    ((name, one),) = [row for row in net.graph.operations.items() if row[1].sources == ("h",)]
    return Match(LONGER, net, {"p": "h", "q": one.targets[0]}, {"a": name})


def test_a_step_is_told_what_was_known_and_searches_only_when_room_runs_out() -> None:
    """Always at one place, so that the room there halves each time."""
    start = graph("x h k y", a=call("neg", "x", "h"), b=call("abs", "h", "k"), c=call("neg", "k", "y"))
    net, searched = Net(start, (("x", "x"),), (("y", "y"),)), 0
    for number in range(60):
        step = apply(first(net), str(number))
        for known in ("producers", "consumers", "ranks"):
            assert known in vars(step.context)
            assert known in vars(step.result.graph)
        kept = {name: rank for name, rank in net.graph.ranks.items() if name != first(net).operations["a"]}
        if {name: step.result.graph.ranks[name] for name in kept} != kept:
            searched += 1
        ranks = [step.result.graph.ranks[name] for name in ordered(step.result)]
        assert ranks == sorted(set(ranks))
        net = step.result
    assert searched == 1
    assert len(net.graph.operations) == 63


def ordered(net: Net) -> list[str]:
    """The operations of a chain, from the input on."""
    found, wire = list[str](), "x"
    while net.graph.consumers[wire]:
        (name,) = net.graph.consumers[wire]
        found.append(name)
        (wire,) = net.graph.operations[name].targets
    return found


def test_wires_may_not_have_the_names_of_others() -> None:
    net = Net(graph("x y", a=call("abs", "x", "y")), (("x", "x"),), (("y", "y"),))
    match = Match(LONGER, net, {"p": "x", "q": "y"}, {"a": "a"})
    with pytest.raises(NoPushout) as refused:
        rewrite(match, Naming({"h": "x"}, {"b": "b", "a": "b"}))
    assert [(fault.code, fault.items) for fault in refused.value.faults] == [("P2", ("x", "b"))]
    assert sorted(rewrite(match, Naming({"h": "a"}, {"b": "x", "a": "a"})).result.graph.wires) == ["a", "x", "y"]


def test_operations_are_numbered_after_wires() -> None:
    names = numbered(LONGER, "s")
    assert names == Naming({"h": "s.0"}, {"b": "s.1", "a": "s.2"})
