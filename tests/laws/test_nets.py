"""The laws of nets and of their canonical form, with networkx (VF2) as the oracle (10 to 15)."""

from __future__ import annotations

import operator

import networkx as nx
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.hashing import graph_hash, plan_hash, shape_hash
from surgdsl.diagram.hypergraph import Hypergraph, topological
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.rows import decode, table
from tests.rewriting_strategies import bounded
from tests.strategies import BINARY, MATRIX, UNARY, VECTOR, nets, param, renamings


@given(bounded())
def test_generated_is_net(net: Net) -> None:
    assert net.faults() == ()


@given(st.data())
def test_canon_is_invariant(data: st.DataObject) -> None:
    net = data.draw(bounded())
    other = data.draw(renamings(net))
    assert renumber(other) == renumber(net)
    assert table(other) == table(net)
    assert [hashed(other) for hashed in (graph_hash, plan_hash, shape_hash)] == [
        hashed(net) for hashed in (graph_hash, plan_hash, shape_hash)
    ]


@st.composite
def edits(draw: st.DrawFn, net: Net) -> Net:
    """The net with one label, one port or one output changed, less what then is dead."""
    graph = net.graph
    choices = [("output", "")]
    choices += [("label", name) for name, one in graph.operations.items() if one.name in UNARY + BINARY]
    choices += [("port", name) for name in graph.operations if others(net, name)]
    kind, name = draw(st.sampled_from(choices))
    if kind == "output":
        known = net.outputs[0][1]
        wire = draw(st.sampled_from([one for one, sort in graph.wires.items() if sort == VECTOR and one != known]))
        return live(evolve(net, outputs=(("y0", wire), *net.outputs[1:])))
    one = graph.operations[name]
    if kind == "label":
        labels = UNARY if one.name in UNARY else BINARY
        changed = evolve(one, name=draw(st.sampled_from([label for label in labels if label != one.name])))
    else:
        port, wire = draw(st.sampled_from(others(net, name)))
        changed = evolve(one, sources=(*one.sources[:port], wire, *one.sources[port + 1 :]))
    return live(evolve(net, graph=evolve(graph, operations={**graph.operations, name: changed})))


def others(net: Net, name: str) -> list[tuple[int, str]]:
    """Every port of an operation with every other wire that it could read: of its sort, and made before."""
    order = topological(net.graph)
    late = {wire for after in order[order.index(name) :] for wire in net.graph.operations[after].targets}
    return [
        (port, wire)
        for port, known in enumerate(net.graph.operations[name].sources)
        for wire, sort in net.graph.wires.items()
        if wire != known and sort == net.sort(known) and wire not in late
    ]


def live(net: Net) -> Net:
    """The net less what reaches nothing."""
    order = number(net)
    wires = {wire: sort for wire, sort in net.graph.wires.items() if wire in order.wires}
    return evolve(net, graph=Hypergraph(wires, {name: net.graph.operations[name] for name in order.operations}))


@given(st.data())
def test_canon_separates(data: st.DataObject) -> None:
    net = data.draw(bounded())
    other = data.draw(edits(net))
    assert other.faults() == ()
    assert renumber(other) != renumber(net)
    assert table(other) != table(net)
    assert graph_hash(other) != graph_hash(net)


@given(bounded())
def test_decode_of_canon(net: Net) -> None:
    found = decode(table(net))
    assert found == renumber(net)
    assert table(found) == table(net)
    assert found.faults() == ()


@given(bounded())
def test_numbers_are_complete_and_rise_along_wires(net: Net) -> None:
    order = number(net)
    assert sorted(order.operations) == sorted(net.graph.operations)
    assert sorted(order.wires) == sorted(net.graph.wires)
    place = {name: at for at, name in enumerate(order.operations)}
    for name, one in net.graph.operations.items():
        for wire in one.sources:
            assert all(place[maker] < place[name] for maker in net.graph.producers[wire])


def drawing(net: Net) -> nx.DiGraph[str]:
    """The net as a labelled graph: operations and wires are nodes, ports label the edges, legs label the wires."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    legs: dict[str, list[str]] = {wire: [] for wire in net.graph.wires}
    for name, wire in (*net.inputs, *net.outputs, *net.boundary.items()):
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


@given(st.data())
def test_canon_agrees_with_vf2(data: st.DataObject) -> None:
    net = data.draw(nets(most=6))
    other = data.draw(st.one_of(renamings(net), edits(net), edits(net).flatmap(renamings), nets(most=6)))
    assert (renumber(net) == renumber(other)) == isomorphic(net, other)


def with_weights(*, shared: bool) -> Net:
    weights = {"w": Operation(PARAM, (), ("m",), (), param("w"))}
    if not shared:
        weights["v"] = Operation(PARAM, (), ("n",), (), param("w"))
    calls = {
        "a": Operation("aten.linear.default", ("x", "m"), ("h",)),
        "b": Operation("aten.linear.default", ("h", "m" if shared else "n"), ("y",)),
    }
    matrices = {one.targets[0]: MATRIX for one in weights.values()}
    wires = {"x": VECTOR, "h": VECTOR, "y": VECTOR, **matrices}
    return Net(Hypergraph(wires, {**weights, **calls}), (("x", "x"),), (("y", "y"),))


def test_tied_is_not_copied() -> None:
    tied, copied = with_weights(shared=True), with_weights(shared=False)
    assert (tied.faults(), copied.faults()) == ((), ())
    assert renumber(tied) != renumber(copied)
    assert plan_hash(tied) != plan_hash(copied)
    assert (len(tied.params()), len(copied.params())) == (1, 2)
