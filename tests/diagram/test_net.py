"""Nets and their numbering: a complete invariant, against networkx as the oracle."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given

from surgdsl.axis.extent import Polynomial
from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.fault import Fault
from surgdsl.diagram.hashing import graph_hash
from surgdsl.diagram.hypergraph import GAP, Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given, Made, Mask, Read, Slice
from tests.strategies import VECTOR, nets, param

RELU = "aten.relu.default"


def test_names_of_weights_and_paths_are_annotations() -> None:
    def weight(name: str, path: str) -> Net:
        one = Operation("param", (), ("w",), (), named(name), path)
        return Net(Hypergraph({"w": VECTOR}, {"e": one}), (), (("w", "w"),))

    def named(name: str) -> Payload:
        return evolve(param("w"), base=name)

    one, other = weight("one", "here"), weight("other", "elsewhere")
    assert renumber(one) == renumber(other)
    assert graph_hash(one) == graph_hash(other)


def call(source: str, target: str) -> Operation:
    return Operation(RELU, (source,), (target,))


ADD = Operation("aten.add.Tensor", ("x", "z"), ("y",))
WRITTEN = "N2: a wire must be written by exactly one operation port, or be an input"
NAMED = "N2: an operation or an interface names a wire that the net does not have"
CYCLE, DEAD = "N3: operations depend on themselves", "N4: an operation's results reach nothing"
FAULTY: Mapping[str, tuple[str, Mapping[str, Operation], list[tuple[str, tuple[str, ...]]]]] = {
    "written twice": ("x y", {"a": call("x", "y"), "b": call("x", "y")}, [(WRITTEN, ("y",))]),
    "written by nobody": ("x z y", {"a": ADD}, [(WRITTEN, ("z",))]),
    "an input that is written": (
        "x y", {"a": call("x", "y"), "b": call("y", "x")}, [(WRITTEN, ("x",)), (CYCLE, ("a", "b"))]
    ),
    "a source that is not there": ("x y", {"a": call("nowhere", "y")}, [(NAMED, ("nowhere",))]),
    "a target that is not there": ("x y", {"a": call("x", "y"), "b": call("x", "off")}, [(NAMED, ("off",))]),
    "an interface that is not there": ("z", {}, [(NAMED, ("x", "y"))]),
    "a cycle": ("x y z", {"a": ADD, "b": call("y", "z")}, [(CYCLE, ("a", "b"))]),
    "behind a cycle": (
        "x y z k",
        {"a": evolve(ADD, targets=("k",)), "b": call("k", "z"), "c": call("k", "y")},
        [(CYCLE, ("a", "b", "c"))],
    ),
    "a result that nobody reads": ("x y z", {"a": call("x", "y"), "b": call("x", "z")}, [(DEAD, ("b",))]),
    "everything": (
        "x y z k", {"a": call("z", "z"), "b": call("x", "k")}, [(WRITTEN, ("y",)), (CYCLE, ("a",)), (DEAD, ("b",))]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_every_breach_is_seen(name: str) -> None:
    wires, operations, wanted = FAULTY[name]
    net = Net(Hypergraph(dict.fromkeys(wires.split(), VECTOR), operations), (("x", "x"),), (("y", "y"),))
    assert [(str(fault), fault.items) for fault in net.faults()] == wanted


def test_an_input_given_twice_is_seen() -> None:
    net = Net(Hypergraph({"x": VECTOR}), (("x", "x"), ("z", "x")), (("y", "x"),))
    assert [(str(fault), fault.items) for fault in net.faults()] == [(WRITTEN, ("x",))]


def test_ranks_rise_along_wires_and_leave_room() -> None:
    assert dict(Hypergraph(dict.fromkeys("xhy", VECTOR), {"b": call("h", "y"), "a": call("x", "h")}).ranks) == {
        "a": 0,
        "b": GAP,
    }


def test_incidence_counts_ports_in_the_order_of_the_graph() -> None:
    twice = Operation("aten.add.Tensor", ("x", "x"), ("y",))
    graph = Hypergraph(dict.fromkeys("xyz", VECTOR), {"b": twice, "a": call("x", "z")})
    assert graph.consumers == {"x": ("b", "b", "a"), "y": (), "z": ()}
    assert graph.producers == {"x": (), "y": ("b",), "z": ("a",)}
    assert graph.touching(["z", "y"]) == ("b", "a")
    assert graph.touching(["z"]) == ("a",)
    assert graph.touching([]) == ()


def test_versions_of_a_graph_are_told_what_was_known() -> None:
    graph = Hypergraph(dict.fromkeys("xhy", VECTOR), {"a": call("x", "h"), "b": call("h", "y")})
    less = graph.without(["y"], ["b"])
    assert vars(less).keys() >= {"producers", "consumers", "ranks"}
    more = less.extended({"z": VECTOR}, {"c": call("h", "z"), "d": call("z", "h")})
    assert vars(more).keys() >= {"producers", "consumers"}
    assert (less.producers, less.consumers) == ({"x": (), "h": ("a",)}, {"x": ("a",), "h": ()})
    assert more.producers == {"x": (), "h": ("a", "d"), "z": ("c",)}
    assert more.consumers == {"x": ("a",), "h": ("c",), "z": ("d",)}
    assert less.ranks == {"a": 0}


def test_attributes_by_name() -> None:
    found = Operation("aten.cat.default", ("a",), ("b",), (("dim", 1), ("bias", None)))
    assert (found.attribute("dim"), found.attribute("bias")) == (1, None)
    with pytest.raises(KeyError, match="stride"):
        found.attribute("stride")


def test_a_boundary_keeps_an_operation_alive_and_belongs_to_the_interface() -> None:
    graph = Hypergraph(dict.fromkeys(("x", "y", "z"), VECTOR), {"a": call("x", "y"), "b": call("x", "z")})
    net = Net(graph, (("x", "x"),), (("y", "y"),), {"seen": "z"})
    assert net.faults() == ()
    assert net.interface == {"x", "y", "z"}
    assert renumber(net).boundary == {"seen": number(net).wires and f"w{number(net).wires.index('z')}"}


@given(nets())
def test_repr_of_a_net_evaluates(net: Net) -> None:
    assert eval(repr(net)) == net  # noqa: S307 - the law is about eval


@pytest.mark.parametrize(
    "value",
    [
        Sort("F32", (2, Polynomial(((("B",), 2),)))),
        Operation("aten.cat.default", ("a", "b"), ("c",), (("dim", 1), ("tensors", Tensors(2)))),
        Payload("w", "buffer", Masked(Codebook(4)), Mask(3, Slice(((1, (0, 2)),), Given("w")))),
        Payload("w", "buffer", Dense(), Made("fold-batchnorm/1", (Read(Given("w"), ((0, 0),)),), (("bits", 4),), (0,))),
        Payload("w", "constant", Affine(8, -1), Given("w")),
        Dense(),
        Fault("G1", "dangling", ("a",)),
    ],
)
def test_repr_of_a_value_evaluates(value: object) -> None:
    assert eval(repr(value)) == value  # noqa: S307 - the law is about eval


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Codebook(0),
        lambda: Codebook(9),
        lambda: Affine(4, -2),
        lambda: Payload("w", "weight", Dense(), Given("w")),
    ],
)
def test_values_that_cannot_be_are_not_made(bad: object) -> None:
    assert callable(bad)
    with pytest.raises(ValueError, match=r"must be|between"):
        bad()
