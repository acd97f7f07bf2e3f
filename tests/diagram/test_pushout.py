"""Double pushouts: every reason why a rule or a match cannot be, and how new items are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from attrs import evolve
from hypothesis import given

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.pushout import NoPushout, Step, apply, complement
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from tests.strategies import VECTOR, matches


@given(matches())
def test_the_context_is_untouched(match: Match) -> None:
    step = apply(match, "s")
    for graph in (match.host.graph, step.result.graph):
        assert all(graph.wires[wire] == sort for wire, sort in step.context.wires.items())
        assert all(graph.operations[name] == one for name, one in step.context.operations.items())


@given(matches())
def test_repr_of_a_rule_and_a_match_evaluates(match: Match) -> None:
    assert eval(repr(match)) == match  # noqa: S307 - the law is about eval
    step = apply(match, "s")
    assert eval(repr(step)) == step  # noqa: S307 - "
    assert isinstance(step, Step)
    derivation = Derivation(match.host, (step,))
    assert eval(repr(derivation)) == derivation  # noqa: S307 - "


def call(name: str, source: str, target: str) -> Operation:
    return Operation(f"aten.{name}.default", (source,), (target,))


def graph(wires: str, **operations: Operation) -> Hypergraph:
    return Hypergraph(dict.fromkeys(wires.split(), VECTOR), operations)


HOST = Net(
    graph("x h y z", a=call("relu", "x", "h"), b=call("tanh", "h", "y"), c=call("neg", "h", "z")),
    (("x", "x"),),
    (("y", "y"), ("z", "z")),
)
SWAP = Rule("swap", graph("p q", e=call("relu", "p", "q")), graph("p q"), graph("p q", f=call("abs", "p", "q")))


def swapped(wires: Mapping[str, str], operations: Mapping[str, str], rule: Rule = SWAP) -> Match:
    return Match(rule, HOST, wires, operations)


GONE = Rule("gone", graph("p q", e=call("relu", "p", "q")), graph("p"), graph("p"))
OUTPUT = Rule("output", graph("p q", e=call("tanh", "p", "q")), graph("p"), graph("p"))
TWO = Rule("two", graph("p q r", e=call("relu", "p", "q")), graph("p q r"), graph("p q r", f=call("abs", "p", "q")))
RETYPED = evolve(SWAP, left=evolve(SWAP.left, wires={"p": VECTOR, "q": Sort("F32", (3,))}), glue=graph("p"))

VIOLATED: Mapping[str, tuple[Match, str, tuple[str, ...]]] = {
    "dangling": (swapped({"p": "x", "q": "h"}, {"e": "a"}, GONE), "G1", ("b", "c")),
    "interface": (swapped({"p": "h", "q": "y"}, {"e": "b"}, OUTPUT), "G3", ("y",)),
    "not injective": (swapped({"p": "x", "q": "h", "r": "x"}, {"e": "a"}, TWO), "M", ("p", "r")),
    "not total": (swapped({"p": "x"}, {"e": "a"}), "M", ("q",)),
    "another label": (swapped({"p": "h", "q": "y"}, {"e": "b"}), "M", ("e",)),
    "other ports": (swapped({"p": "h", "q": "x"}, {"e": "a"}), "M", ("e",)),
    "another sort": (swapped({"p": "x", "q": "h"}, {"e": "a"}, RETYPED), "M", ("q",)),
    "nowhere": (swapped({"p": "x", "q": "nowhere"}, {"e": "nothing"}), "M", ("q", "e")),
}


@pytest.mark.parametrize("name", VIOLATED)
def test_every_violation_is_seen(name: str) -> None:
    match, code, found = VIOLATED[name]
    assert (code, found) in [(fault.code, fault.items) for fault in match.violations()]
    with pytest.raises(NoPushout, match=code):
        complement(match)


def test_a_payload_is_part_of_the_label() -> None:
    def weight(name: str) -> Hypergraph:
        payload = Payload(name, "parameter", Dense(), Given(name))
        return Hypergraph({"w": VECTOR}, {"e": Operation("param", (), ("w",), (), payload)})

    host = Net(weight("one"), (), (("w", "w"),))
    rule = Rule("same", weight("two"), graph("w"), weight("two"))
    assert [fault.code for fault in Match(rule, host, {"w": "w"}, {"e": "e"}).violations()] == ["M"]
    same = evolve(rule, left=weight("one"))
    assert Match(same, host, {"w": "w"}, {"e": "e"}).violations() == ()


def rule(left: Hypergraph, glue: Hypergraph, right: Hypergraph) -> Callable[[], Rule]:
    return lambda: Rule("wrong", left, glue, right)


IN_L, IN_R = "R1: K is not a sub-hypergraph of L", "R1: K is not a sub-hypergraph of R"
R2, R3 = "R2: R must write a wire of K exactly when L does", "R3: a created wire must be written exactly once"
R4, R5 = "R4: R has a cycle", "R5: the results of a created operation reach nothing"
RELU = call("relu", "p", "q")
WRONG: Mapping[str, tuple[Callable[[], Rule], list[tuple[str, tuple[str, ...]]]]] = {
    "K is not in L": (rule(graph("p"), graph("p q"), graph("p q")), [(IN_L, ("q",))]),
    "K is not in R": (rule(graph("p q"), graph("p q"), graph("p")), [(IN_R, ("q",))]),
    "K is in neither": (rule(graph("p"), graph("q"), graph("p")), [(IN_L, ("q",)), (IN_R, ("q",))]),
    "K retypes a wire": (
        rule(graph("p"), Hypergraph({"p": Sort("F32", (3,))}), graph("p")), [(IN_L, ("p",)), (IN_R, ("p",))]
    ),
    "K has another operation": (
        rule(graph("p q", e=RELU), graph("p q", e=call("abs", "p", "q")), graph("p q", e=RELU)),
        [(IN_L, ("e",)), (IN_R, ("e",))],
    ),
    "L is not closed": (rule(graph("p", e=RELU), graph("p"), graph("p")), [(IN_L, ("q",))]),
    "R is not closed": (rule(graph("p"), graph("p"), graph("p", e=RELU)), [(IN_R, ("q",))]),
    "K is not closed": (
        rule(graph("p q", e=RELU), graph("p", e=RELU), graph("p q", e=RELU)), [(IN_L, ("q",)), (IN_R, ("q",))]
    ),
    "R writes what L reads": (rule(graph("p q"), graph("p q"), graph("p q", e=RELU)), [(R2, ("q",))]),
    "R leaves unwritten what L wrote": (rule(graph("p q", e=RELU), graph("p q"), graph("p q")), [(R2, ("q",))]),
    "a created wire is not written": (rule(graph("p"), graph("p"), graph("p q")), [(R3, ("q",))]),
    "a created wire is written twice": (
        rule(graph("p r", g=call("abs", "p", "r")), graph("p r"),
             graph("p q r", e=RELU, f=RELU, g=call("abs", "q", "r"))),
        [(R3, ("q",))],
    ),
    "R has a cycle": (
        rule(graph("p"), graph("p"), graph("p q r", e=call("relu", "q", "r"), f=call("relu", "r", "q"))),
        [(R4, ("e", "f"))],
    ),
    "a created operation is dead": (rule(graph("p"), graph("p"), graph("p q", e=RELU)), [(R5, ("e",))]),
    "everything": (
        rule(graph("p q"), graph("p q"), graph("p q r s t", e=RELU, f=call("abs", "s", "s"), g=call("neg", "p", "t"))),
        [(R2, ("q",)), (R3, ("r",)), (R4, ("f",)), (R5, ("g",))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_every_rule_fault_is_seen(name: str) -> None:
    make, wanted = WRONG[name]
    assert [(str(fault), fault.items) for fault in make().faults()] == wanted
    code = wanted[0][0][:2]
    with pytest.raises(NoPushout, match=code):
        apply(Match(make(), HOST, {}, {}), "s")


def test_a_step_that_would_close_a_cycle_is_refused() -> None:
    ends = {"p": VECTOR, "q": VECTOR, "r": VECTOR, "s": VECTOR}
    left = Hypergraph(ends, {"e": call("relu", "p", "q"), "f": call("neg", "r", "s")})
    crossed = Hypergraph(ends, {"g": call("relu", "r", "q"), "h": call("neg", "p", "s")})
    host = Net(
        graph("x h k y", a=call("relu", "x", "h"), b=call("tanh", "h", "k"), c=call("neg", "k", "y")),
        (("x", "x"),),
        (("y", "y"),),
    )
    match = Match(
        Rule("cross", left, Hypergraph(ends), crossed),
        host,
        {"p": "x", "q": "h", "r": "k", "s": "y"},
        {"e": "a", "f": "c"},
    )
    assert (match.rule.faults(), match.violations()) == ((), ())
    with pytest.raises(NoPushout, match="N3"):
        apply(match, "s")


def test_a_step_that_would_leave_garbage_is_refused() -> None:
    ends = graph("p q")
    drop = Rule(
        "drop",
        graph("p q", e=call("tanh", "p", "q")),
        ends,
        Hypergraph(ends.wires, {"f": Operation("aten.zeros.default", (), ("q",))}),
    )
    host = Net(graph("x h y", a=call("relu", "x", "h"), b=call("tanh", "h", "y")), (("x", "x"),), (("y", "y"),))
    with pytest.raises(NoPushout, match="N4"):
        apply(Match(drop, host, {"p": "h", "q": "y"}, {"e": "b"}), "s")


def test_new_items_are_named_in_the_order_of_the_rule() -> None:
    step = apply(swapped({"p": "x", "q": "h"}, {"e": "a"}), "s3")
    assert sorted(step.result.graph.operations) == ["b", "c", "s3.0"]
    assert step.result.graph.operations["s3.0"] == call("abs", "x", "h")
    assert dict(step.comatch_operations) == {"f": "s3.0"}
