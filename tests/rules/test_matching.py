"""Matching: exactly the places that there are, each once, and the reason where a place is none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.extent import symbol
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Attribute, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from surgdsl.rules.matching import Refused, Site, sites
from surgdsl.rules.schema import Box, Schema
from tests.rules.declaring import POINTWISE, schema

WIDE = Sort("F32", (symbol("N"), 4))


class Building:
    """A net made forwards; what nothing reads at the end is an output."""

    def __init__(self) -> None:
        self.wires: dict[str, Sort] = {"x": WIDE}
        self.operations: dict[str, Operation] = {}

    def call(self, name: str, *sources: str, **attributes: Attribute) -> str:
        target = f"t{len(self.operations)}"
        self.wires[target] = WIDE
        path = f"layer{len(self.operations)}"
        self.operations[target] = Operation(
            f"aten.{name}", sources, (target,), tuple(sorted(attributes.items())), None, path
        )
        return target

    def param(self, *shape: int) -> str:
        target = f"p{len(self.operations)}"
        self.wires[target] = Sort("F32", shape)
        payload = Payload(f"{target}.weight", "parameter", Dense(), Given(target))
        self.operations[target] = Operation(PARAM, (), (target,), (), payload)
        return target

    def net(self, *outputs: str) -> Net:
        read = {wire for one in self.operations.values() for wire in one.sources}
        ends = outputs or tuple(wire for wire in self.wires if wire not in read)
        graph = Hypergraph(self.wires, self.operations)
        return Net(graph, (("x", "x"),), tuple((f"y{at}", wire) for at, wire in enumerate(ends)))


UNARY = ("aten.exp.default", "aten.relu.default", "aten.tanh.default")


@st.composite
def nets(draw: st.DrawFn, planted: Schema) -> Net:
    """Nets with the left side of a rule planted in them, more or less disturbed: fan-out, ties, swapped operands."""
    made, data, params = Building(), ["x"], list[str]()

    def weight() -> str:
        params.append(draw(st.sampled_from(params)) if params and draw(st.integers(0, 4)) == 0 else made.param(4, 4))
        return params[-1]

    def call(operator: str, sources: list[str]) -> str:
        if operator == "aten.linear.default":
            return made.call("linear.default", *sources, weight(), bias=None)
        if operator == "aten.add.Tensor":
            return made.call("add.Tensor", *draw(st.permutations(sources)), alpha=1)
        return made.call(operator.removeprefix("aten."), *sources)

    for _ in range(draw(st.integers(1, 3))):
        wires = {wire: draw(st.sampled_from(data)) for wire in planted.inputs}
        for box in planted.left:
            sources = [wires[wire] for wire in box.sources]
            disturbed = draw(st.integers(0, 5)) == 0
            end = call(box.kind.operator, [draw(st.sampled_from(data)) for _ in sources] if disturbed else sources)
            wires[box.targets[0]] = end
        data += wires.values() if draw(st.booleans()) else [wires[planted.left[-1].targets[0]]]
        if draw(st.integers(0, 2)) == 0:
            data.append(call(draw(st.sampled_from(sorted(UNARY))), [draw(st.sampled_from(data))]))
    return made.net()


def rule(left: str, glue: str = POINTWISE) -> Schema:
    """A rule with this left side; what stands on the right is of no matter here."""
    right = "(x, z) -> [add] -> y" if "z" in glue else "x -> [identity] -> y"
    return schema(f"rule lossy r {{ L {{ {left} }} {glue} R {{ {right} }} }}")


RULES = {
    "one box": rule("x -> [relu] -> y"),
    "a chain": rule("x -> [relu] -> [tanh] -> y"),
    "three in a row": rule("x -> [relu] -> [linear(o, i)] -> [tanh] -> y"),
    "two linear maps": rule("x -> [linear(h, i)] -> [linear(o, h)] -> y"),
    "a diamond": rule("x -> [relu] -> a -> [tanh] -> b  (a, b) -> [add] -> y"),
    "a sum of two": rule("x -> [relu] -> a  z -> [tanh] -> b  (a, b) -> [add] -> y", "K { x: real  z: real  y: real }"),
    "an input read twice": rule("x -> [relu] -> a  x -> [tanh] -> b  (a, b) -> [add] -> y"),
}
WITH_TWO_OUTPUTS = schema(
    "rule lossy r { L { x -> [relu] -> a  a -> [tanh] -> y  a -> [exp] -> z }"
    " K { x: real  y: real  z: real } R { x -> [tanh] -> y  x -> [exp] -> z } }"
)


def assignments(found: Schema, net: Net) -> Iterator[dict[str, str]]:
    """Every way in which the boxes of L can lie in a net, by trying all."""
    operations = [name for name, one in net.graph.operations.items() if one.name != PARAM]
    for images in itertools.permutations(operations, len(found.left)):
        chosen = {box.name: name for box, name in zip(found.left, images, strict=True)}
        if any(wires_of(found.left, chosen, net, flips) for flips in itertools.product((0, 1), repeat=len(images))):
            yield chosen


def wires_of(
    boxes: tuple[Box, ...], chosen: Mapping[str, str], net: Net, flips: tuple[int, ...]
) -> dict[str, str] | None:
    """Where the wires go, if operators and ports agree and no two wires meet; `flips` turns operands that commute."""
    pairs: list[tuple[str, str]] = []
    for box, flip in zip(boxes, flips, strict=True):
        one = net.graph.operations[chosen[box.name]]
        data = one.sources[: len(box.sources)]
        if one.name != box.kind.operator or (flip and not box.kind.commutes):
            return None
        pairs += zip(box.sources, data[::-1] if flip else data, strict=True)
        pairs += zip(box.targets, one.targets, strict=True)
    forward, backward = dict(pairs), {image: wire for wire, image in pairs}
    good = all(forward[wire] == image and backward[image] == wire for wire, image in pairs)
    return forward if good else None


def applicable(found: Schema, net: Net, chosen: Mapping[str, str]) -> bool:
    """Whether deleting the boxes with their weights leaves nothing dangling, and no weight goes twice."""
    gone = set(chosen.values())
    own = [net.graph.producers[net.graph.operations[name].sources[1]][0] for name in gone
           if net.graph.operations[name].name == "aten.linear.default"]  # fmt: skip
    gone |= set(own)
    kept = {image for flips in itertools.product((0, 1), repeat=len(found.left))
            if (wires := wires_of(found.left, chosen, net, flips))
            for wire, image in wires.items() if wire in found.kept}  # fmt: skip
    deleted = {wire for name in gone for wire in net.graph.operations[name].targets} - kept
    readers = {name for wire in deleted for name in net.graph.consumers[wire]}
    return len(own) == len(set(own)) and not deleted & net.interface and readers <= gone


@given(st.data(), st.sampled_from(sorted(RULES)))
def test_the_matcher_finds_exactly_the_places_that_there_are(data: st.DataObject, name: str) -> None:
    found = RULES[name]
    net = data.draw(nets(found))
    anchor = found.left[-1].name
    every = list(assignments(found, net))
    good = {chosen[anchor] for chosen in every if applicable(found, net, chosen)}
    reported = list(sites(found, net, {}))
    assert good == {one.form.boxes[anchor] for one in reported if isinstance(one, Site)}
    assert {chosen[anchor] for chosen in every} == {one.form.boxes[anchor] for one in reported}
    assert len(reported) == len({one.form.boxes[anchor] for one in reported})
    assert all(dict(one.form.boxes) in every for one in reported)


@given(nets(WITH_TWO_OUTPUTS))
def test_a_rule_with_two_outputs_is_found_forwards(net: Net) -> None:
    found = WITH_TWO_OUTPUTS
    every = list(assignments(found, net))
    good = [chosen for chosen in every if applicable(found, net, chosen)]
    reported = [one for one in sites(found, net, {}) if isinstance(one, Site)]
    anchors = {one.form.boxes["L2"] for one in reported}
    assert {chosen["L2"] for chosen in good} == anchors
    assert all(dict(one.form.boxes) in good for one in reported)


@given(st.data(), st.sampled_from(sorted(RULES)), st.randoms(use_true_random=False))
def test_matching_commutes_with_renaming(data: st.DataObject, name: str, random: Random) -> None:
    net = data.draw(nets(RULES[name]))
    names = sorted({*net.graph.wires, *net.graph.operations})
    other = {one: f"n{at}" for at, one in enumerate(random.sample(names, len(names)))}
    graph = Hypergraph(
        {other[wire]: sort for wire, sort in net.graph.wires.items()},
        {
            other[key]: evolve(
                one, sources=tuple(other[w] for w in one.sources), targets=tuple(other[w] for w in one.targets)
            )
            for key, one in net.graph.operations.items()
        },
    )
    renamed = Net(graph, (("x", other["x"]),), tuple((key, other[wire]) for key, wire in net.outputs))
    mine = [(type(one), {box: other[op] for box, op in one.form.boxes.items()}) for one in sites(RULES[name], net, {})]
    assert mine == [(type(one), dict(one.form.boxes)) for one in sites(RULES[name], renamed, {})]


# ---- why a place is none ------------------------------------------------------------------------


def reason(found: Schema, net: Net, **arguments: int) -> str:
    """The only thing that is found: why it is no site, or nothing."""
    (one,) = sites(found, net, arguments)
    return one.reason if isinstance(one, Refused) else ""


def linear(*shape: int, tied: bool = False, shown: bool = False) -> Net:
    made = Building()
    weight = made.param(*shape)
    end = made.call("linear.default", "x", weight, bias=None)
    after = made.call("relu.default", end)
    if tied:
        after = made.call("linear.default", after, weight, bias=None)
    return made.net(after, end) if shown else made.net(after)


CHAIN = rule("x -> [A: linear(o, i)] -> [relu] -> y")


def test_a_tied_weight_is_told_with_its_other_reader() -> None:
    assert reason(CHAIN, linear(4, 4)) == ""
    assert reason(CHAIN, linear(4, 4, tied=True)) == "`p0.weight` is also read by `layer3`"


def test_a_result_that_is_an_output_is_told() -> None:
    assert reason(CHAIN, linear(4, 4, shown=True)) == "the result of `layer1` belongs to an interface"


def test_a_boundary_wire_is_held() -> None:
    net = linear(4, 4)
    assert "belongs to an interface" in reason(CHAIN, evolve(net, boundary={"inner": "t1"}))


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ("x -> [A: linear(3, i)] -> [relu] -> y", "a size of A.weight is 4, not 3"),
        ("x -> [A: linear(2 * o, 3 * o)] -> [relu] -> y", "a size of A.weight is 4, not 6"),
        ("x -> [A: linear(o, i)] -> [relu] -> y", ""),
        ("x -> [A: linear(o, o)] -> [relu] -> y", ""),
        ("x -> [A: linear(2 * o, 4 * o)] -> [relu] -> y", "a size of A.weight is 4, not 8"),
    ],
)
def test_sizes_are_unified(left: str, told: str) -> None:
    assert told == reason(rule(left), linear(4, 4))


def test_a_condition_is_asked_of_the_sizes() -> None:
    text = "rule lossy r(k: int) {{ L {{ x -> [A: linear(o, i)] -> y }} {} R {{ x -> [identity] -> y }} where {} }}"
    made = Building()
    net = made.net(made.call("linear.default", "x", made.param(4, 4), bias=None))
    smaller = schema(text.format(POINTWISE, "k * o < i * i"))
    assert reason(smaller, net, k=3) == ""
    assert reason(smaller, net, k=4) == "the condition after `where` does not hold"
    batch = schema(text.format("K { x: real[n, i]  y: real }", "n < 8"))
    assert reason(batch, net, k=1) == "`n` is N, and not a number"


def test_arguments_that_are_not_mentioned_have_their_default() -> None:
    made = Building()
    net = made.net(made.call("leaky_relu.default", "x", negative_slope=0.5))
    assert reason(rule("x -> [leaky_relu] -> y"), net) == "`negative_slope` of L0 is 0.5, not 0.01"
    assert reason(rule("x -> [leaky_relu(negative_slope = 0.5)] -> y"), net) == ""
    (site,) = sites(rule("x -> [leaky_relu(negative_slope = a)] -> y"), net, {})
    assert isinstance(site, Site)
    assert site.binding["a"] == 0.5


def test_every_argument_of_a_spelled_operator_is_said() -> None:
    made = Building()
    net = made.net(made.call("cumsum.default", "x", dim=1, dtype=None))
    some = rule("x -> [aten.cumsum.default(dim = 1)] -> y")
    assert reason(some, net) == "the rule does not say what `dtype` of L0 is"
    assert reason(rule("x -> [aten.cumsum.default(dim = 1, dtype = none)] -> y"), net) == ""
    more = rule("x -> [aten.cumsum.default(dim = 1, dtype = none, axis = 2)] -> y")
    assert reason(more, net) == "L0 has no argument `axis`"


def test_a_weight_that_is_computed_is_no_weight() -> None:
    made = Building()
    doubled = made.call("relu.default", made.param(4, 4))
    net = made.net(made.call("linear.default", "x", doubled, bias=None))
    assert list(sites(rule("x -> [linear(o, i)] -> y"), net, {})) == []


def test_types_of_kept_wires_are_asked() -> None:
    made = Building()
    net = made.net(made.call("relu.default", "x"))
    assert reason(rule("x -> [relu] -> y", "K { x: f64  y: real }"), net) == "`x` carries f32, not f64"
    assert reason(rule("x -> [relu] -> y", "K { x: real[*, *, c]  y: real }"), net) == "`x` has 2 dimensions, not 3"
    assert reason(rule("x -> [relu] -> y", "K { x: f32[n, 4]  y: f32[n, c] }"), net) == ""
