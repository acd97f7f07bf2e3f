"""Convexity on one net where it matters: a match of the two ends of a chain, with and without what is between."""

from __future__ import annotations

from surgdsl.diagram.convexity import between, closure, is_weakly_convex
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import items
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import apply
from surgdsl.diagram.rule import Rule
from tests.strategies import VECTOR


def call(name: str, *ports: str) -> Operation:
    return Operation(f"aten.{name}.default", ports[:-1], ports[-1:])


def graph(wires: str, **operations: Operation) -> Hypergraph:
    return Hypergraph(dict.fromkeys(wires.split(), VECTOR), operations)


# x - a - h - b - k - c - y, where b also reads x, and d reads h
HOST = Net(
    graph(
        "x h k y z",
        a=call("relu", "x", "h"),
        b=call("add", "h", "x", "k"),
        c=call("neg", "k", "y"),
        d=call("abs", "h", "z"),
    ),
    (("x", "x"),),
    (("y", "y"), ("z", "z")),
)
ENDS = graph("p b q r", b=call("relu", "p", "b"), f=call("neg", "q", "r"))
RULE = Rule("ends", ENDS, graph("p b q r"), graph("p b q r", s=call("tanh", "p", "b"), b=call("sin", "q", "r")))
MATCH = Match(RULE, HOST, {"p": "x", "b": "h", "q": "k", "r": "y"}, {"b": "a", "f": "c"})


def test_what_lies_between() -> None:
    assert between(MATCH) == ("b",)
    assert not is_weakly_convex(MATCH)


def test_the_closure_takes_it_in_under_a_name_that_is_free() -> None:
    closed = closure(MATCH)
    taken = call("add", "b", "p", "q")
    assert dict(closed.rule.left.operations) == {**ENDS.operations, "b'": taken}
    assert dict(closed.rule.glue.operations) == {"b'": taken}
    assert dict(closed.rule.right.operations) == {**RULE.right.operations, "b'": taken}
    assert (closed.wires, closed.operations) == (MATCH.wires, {"b": "a", "f": "c", "b'": "b"})
    assert closed.violations() == closed.rule.faults() == ()
    assert closed.reads == MATCH.reads | items((), "b")
    assert is_weakly_convex(closed)
    assert closure(closed) == closed
    assert apply(closed, "s").result == apply(MATCH, "s").result


def test_wires_between_get_free_names_too() -> None:
    long = Net(
        graph(
            "x h k l y",
            a=call("relu", "x", "h"),
            b=call("abs", "h", "l"),
            e=call("abs", "l", "k"),
            c=call("neg", "k", "y"),
        ),
        (("x", "x"),),
        (("y", "y"),),
    )
    rule = Rule(
        "ends",
        graph("p l q r", e=call("relu", "p", "l"), f=call("neg", "q", "r")),
        graph("p l q r"),
        graph("p l q r l'", g=call("tanh", "p", "l'"), h=call("tanh", "l'", "l"), f=call("neg", "q", "r")),
    )
    match = Match(rule, long, {"p": "x", "l": "h", "q": "k", "r": "y"}, {"e": "a", "f": "c"})
    closed = closure(match)
    assert between(match) == ("b", "e")
    assert closed.wires == {**match.wires, "l''": "l"}
    assert closed.operations == {**match.operations, "b": "b", "e'": "e"}
    assert closed.rule.left.operations["e'"] == call("abs", "l''", "q")
    assert apply(closed, "s").result == apply(match, "s").result


def test_free_names_are_free_of_each_other() -> None:
    """Of two operations between, one has the name that the other would get."""
    long = Net(
        Hypergraph(
            dict.fromkeys("xhlky", VECTOR),
            {
                "a": call("relu", "x", "h"),
                "e'": call("abs", "h", "l"),
                "e": call("abs", "l", "k"),
                "c": call("neg", "k", "y"),
            },
        ),
        (("x", "x"),),
        (("y", "y"),),
    )
    ends = graph("p o q r", e=call("relu", "p", "o"), f=call("neg", "q", "r"))
    closed = closure(
        Match(Rule("ends", ends, ends, ends), long, dict(zip("poqr", "xhky", strict=True)), {"e": "a", "f": "c"})
    )
    assert closed.operations == {"e": "a", "f": "c", "e'": "e'", "e''": "e"}
