"""The three hashes: what each tells apart and what it does not; their values are fixed, since they are written down."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from attrs import evolve, frozen

from surgdsl.axis.extent import symbol
from surgdsl.diagram.hashing import graph_hash, plan_hash, shape_hash
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Attribute, Operation, Tensors
from surgdsl.diagram.payload import Codebook, Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given, Read, Term, made, sliced, thinned

ROWS, SQUARE = Sort("F32", (symbol("B"), 2)), Sort("F32", (2, 2))
WEIGHT = Payload("w", "parameter", Dense(), Given("w"))


def net(payload: Payload = WEIGHT, *, attributes: tuple[tuple[str, Attribute], ...] = (), square: Sort = SQUARE) -> Net:
    operations = {
        "weight": Operation(PARAM, (), ("w",), (), payload),
        "map": Operation("aten.linear.default", ("x", "w"), ("y",), (("bias", None), *attributes)),
    }
    graph = Hypergraph({"x": ROWS, "w": square, "y": ROWS}, operations)
    return Net(graph, (("x", "x"),), (("y", "y"),), {"seen": "w"})


EVERYTHING: tuple[tuple[str, Attribute], ...] = (
    ("values", (1, True, 0.5, "é", None, (2,), Tensors(2), symbol("B"))),
)  # fmt: skip
B = '{"Polynomial":[[[["B"],1]]]}'
ENDS = f'[[["x",["F32",[{B},2]]]],[["y",[1,0]]],[["seen",[0,0]]]]'
VALUES = rf'[1,true,{{"float":"0x1.0000000000000p-1"}},"\u00e9",null,[2],{{"Tensors":[2]}},{B}]'
MAP = f'["aten.linear.default",[["bias",null],["values",{VALUES}]],null,[[-1,0],[0,0]],[["F32",[{B},2]]]]'
TERM = '["parameter",{"Dense":[]},{"Given":["w"]}]'


def text(kind: str, weight: str) -> str:
    """What is hashed, line by line."""
    return f'surg-{kind}\n{ENDS}\n["param",[],{weight},[],[["F32",[2,2]]]]\n{MAP}'


def test_what_is_hashed() -> None:
    found = net(attributes=EVERYTHING)
    assert graph_hash(found) == sha256(text("graph", f"[{TERM},null]").encode()).hexdigest()
    assert graph_hash(found, {"weight": "d1"}) == sha256(text("graph", f'[{TERM},"d1"]').encode()).hexdigest()
    assert plan_hash(found) == sha256(text("plan", TERM).encode()).hexdigest()
    assert shape_hash(found) == sha256(text("shape", "true").encode()).hexdigest()


def test_long_records_are_told_by_their_digest() -> None:
    """At most 200 characters stand in a row, so what terms share is hashed once."""
    for name, weight in (("n" * 186, f'{{"Given":["{"n" * 186}"]}}'), ("n" * 187, told("n" * 187))):
        assert (len(f'{{"Given":["{name}"]}}') <= 200) is weight.startswith('{"Given"')
        found = net(evolve(WEIGHT, term=Given(name)), attributes=EVERYTHING)
        wanted = text("plan", f'["parameter",{{"Dense":[]}},{weight}]')
        assert plan_hash(found) == sha256(wanted.encode()).hexdigest()


def told(name: str) -> str:
    digest = sha256(f'{{"Given":["{name}"]}}'.encode()).hexdigest()
    return f'{{"sha256":"{digest}"}}'


LABELS: tuple[tuple[Attribute, Attribute], ...] = (
    (1, True),
    (0, False),
    (1, 1.0),
    (0.0, -0.0),
    (None, "None"),
    ((1, 2), (12,)),
    ((1, (2,)), ((1,), 2)),
    (("a", "b"), ("a,b",)),
    ('","', ","),
    (2, Tensors(2)),
    ((2,), Tensors(2)),
    (symbol("B"), "B"),
    (symbol("B"), symbol("S")),
)


@pytest.mark.parametrize(("one", "other"), LABELS)
def test_values_that_look_alike_are_told_apart(one: Attribute, other: Attribute) -> None:
    first, second = (net(attributes=(("value", value),)) for value in (one, other))
    for hashed in (graph_hash, plan_hash, shape_hash):
        assert hashed(first) != hashed(second)


@frozen
class Told:
    """A change of the weight, and by which hashes it is seen: graph, plan, shape."""

    change: Callable[[Payload], Payload]
    seen: tuple[bool, bool, bool]


TOLD = {
    "its name": Told(lambda one: evolve(one, base="v"), (False, False, False)),
    "its role": Told(lambda one: evolve(one, role="buffer"), (True, True, False)),
    "its encoding": Told(lambda one: evolve(one, encoding=Codebook(2)), (True, True, False)),
    "where it comes from": Told(lambda one: evolve(one, term=thinned(Given("w"), 2)), (True, True, False)),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_each_hash_sees_of_a_weight(name: str) -> None:
    before, after = net(), net(TOLD[name].change(WEIGHT))
    found = tuple(hashed(before) != hashed(after) for hashed in (graph_hash, plan_hash, shape_hash))
    assert found == TOLD[name].seen


def test_shapes_and_values_are_seen() -> None:
    other = net(square=Sort("F32", (2, 3)))
    assert all(hashed(net()) != hashed(other) for hashed in (graph_hash, plan_hash, shape_hash))
    assert len({graph_hash(net(), digests) for digests in (None, {"weight": "a"}, {"weight": "b"})}) == 3
    assert graph_hash(net(), {"map": "a"}) == graph_hash(net())


def test_the_three_hashes_differ() -> None:
    empty = Net(Hypergraph({"x": ROWS}), (("x", "x"),), (("x", "x"),))
    assert len({hashed(empty) for hashed in (graph_hash, plan_hash, shape_hash)}) == 3


def test_ends_are_seen() -> None:
    found = net()
    changes: list[dict[str, Any]] = [
        {"inputs": (("z", "x"),)},
        {"outputs": (("z", "y"),)},
        {"outputs": (("y", "x"),), "boundary": {"seen": "w", "made": "y"}},
        {"boundary": {"saw": "w"}},
        {"boundary": {"seen": "y"}},
    ]
    assert len({shape_hash(evolve(found, **change)) for change in ({}, *changes)}) == 6


def test_terms_of_shared_parts_are_written_in_linear_time() -> None:
    """A term that holds another twice, thirty times over, would have a billion leaves."""
    long: Term = sliced(Given("w"), {0: tuple(range(300))})
    for _ in range(30):
        long = made("twice", (Read(long), Read(long)))
    assert plan_hash(net(evolve(WEIGHT, term=long))) != plan_hash(net())
