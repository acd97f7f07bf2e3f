"""Double pushouts: the laws of `rewriting`, and every reason why a step cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, combinations

import pytest
from attrs import evolve
from hypothesis import given

from surgdsl.diagram.canonical import renumber
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.pushout import NoPushout, Step, apply, complement
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from tests.strategies import VECTOR, matches, parts, relabelled

Item = tuple[str, str]
Items = frozenset[Item]
Class = frozenset[tuple[str, Item]]
"""Items of a glued union, each with the side that it comes from."""


def items(graph: Hypergraph) -> Items:
    """Wires and operations, told apart."""
    return frozenset([("wire", name) for name in graph.wires] + [("operation", name) for name in graph.operations])


def image(found: Items, wires: Mapping[str, str], operations: Mapping[str, str]) -> Items:
    return frozenset((kind, (wires if kind == "wire" else operations)[name]) for kind, name in found)


def glued(first: Items, second: Items, pairs: Iterable[tuple[Item, Item]]) -> list[Class]:
    """The pushout of finite sets from its definition: the disjoint union, the images of each glue item made one."""
    classes: list[Class] = [frozenset([("left", item)]) for item in first]
    classes += [frozenset([("right", item)]) for item in second]
    for left, right in pairs:
        joined = [found for found in classes if ("left", left) in found or ("right", right) in found]
        classes = [found for found in classes if found not in joined] + [frozenset(chain(*joined))]
    return classes


@given(matches())
def test_drawn_rules_are_linear_and_their_matches_glue(match: Match) -> None:
    assert match.rule.faults() == ()
    assert match.violations() == ()


@given(matches())
def test_apply_preserves_net(match: Match) -> None:
    assert apply(match, "s").result.faults() == ()


@given(matches())
def test_interface_preserved(match: Match) -> None:
    before, after = match.host, apply(match, "s").result
    assert (after.inputs, after.outputs, after.boundary) == (before.inputs, before.outputs, before.boundary)
    assert all(after.sort(wire) == before.sort(wire) for wire in before.interface)


@given(matches())
def test_both_squares_are_pushouts(match: Match) -> None:
    step = apply(match, "s")
    glue = items(match.rule.glue)
    squares = (
        (items(match.rule.left), match.wires, match.operations, items(match.host.graph)),
        (items(match.rule.right), step.comatch_wires, step.comatch_operations, items(step.result.graph)),
    )
    for corner, wires, operations, whole in squares:
        context = items(step.context)
        place = dict(
            zip(corner, (next(iter(image(frozenset([one]), wires, operations))) for one in corner), strict=True)
        )
        classes = glued(corner, context, [(one, place[one]) for one in glue])
        reached = [{place[item] if side == "left" else item for side, item in found} for found in classes]
        assert all(len(found) == 1 for found in reached)
        assert sorted(next(iter(found)) for found in reached) == sorted(whole)
        assert frozenset(place.values()) | context == whole
        assert frozenset(place.values()) & context == image(glue, wires, operations)


@given(matches())
def test_identity_rule(match: Match) -> None:
    rule = match.rule
    same = evolve(match, rule=evolve(rule, glue=rule.left, right=rule.left))
    assert apply(same, "s").result == match.host


@given(matches())
def test_complement_then_pushout_gives_the_net_back(match: Match) -> None:
    back = evolve(match, rule=evolve(match.rule, right=match.rule.left))
    assert renumber(apply(back, "s").result) == renumber(match.host)


@given(matches())
def test_inverse_undoes(match: Match) -> None:
    step = apply(match, "s")
    undone = apply(Match(match.rule.inverse(), step.result, step.comatch_wires, step.comatch_operations), "t")
    assert renumber(undone.result) == renumber(match.host)
    assert undone.context == step.context


@given(matches())
def test_the_context_is_untouched(match: Match) -> None:
    step = apply(match, "s")
    for graph in (match.host.graph, step.result.graph):
        assert all(graph.wires[wire] == sort for wire, sort in step.context.wires.items())
        assert all(graph.operations[name] == one for name, one in step.context.operations.items())


@given(matches())
def test_match_equivariance(match: Match) -> None:
    def primed(name: str) -> str:
        return f"{name}'"

    host = relabelled(match.host, primed, primed, list(match.host.graph.operations))
    wires = {wire: primed(place) for wire, place in match.wires.items()}
    operations = {name: primed(place) for name, place in match.operations.items()}
    moved = apply(Match(match.rule, host, wires, operations), "s")
    assert renumber(moved.result) == renumber(apply(match, "s").result)


def closed_parts(graph: Hypergraph) -> Iterator[Hypergraph]:
    """Every sub-hypergraph."""
    for wires in subsets(graph.wires):
        inside = [name for name, one in graph.operations.items() if {*one.sources, *one.targets} <= wires]
        for names in subsets(inside):
            yield Hypergraph(
                {wire: graph.wires[wire] for wire in sorted(wires)},
                {name: graph.operations[name] for name in sorted(names)},
            )


def subsets(found: Iterable[str]) -> Iterator[frozenset[str]]:
    names = list(found)
    return (frozenset(some) for count in range(len(names) + 1) for some in combinations(names, count))


@given(parts())
def test_violation_iff_no_complement(match: Match) -> None:
    left, glue, whole = items(match.rule.left), items(match.rule.glue), items(match.host.graph)
    exists = any(
        left | items(found) == whole and left & items(found) == glue for found in closed_parts(match.host.graph)
    )
    gluing = [fault for fault in match.violations() if fault.code != "G3"]
    assert (gluing == []) == exists


@given(parts())
def test_a_complement_is_the_largest_context(match: Match) -> None:
    if match.violations():
        with pytest.raises(NoPushout):
            complement(match)
        return
    found = complement(match)
    assert items(found) == items(match.host.graph) - (items(match.rule.left) - items(match.rule.glue))
    assert found.loose_ends() == ()


@given(matches())
def test_repr_of_a_rule_and_a_match_evaluates(match: Match) -> None:
    assert eval(repr(match)) == match  # noqa: S307 - the law is about eval
    step = apply(match, "s")
    assert eval(repr(step)) == step  # noqa: S307 - "
    assert isinstance(step, Step)


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


WRONG: Mapping[str, tuple[Callable[[], Rule], str]] = {
    "K is not in L": (rule(graph("p"), graph("p q"), graph("p q")), "R1"),
    "K is not in R": (rule(graph("p q"), graph("p q"), graph("p")), "R1"),
    "K retypes a wire": (rule(graph("p"), Hypergraph({"p": Sort("F32", (3,))}), graph("p")), "R1"),
    "K is not closed": (rule(graph("p", e=call("relu", "p", "q")), graph("p"), graph("p")), "R1"),
    "R writes what L reads": (rule(graph("p q"), graph("p q"), graph("p q", e=call("relu", "p", "q"))), "R2"),
    "R leaves unwritten what L wrote": (rule(graph("p q", e=call("relu", "p", "q")), graph("p q"), graph("p q")), "R2"),
    "a created wire is not written": (rule(graph("p"), graph("p"), graph("p q")), "R3"),
    "a created wire is written twice": (
        rule(graph("p"), graph("p"), graph("p q", e=call("relu", "p", "q"), f=call("relu", "p", "q"))), "R3"
    ),
    "R has a cycle": (
        rule(graph("p"), graph("p"), graph("p q r", e=call("relu", "q", "r"), f=call("relu", "r", "q"))), "R4"
    ),
    "a created operation is dead": (rule(graph("p"), graph("p"), graph("p q", e=call("relu", "p", "q"))), "R5"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_every_rule_fault_is_seen(name: str) -> None:
    make, code = WRONG[name]
    assert code in [fault.code for fault in make().faults()]
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
