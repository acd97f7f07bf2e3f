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
from surgdsl.diagram.hypergraph import Hypergraph
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
