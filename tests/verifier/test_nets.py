"""Graphs that are no nets, one fault each; and the canonical numbering, which forgets how a graph was written."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.verifier import net, rewrite, schema
from surgdsl.verifier.operations import check_type
from surgdsl.verifier.reject import Reject
from tests.verifier import surgeries as s
from tests.verifier.conftest import job
from tests.verifier.forge import canon

Graph = dict[str, Any]


def whole() -> Graph:
    """relu(x·W) + relu(x·W): one weight read once, one wire read twice."""
    f = s.Forge()
    x, w = f.input("x", ("B", 2)), f.param(s.dense("w", s.noise(2, 2)))
    y = f.op("relu.default", [f.op("linear.default", [x, w], ("B", 2), bias={"none": True})], ("B", 2))
    f.begin(("y", f.op("add.Tensor", [y, y], ("B", 2), alpha=1)), B=1)
    return f.written()


def judged(graph: Graph) -> str:
    """ "" for a net, else the code."""
    try:
        schema.conform("graph", graph, "graph")
        found = net.parse(graph)
        for operation in found.operations.values():
            check_type(operation, found.wires)
        found.order()
        found.manifest()
    except Reject as reject:
        return reject.code
    return ""


def of(graph: Graph, name: str) -> Any:
    return next(op for op in graph["operations"] if name in op["op"])


def change(name: str, **fields: Any) -> Callable[[Graph], None]:
    return lambda graph: of(graph, name).update(fields)


def second_producer(graph: Graph) -> None:
    graph["operations"].append({**of(graph, "relu"), "targets": of(graph, "linear")["targets"]})


def cycle(graph: Graph) -> None:
    of(graph, "relu")["sources"] = of(graph, "add")["targets"]


def dead(graph: Graph) -> None:
    graph["wires"].append({"dtype": "F32", "shape": ["B", 2]})
    graph["operations"].append({**of(graph, "relu"), "targets": [len(graph["wires"]) - 1]})


def apart(graph: Graph) -> None:
    """Two operations that feed only each other."""
    first = len(graph["wires"])
    graph["wires"] += [{"dtype": "F32", "shape": ["B", 2]}] * 2
    relu = of(graph, "relu")
    graph["operations"] += [{**relu, "sources": [first + 1 - at], "targets": [first + at]} for at in range(2)]


def unproduced(graph: Graph) -> None:
    graph["wires"].append({"dtype": "F32", "shape": ["B", 2]})


def attribute(name: str, key: str, value: Any) -> Callable[[Graph], None]:
    def apply(graph: Graph) -> None:
        found = of(graph, name)
        found["attributes"] = sorted([*(row for row in found["attributes"] if row[0] != key), [key, value]])

    return apply


FAULTS: list[tuple[str, str, Callable[[Graph], object]]] = [
    ("a wire with two producers", "V12", second_producer),
    ("an input that is produced", "V12", lambda g: g["inputs"][0].update(wire=of(g, "relu")["targets"][0])),
    ("a wire with none", "V12", unproduced),
    ("a cycle", "V12", cycle),
    ("an operation that no output needs", "V12", dead),
    ("an island", "V12", apart),
    ("a source that does not exist", "V12", change("relu", sources=[99])),
    ("an output that does not exist", "V12", lambda g: g["outputs"][0].update(wire=99)),
    ("two outputs of one name", "V12", lambda g: g["outputs"].append(g["outputs"][0])),
    ("a param with a source", "V09", lambda g: of(g, "param").update(sources=[0])),
    ("a param with two targets", "V09", lambda g: of(g, "param").update(targets=[1, 1])),
    ("a param on a symbolic wire", "V09", lambda g: g["wires"][of(g, "param")["targets"][0]].update(shape=["B", 2])),
    ("a part of another dtype", "V09", lambda g: of(g, "param")["parts"][0].update(dtype="I32")),
    ("a part of another shape", "V09", lambda g: of(g, "param")["parts"][0].update(shape=[4])),
    ("an unknown operation", "V09", change("relu", op="aten.flip.default")),
    ("an attribute too many", "V09", attribute("relu", "inplace", value=True)),
    ("an attribute too few", "V09", change("add", attributes=[])),
    ("an attribute of the wrong kind", "V09", attribute("add", "alpha", value=True)),
    ("a float that is no float", "V03", attribute("add", "alpha", {"float": "1.0"})),
    ("a polynomial out of order", "V03", attribute("add", "alpha", {"extent": "B*2"})),
    ("attributes out of order", "V03", change("add", attributes=[["b", 1], ["a", 1]])),
    ("an attribute named twice", "V03", change("add", attributes=[["alpha", 1], ["alpha", 1]])),
    ("a source too few", "V09", change("relu", sources=[])),
    ("a target too many", "V09", change("relu", targets=[3, 3])),
    ("another dtype behind it", "V09", lambda g: g["wires"][-1].update(dtype="F64")),
    ("another shape behind it", "V09", lambda g: g["wires"][-1].update(shape=["B", 3])),
    ("a symbol behind it", "V09", lambda g: g["wires"][-1].update(shape=["T", 2])),
    ("an extent of zero", "V03", lambda g: g["wires"][-1].update(shape=["B", 0])),
    ("nine dimensions", "V20", lambda g: g["wires"][-1].update(shape=[1] * 9)),
    ("an operation with an id", "V03", change("relu", id="o1")),
]


@pytest.mark.parametrize(("expected", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_graph_with_a_fault_is_refused(expected: str, fault: Callable[[Graph], object]) -> None:
    graph = copy.deepcopy(whole())
    assert judged(graph) == ""
    fault(graph)
    assert judged(graph) == expected


@given(st.sampled_from([s.cnn, s.residual, s.grouped, s.joined]), st.randoms(use_true_random=False))
def test_the_numbering_forgets_how_a_graph_was_written(build: Callable[[], s.Forge], chance: Any) -> None:
    graph = build().written()
    digest = net.parse(graph).digest()
    names = list(range(len(graph["wires"])))
    chance.shuffle(names)
    moved = {"wires": [graph["wires"][names.index(at)] for at in range(len(names))]}
    for side in ("inputs", "outputs"):
        moved[side] = [{**end, "wire": names[end["wire"]]} for end in graph[side]]
    ports = ("sources", "targets")
    moved["operations"] = [{**op, **{p: [names[w] for w in op[p]] for p in ports}} for op in graph["operations"]]
    chance.shuffle(moved["operations"])
    found = net.parse(moved)
    assert found.written() == canon(graph)
    assert found.digest() == digest


def test_tied_and_copied_weights_are_different_nets() -> None:
    """One param read twice is not two params with equal bytes."""
    nets = list[str]()
    for copies in (1, 2):
        f = s.Forge()
        x = f.input("x", (2, 2))
        params = [f.param(s.dense(f"w{at}", s.noise(2, 2))) for at in range(copies)]
        for at in range(2):
            x = f.op("linear.default", [x, params[at % copies]], (2, 2), bias={"none": True})
        f.begin(("y", x))
        nets.append(net.parse(f.written()).digest())
    assert nets[0] != nets[1]


def test_a_numbering_that_is_carried_on_is_the_one_from_scratch() -> None:
    """Of each step of the honest job, those that put others into the places of what was there and those that do not."""
    f = job()
    state, carried = net.parse(json.loads(f.graph_blob)), list[bool]()
    for index, step in enumerate(f.steps):
        state = rewrite.pushout(*rewrite.parse(step, state), index)
        carried.append(state.known is not None)
        fresh = replace(state, known=None)
        assert state.written() == fresh.written()
        assert state.numbering == fresh.numbering
        assert state.digest() == step["graphAfter"]
    assert {*carried} == {True, False}
