"""Nets and their numbering: a complete invariant, against networkx as the oracle."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import networkx as nx
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.extent import Polynomial
from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.fault import Fault
from surgdsl.diagram.hypergraph import Hypergraph, topological
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation, Tensors
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given, Made, Mask, Read, Slice
from tests.strategies import MATRIX, UNARY, VECTOR, nets, param, renamings

RELU = "aten.relu.default"


@given(nets())
def test_generated_is_net(net: Net) -> None:
    assert net.faults() == ()
    assert net.graph.loose_ends() == ()


@given(st.data())
def test_canon_is_invariant_under_names_and_order(data: st.DataObject) -> None:
    net = data.draw(nets())
    assert renumber(data.draw(renamings(net))) == renumber(net)


@given(nets())
def test_renumbering_is_idempotent_and_numbers_everything(net: Net) -> None:
    order = number(net)
    assert sorted(order.operations) == sorted(net.graph.operations)
    assert sorted(order.wires) == sorted(net.graph.wires)
    assert renumber(renumber(net)) == renumber(net)
    assert renumber(net).faults() == ()


@given(nets())
def test_numbers_rise_along_wires(net: Net) -> None:
    place = {name: at for at, name in enumerate(number(net).operations)}
    for name, one in net.graph.operations.items():
        for wire in one.sources:
            assert all(place[maker] < place[name] for maker in net.graph.producers[wire])


def drawing(net: Net) -> nx.DiGraph[str]:
    """The net as a labelled graph: operations and wires are nodes, ports label the edges, legs label the wires."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    legs: dict[str, list[str]] = {wire: [] for wire in net.graph.wires}
    for name, wire in (*net.inputs, *net.outputs):
        legs[wire].append(name)
    for wire, sort in net.graph.wires.items():
        graph.add_node(wire, label=(str(sort), tuple(legs[wire])))
    for name, one in net.graph.operations.items():
        graph.add_node(name, label=(one.name, repr(one.payload and (one.payload.role, one.payload.term))))
        for wire in set(one.sources):
            graph.add_edge(wire, name, ports=tuple(at for at, source in enumerate(one.sources) if source == wire))
        for wire in one.targets:
            graph.add_edge(name, wire, ports=())
    return graph


def isomorphic(one: Net, other: Net) -> bool:
    """What networkx says by search (VF2)."""
    return nx.is_isomorphic(drawing(one), drawing(other), node_match=operator.eq, edge_match=operator.eq)


def edited(data: st.DataObject, net: Net) -> Net:
    """The net with one operation that reads its sources in another order, or other wires of the same sort."""
    name = data.draw(st.sampled_from(sorted(net.graph.operations)))
    one = net.graph.operations[name]
    before = set(topological(net.graph)[: topological(net.graph).index(name)])
    made = [wire for wire, makers in net.graph.producers.items() if set(makers) <= before]
    sources = tuple(
        data.draw(st.sampled_from([other for other in made if net.sort(other) == net.sort(wire)]))
        for wire in one.sources
    )
    operations = {**net.graph.operations, name: evolve(one, sources=sources)}
    return evolve(net, graph=evolve(net.graph, operations=operations))


@given(st.data())
def test_canon_agrees_with_a_search_for_isomorphisms(data: st.DataObject) -> None:
    net = data.draw(nets(most=6).filter(lambda found: bool(found.graph.operations)))
    other = edited(data, data.draw(renamings(net)))
    if not other.faults():
        assert (renumber(net) == renumber(other)) == isomorphic(net, other)


@given(st.data())
def test_canon_separates_nets_with_another_label(data: st.DataObject) -> None:
    net = data.draw(nets())
    calls = [name for name, one in net.graph.operations.items() if one.name in UNARY]
    if not calls:
        assert set(calls) <= set(net.graph.operations)
        return
    name = data.draw(st.sampled_from(calls))
    one = net.graph.operations[name]
    label = data.draw(st.sampled_from([label for label in UNARY if label != one.name]))
    other = evolve(net, graph=evolve(net.graph, operations={**net.graph.operations, name: evolve(one, name=label)}))
    assert renumber(other) != renumber(net)


def with_weights(*, shared: bool) -> Net:
    weights = {"w": Operation(PARAM, (), ("m",), (), param("w"))}
    if not shared:
        weights["v"] = Operation(PARAM, (), ("n",), (), param("w"))
    second = "m" if shared else "n"
    calls = {
        "a": Operation("aten.linear.default", ("x", "m"), ("h",)),
        "b": Operation("aten.linear.default", ("h", second), ("y",)),
    }
    matrices = {one.targets[0]: MATRIX for one in weights.values()}
    wires = {"x": VECTOR, "h": VECTOR, "y": VECTOR, **matrices}
    return Net(Hypergraph(wires, {**weights, **calls}), (("x", "x"),), (("y", "y"),))


def test_tied_is_not_copied() -> None:
    tied, copied = with_weights(shared=True), with_weights(shared=False)
    assert (tied.faults(), copied.faults()) == ((), ())
    assert renumber(tied) != renumber(copied)
    assert (len(tied.params()), len(copied.params())) == (1, 2)


def test_names_of_weights_and_paths_are_annotations() -> None:
    net = with_weights(shared=True)
    weight = net.graph.operations["w"]
    assert weight.payload is not None
    other = evolve(weight, payload=evolve(weight.payload, base="another"), path="elsewhere")
    renamed = evolve(net, graph=evolve(net.graph, operations={**net.graph.operations, "w": other}))
    assert renumber(renamed) == renumber(net)


def broken(wires: tuple[str, ...], operations: Mapping[str, Operation]) -> tuple[Fault, ...]:
    graph = Hypergraph(dict.fromkeys(wires, VECTOR), operations)
    return Net(graph, (("x", "x"),), (("y", "y"),)).faults()


def call(source: str, target: str) -> Operation:
    return Operation(RELU, (source,), (target,))


FAULTY: Mapping[str, tuple[tuple[Fault, ...], str, tuple[str, ...]]] = {
    "written twice": (broken(("x", "y"), {"a": call("x", "y"), "b": call("x", "y")}), "N2", ("y",)),
    "written by nobody": (
        broken(("x", "z", "y"), {"a": Operation("aten.add.Tensor", ("x", "z"), ("y",))}), "N2", ("z",)
    ),
    "an input that is written": (broken(("x", "y"), {"a": call("x", "y"), "b": call("y", "x")}), "N2", ("x",)),
    "a wire that is not there": (broken(("x", "y"), {"a": call("nowhere", "y")}), "N2", ("nowhere",)),
    "a cycle": (
        broken(("x", "y", "z"), {"a": Operation("aten.add.Tensor", ("x", "z"), ("y",)), "b": call("y", "z")}),
        "N3",
        ("a", "b"),
    ),
    "a result that nobody reads": (broken(("x", "y", "z"), {"a": call("x", "y"), "b": call("x", "z")}), "N4", ("b",)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_every_breach_is_seen(name: str) -> None:
    found, code, items = FAULTY[name]
    assert (code, items) in [(fault.code, fault.items) for fault in found]


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
