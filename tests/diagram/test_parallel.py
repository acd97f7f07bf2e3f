"""Steps at once: every reason why some cannot be taken together, and what independence does not promise."""

from __future__ import annotations

import pytest
from attrs import evolve

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.fault import Fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.independence import Conflict, clashes, conflicts
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.parallel import in_layers, together
from surgdsl.diagram.pushout import Naming, NoPushout, Step, apply, numbered, replayed
from surgdsl.diagram.rule import Rule
from tests.strategies import VECTOR


def call(name: str, *ports: str) -> Operation:
    return Operation(f"aten.{name}.default", ports[:-1], ports[-1:])


def graph(wires: str, **operations: Operation) -> Hypergraph:
    return Hypergraph(dict.fromkeys(wires.split(), VECTOR), operations)


# x - a - h - b - y
#          \- c - z
HOST = Net(
    graph("x h y z", a=call("relu", "x", "h"), b=call("tanh", "h", "y"), c=call("neg", "h", "z")),
    (("x", "x"),),
    (("y", "y"), ("z", "z")),
)


def swap(name: str) -> Rule:
    """Another operation in the place of one."""
    return Rule(
        f"swap {name}", graph("p q", e=call(name, "p", "q")), graph("p q"), graph("p q", f=call("abs", "p", "q"))
    )


def at(name: str, operation: str, *wires: str) -> Match:
    return Match(swap(name), HOST, dict(zip("pq", wires, strict=True)), {"e": operation})


RELU, TANH, NEG = at("relu", "a", "x", "h"), at("tanh", "b", "h", "y"), at("neg", "c", "h", "z")
ALL = (RELU, TANH, NEG)


def named(*stems: str) -> list[Naming]:
    return [numbered(match.rule, stem) for match, stem in zip(ALL, stems, strict=False)]


def test_three_at_once() -> None:
    assert clashes(ALL) == {}
    step = together(HOST, ALL, named("1", "2", "3"))
    assert step.match.rule.name == "swap relu + swap tanh + swap neg"
    assert {one.name for one in step.result.graph.operations.values()} == {"aten.abs.default"}
    assert sorted(step.result.graph.operations) == ["1.0", "2.0", "3.0"]
    assert (step.match.deletes, step.creates) == (items((), "abc"), items((), ("1.0", "2.0", "3.0")))
    assert together(HOST, (), ()).result == HOST


def test_conflicts_say_what_each_does() -> None:
    everything = Rule("all", HOST.graph, graph("x y z"), graph("x y z", f=Operation("aten.cut", ("x",), ("y", "z"))))
    whole = Match(everything, HOST, {wire: wire for wire in "xhyz"}, {name: name for name in "abc"})
    gone = Conflict("delete-delete", Item("operation", "a"))
    assert conflicts(whole, RELU) == (gone, Conflict("delete-use", Item("wire", "h")))
    assert conflicts(RELU, whole) == (gone, Conflict("use-delete", Item("wire", "h")))
    assert str(conflicts(RELU, whole)[1]) == "use-delete of wire h"
    assert clashes((RELU, TANH, whole)) == {(0, 2): conflicts(RELU, whole), (1, 2): conflicts(TANH, whole)}
    with pytest.raises(NoPushout) as refused:
        together(HOST, (RELU, whole), [*named("1"), numbered(everything, "2")])
    assert refused.value.faults == (Fault("I", "the steps are not independent", ("a", "h")),)


def test_every_match_has_its_names() -> None:
    with pytest.raises(ValueError, match="shorter"):
        together(HOST, (RELU, TANH), named("1"))


def test_what_is_wrong_with_one_is_told_of_all() -> None:
    wrong = evolve(NEG, wires={"p": "x", "q": "z"})
    loose = evolve(TANH, rule=evolve(TANH.rule, right=graph("p q")))
    with pytest.raises(NoPushout) as refused:
        together(HOST, (RELU, wrong, loose), named("1", "2", "3"))
    assert [fault.code for fault in refused.value.faults] == ["M", "R2"]
    assert str(refused.value) == (
        "M: these go to operations at other wires; R2: R must write a wire of K exactly when L does"
    )


@pytest.mark.parametrize(
    ("stems", "taken"), [(("1", "1", "2"), ("1.0",)), (("1", "2", "3"), ("1.0",)), (("1", "2", "4"), ())]
)
def test_names_may_not_be_taken(stems: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """By each other, or by what stays: here `1.0` or `3.0` is the name of an operation that no step touches."""
    host = HOST
    if stems == ("1", "2", "3"):
        kept = {"a": HOST.graph.operations["a"], "b": HOST.graph.operations["b"], "1.0": HOST.graph.operations["c"]}
        host = evolve(HOST, graph=evolve(HOST.graph, operations=kept))
    matches = [evolve(match, host=host) for match in ALL[: 2 if host is not HOST else 3]]
    if not taken:
        assert together(host, matches, named(*stems)).result.faults() == ()
        return
    with pytest.raises(NoPushout) as refused:
        together(host, matches, named(*stems)[: len(matches)])
    assert refused.value.faults == (Fault("P2", "a new item would have the name of another one", taken),)


def test_a_name_of_what_one_step_keeps_may_not_be_taken_by_another() -> None:
    """Even if the new item is just like the one that has the name."""
    keeper = Match(
        Rule("keep", swap("neg").left, swap("neg").left, swap("neg").left), HOST, {"p": "h", "q": "z"}, {"e": "c"}
    )
    names = [Naming({}, {}), Naming({}, {"f": "c"})]
    with pytest.raises(NoPushout) as refused:
        together(HOST, (keeper, TANH), names)
    assert [(fault.code, fault.items) for fault in refused.value.faults] == [("P2", ("c",))]


def test_a_name_that_a_step_gives_up_may_be_taken() -> None:
    step = together(HOST, (RELU,), [Naming({}, {"f": "a"})])
    assert step.result.graph.operations["a"] == call("abs", "x", "h")
    assert (step.match.deletes, step.creates) == (items((), "a"), items((), "a"))


def test_independent_steps_may_starve_what_both_read() -> None:
    """Each takes one of the two readers of a wire, so that alone each gives a net, and both together none."""
    blank = Operation("aten.zeros", (), ("q",))

    def without(name: str, operation: str, out: str) -> Match:
        rule = Rule(f"blank {name}", swap(name).left, graph("p q"), graph("p q", f=blank))
        return Match(rule, HOST, {"p": "h", "q": out}, {"e": operation})

    first, second = without("tanh", "b", "y"), without("neg", "c", "z")
    assert conflicts(first, second) == ()
    assert [apply(match, "s").result.faults() for match in (first, second)] == [(), ()]
    with pytest.raises(NoPushout) as refused:
        together(HOST, (first, second), [numbered(first.rule, "1"), numbered(second.rule, "2")])
    assert [(fault.code, fault.items) for fault in refused.value.faults] == [("N4", ("a",))]


def taken() -> Derivation:
    """Two steps side by side, and one that comes after both."""
    derivation = Derivation(HOST).then(apply(RELU, "1"))
    derivation = derivation.then(apply(evolve(TANH, host=derivation.result), "2"))
    last = Match(
        Rule(
            "two in one",
            graph("p h q", e=call("abs", "p", "h"), f=call("abs", "h", "q")),
            graph("p h q", e=call("abs", "p", "h")),
            graph("p h q", e=call("abs", "p", "h"), g=call("sqrt", "p", "q")),
        ),
        derivation.result,
        {"p": "x", "h": "h", "q": "y"},
        {"e": "1.0", "f": "2.0"},
    )
    return derivation.then(apply(last, "3"))


def test_a_derivation_in_layers() -> None:
    derivation = taken()
    assert derivation.causes == (frozenset(), frozenset(), frozenset({0, 1}))
    assert derivation.layers() == ((0, 1), (2,))
    short = in_layers(derivation)
    assert [step.match.rule.name for step in short.steps] == ["swap relu + swap tanh", "two in one"]
    assert short.result == derivation.result
    assert derivation.switched(0).result == derivation.result
    with pytest.raises(NoPushout):
        derivation.switched(1)


def test_a_torn_derivation_is_seen() -> None:
    derivation = taken()
    torn = evolve(derivation, steps=(derivation.steps[0], derivation.steps[2]))
    assert [(fault.code, fault.items) for fault in torn.faults()] == [("D", ("1",))]
    assert str(torn.faults()[0]) == "D: these steps do not begin where the one before ends"
    assert [fault.items for fault in evolve(derivation, start=torn.result).faults()] == [("0",)]
    assert derivation.faults() == Derivation(HOST).faults() == ()
    assert Derivation(HOST).result == HOST


def test_what_is_left_is_tracked_and_a_namesake_is_another_item() -> None:
    derivation = taken()
    assert set(derivation.track()) == items("xhyz", "c")
    back = Derivation(HOST, (*taken().steps, *derivation.inverse().steps))
    assert back.result == HOST
    assert set(back.track()) == items("xhyz", "c")


def test_replaying_keeps_names() -> None:
    step = apply(TANH, "s")
    other = replayed(step, apply(RELU, "r").result)
    assert isinstance(other, Step)
    assert (other.naming, other.creates) == (step.naming, step.creates)
    assert sorted(other.result.graph.operations) == ["c", "r.0", "s.0"]
