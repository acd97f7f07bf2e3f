"""A certificate is canonical, follows from the surgery alone, and convinces a verifier that shares no code with it."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.extent import symbol
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.storage import write
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json, encode, rational
from surgdsl.execution.declaration import declared
from surgdsl.execution.evidence import Log
from surgdsl.execution.graph import Scribe, stored_parts
from surgdsl.execution.statement import Certificate, Request, certificate
from surgdsl.metrics import count
from surgdsl.operations.coupling import couple
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.prune import Prune, ranked
from surgdsl.surgery.recode import Quantize, param
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.verifier.canonical import parse
from surgdsl.verifier.main import main as verify
from tests.rules.declaring import applications

BATCH = symbol("B")
SHAPES: Mapping[str, tuple[int, ...]] = {
    "one.weight": (6, 4), "one.bias": (6,), "norm.weight": (6,), "norm.bias": (6,), "norm.mean": (6,), "norm.var": (6,),
    "two.weight": (3, 6),
}  # fmt: skip
NORM: tuple[tuple[str, Attribute], ...] = (
    ("cudnn_enabled", True), ("eps", 1e-5), ("momentum", 0.1), ("training", False),
)  # fmt: skip


def network(seed: int = 0) -> State:
    """x → linear → batch norm → relu → linear, canonically numbered, with random weights."""
    draw = np.random.default_rng(seed)
    arrays: dict[str, Array] = {name: draw.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    arrays["norm.var"] = np.abs(arrays["norm.var"]) + np.float32(0.5)
    wide, narrow = Sort("F32", (BATCH, 6)), Sort("F32", (BATCH, 3))
    wires = {name: Sort("F32", shape) for name, shape in SHAPES.items()}
    wires |= {"x": Sort("F32", (BATCH, 4)), "a": wide, "n": wide, "r": wide, "y": narrow}
    linear = "aten.linear.default"
    operations = {
        name: Operation("param", (), (name,), payload=Payload(name, "parameter", Dense(), Given(name)))
        for name in SHAPES
    }
    norm = ("a", "norm.weight", "norm.bias", "norm.mean", "norm.var")
    operations |= {
        "f": Operation(linear, ("x", "one.weight", "one.bias"), ("a",), path="one"),
        "b": Operation("aten.batch_norm.default", norm, ("n",), NORM, path="norm"),
        "relu": Operation("aten.relu.default", ("n",), ("r",), path="act"),
        "g": Operation(linear, ("r", "two.weight"), ("y",), (("bias", None),), path="two"),
    }
    net = Net(Hypergraph(wires, operations), (("x", "x"),), (("y", "y"),))
    order = number(net).operations
    named = {f"o{place}": dense(arrays[name]) for place, name in enumerate(order) if name in SHAPES}
    return State(renumber(net), named)


class Action(Protocol):
    def rewrite(self, state: State, number: int, step: str) -> Rewrite: ...


def carried(state: State, actions: Sequence[tuple[str, Action]]) -> list[Rewrite]:
    done: list[Rewrite] = []
    for step, action in actions:
        done.append(action.rewrite(state, len(done), step))
        state = done[-1].after
    return done


SCORES = (4, 9, 9, 1, 7, 3)


def whole_surgery(state: State) -> list[Rewrite]:
    """One rewrite of each family that needs no data."""
    done = carried(state, [("fold", action) for action in applications("fold_batchnorm", state)])
    (axis,) = couple(done[-1].after.net).prunable
    actions: list[tuple[str, Action]] = [
        ("prune", Prune(axis.name, 6, ranked(SCORES, 4), SCORES)),
        ("thin", Mask("one.weight", 10, 16)),
        ("code", Quantize("one.weight", 1, "kmeans")),
        ("code", Quantize("two.weight", 2, "affine")),
    ]
    for step, action in actions:
        done.append(action.rewrite(done[-1].after, len(done), step))
    return done


def request(rewrites: Sequence[Rewrite], state: State, **fields: Any) -> Request:
    rows = dict.fromkeys((rewrite.step, rewrite.rule) for rewrite in rewrites)
    net = state.net
    inputs = [(name, net.sort(wire)) for name, wire in net.inputs]
    outputs = [(name, net.sort(wire)) for name, wire in net.outputs]
    asked: dict[str, Any] = {
        "obligations": list(rows),
        "spec": "surg 1\nsurgery slim on net {}\n",
        "facts": {"python": "3"},
        "interfaces": [("io", inputs, outputs)],
    } | fields
    return Request(version="0", rules=declared(rewrites), **asked)


def publish(folder: Path, start: State, final: State, written: Certificate) -> None:
    """The folder of a run, as section 1 of the certificate lays it out."""
    (folder / "certificate" / "blobs").mkdir(parents=True)
    for state, name in ((start, "input"), (final, "model")):
        write(folder / f"{name}.safetensors", {part.name: (part.dtype, part.array) for part in stored_parts(state)})
    (folder / "certificate" / "cert.json").write_bytes(written.statement)
    for name, data in written.blobs.items():
        (folder / "certificate" / "blobs" / name).write_bytes(data)


def said(written: Certificate) -> dict[str, Any]:
    return json.loads(written.statement)["predicate"]


def verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = verify([str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_verifier_accepts_a_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = network()
    rewrites = carried(start, [("thin", Mask("two.weight", 7, 18))])
    written = certificate(start, rewrites, request(rewrites, start))
    publish(tmp_path, start, rewrites[-1].after, written)
    code, found = verdict(tmp_path, capsys)
    assert (code, found.get("code")) == (0, None), found
    assert said(written)["steps"][0]["reduces"] == "nnz/1"
    assert said(written)["tensors"] == []


def test_a_verifier_accepts_a_whole_surgery_with_its_claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = network()
    rewrites = whole_surgery(start)
    final, scribe = rewrites[-1].after, Scribe()
    labels, was, is_ = (np.array(row) for row in ([0, 1, 2, 0, 1], [0, 1, 1, 0, 1], [0, 1, 2, 1, 1]))
    log = Log("held_out", "0" * 64, labels, was, is_)
    data = log.blob((scribe.manifest(start), scribe.manifest(final)))
    share = log.counts.bound(Fraction(9, 10))
    shared: dict[str, Json] = {"evidence": digest.blob(data), "measure": "accuracyDrop", "relation": "<="}
    sure: dict[str, Json] = {"candidates": 1, "confidence": "9/10"}
    claims: list[dict[str, Json]] = [
        {"measured": {**shared, "limit": "0"}, "text": "accuracy.drop <= 0 on held_out"},
        {
            "measured": {**shared, "limit": "1", **sure, "bound": rational(share)},
            "text": "accuracy.drop <= 1 on held_out with confidence 90%",
        },
    ]
    promises = "\n".join(f"require {claim['text']}" for claim in claims)
    spec = f"surg 1\nuse std.metric.accuracy\nsurgery slim on net {{\n{promises}\n}}\n"
    asked = request(rewrites, start, spec=spec, claims=claims, evidence=[data], binding={"B": 8}, seed=7)
    publish(tmp_path, start, final, certificate(start, rewrites, asked, scribe))
    code, found = verdict(tmp_path, capsys)
    assert (code, found.get("code")) == (0, None), found
    assert [claim["holds"] for claim in found["claims"]] == [True, True]


ORDERS: Mapping[str, tuple[tuple[str, Action], ...]] = {
    "cut a masked weight": (("a", Mask("two.weight", 9, 18)), ("b", Prune("one:out", 6, (0, 5), (3, 0, 0, 0, 0, 3)))),
    "cut a codebook": (
        ("a", Quantize("two.weight", 3, "kmeans")),
        ("b", Prune("one:out", 6, (1,), (0, 1, 0, 0, 0, 0))),
    ),
    "cut scales": (("a", Quantize("one.weight", 5, "affine")), ("b", Prune("one:out", 6, (0, 1), (1, 1, 0, 0, 0, 0)))),
    "mask twice": (("a", Mask("two.weight", 9, 18)), ("a", Mask("two.weight", 4, 18))),
    "mask everything": (("a", Mask("two.weight", 0, 18)),),
    "mask a codebook": (("a", Quantize("two.weight", 2, "kmeans")), ("b", Mask("two.weight", 5, 18))),
    "mask scales": (("a", Quantize("two.weight", 8, "affine")), ("b", Mask("two.weight", 0, 18))),
    "cut along the groups": (
        ("a", Quantize("two.weight", 4, "affine", group=3)),
        ("b", Prune("one:out", 6, (0, 1, 2), (3, 3, 3, 0, 0, 0))),
    ),
    "mask groups": (("a", Quantize("one.weight", 3, "symmetric", -1, 7, "mse")), ("b", Mask("one.weight", 3, 24))),
    "groups on a masked weight": (
        ("a", Mask("one.weight", 9, 24)),
        ("b", Quantize("one.weight", 2, "symmetric", 0, 3)),
    ),
    "scales on a masked weight": (("a", Mask("two.weight", 5, 18)), ("b", Quantize("two.weight", 1, "affine"))),
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_verifier_accepts_surgeries_that_compose(
    order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = network()
    rewrites = carried(start, ORDERS[order])
    publish(tmp_path, start, rewrites[-1].after, certificate(start, rewrites, request(rewrites, start)))
    code, found = verdict(tmp_path, capsys)
    assert (code, found.get("code")) == (0, None), found


@pytest.mark.parametrize("name", ["one.Weight", "one.bias", "größe", ""])
def test_tensor_names_that_no_certificate_can_hold_are_refused(name: str) -> None:
    state = network()
    place = param(state, "two.weight")
    operation = state.net.graph.operations[place]
    assert operation.payload
    renamed = evolve(operation, payload=evolve(operation.payload, base=name))
    graph = evolve(state.net.graph, operations={**state.net.graph.operations, place: renamed})
    state = State(evolve(state.net, graph=graph), state.weights)
    with pytest.raises(Refusal, match="E0715"):
        certificate(state, [], request([], state))


def test_an_input_name_that_no_certificate_can_hold_is_refused() -> None:
    state = network()
    state = State(evolve(state.net, inputs=(("größe", state.net.inputs[0][1]),)), state.weights)
    with pytest.raises(Refusal, match="E0715"):
        certificate(state, [], request([], state))


def test_a_verifier_rejects_another_tensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = network()
    rewrites = carried(start, [("thin", Mask("two.weight", 7, 18))])
    publish(tmp_path, start, network(seed=1), certificate(start, rewrites, request(rewrites, start)))
    code, found = verdict(tmp_path, capsys)
    assert code == 4
    assert not found["accepted"]


def test_the_numbers_of_a_certificate_are_counts_of_its_states() -> None:
    start = network()
    rewrites = whole_surgery(start)
    steps = said(certificate(start, rewrites, request(rewrites, start, binding={"B": 5})))["steps"]
    for rewrite, row in zip(rewrites, steps, strict=True):
        for key, state in (("before", rewrite.before), ("after", rewrite.after)):
            counts = count(state.net, state.weights, {"B": 5})
            assert row[key] == [{"id": metric, "value": str(counts[metric])} for metric in sorted(counts)]
        assert row["mayRaise"] == [
            metric for metric in ("macs/1", "nnz/1", "params/1", "size/1") if rises(row["before"], row["after"], metric)
        ]


def rises(before: list[dict[str, str]], after: list[dict[str, str]], metric: str) -> bool:
    values = [int(row["value"]) for rows in (before, after) for row in rows if row["id"] == metric]
    return values[1] > values[0]


def test_the_same_surgery_gives_the_same_bytes() -> None:
    first, second = ((start, whole_surgery(start)) for start in (network(), network()))
    written = [certificate(start, rewrites, request(rewrites, start)) for start, rewrites in (first, second)]
    assert written[0].statement == written[1].statement
    assert written[0].blobs == written[1].blobs


def test_blobs_are_named_by_their_bytes_and_are_all_referenced() -> None:
    start = network()
    rewrites = whole_surgery(start)
    written = certificate(start, rewrites, request(rewrites, start))
    predicate = said(written)
    named = {row["blob"] for row in predicate["tensors"]} | {predicate["spec"]["blob"], predicate["input"]["graphBlob"]}
    assert named == set(written.blobs)
    assert all(digest.blob(data) == name for name, data in written.blobs.items())
    filed = {
        Scribe().digests.of(part.dtype, part.array)
        for state in (start, rewrites[-1].after)
        for part in stored_parts(state)
    }
    assert not filed & {row["digest"] for row in predicate["tensors"]}


def test_a_surgery_without_steps_has_the_empty_chain() -> None:
    start = network()
    predicate = said(certificate(start, [], request([], start)))
    assert predicate["head"] == "0" * 64
    assert predicate["input"]["manifest"] == predicate["output"]["manifest"]


def test_a_weight_that_no_step_touches_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    tensor = digest.tensor

    def counted(dtype: str, array: Array) -> str:
        hashed.append(id(array))
        return tensor(dtype, array)

    monkeypatch.setattr(digest, "tensor", counted)
    start = network()
    rewrites = whole_surgery(start)
    certificate(start, rewrites, request(rewrites, start))
    assert len(hashed) == len(set(hashed))


def test_the_digest_of_a_tensor_is_that_of_section_3() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    leaf = hashlib.sha256(b"\0" + array.tobytes()).digest()
    head = b"surg-tensor-v1\0F32\0" + bytes([2]) + struct.pack("<QQQ", 2, 3, 24)
    assert digest.tensor("F32", array) == hashlib.sha256(head + leaf).hexdigest()
    none = np.zeros((0, 3), dtype=np.uint8)
    head = b"surg-tensor-v1\0U8\0" + bytes([2]) + struct.pack("<QQQ", 0, 3, 0)
    assert digest.tensor("U8", none) == hashlib.sha256(head).hexdigest()


def test_leaves_are_of_eight_mebibytes() -> None:
    array = np.arange((8 << 20) + 3, dtype=np.uint8)
    leaves = b"".join(
        hashlib.sha256(b"\0" + piece.tobytes()).digest() for piece in (array[: 8 << 20], array[8 << 20 :])
    )
    head = b"surg-tensor-v1\0U8\0" + bytes([1]) + struct.pack("<QQ", array.size, array.size)
    assert digest.tensor("U8", array) == hashlib.sha256(head + leaves).hexdigest()


KEYS = st.from_regex(r"[a-z][a-zA-Z0-9]{0,5}", fullmatch=True)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_bytes_are_read_back_and_accepted_by_the_verifier(value: Json) -> None:
    data = encode(value)
    assert json.loads(data) == value
    assert parse(data, "value") == value


@pytest.mark.parametrize("value", [1.5, None, 2**53, {"A": 1}, {"a_b": 1}, {1: 2}, b"x", [[None]], "\ud800"])
def test_what_has_no_canonical_form_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"canonical|surrogates"):
        encode(value)


def test_depth_is_at_most_32() -> None:
    value: Json = 1
    for _ in range(32):
        value = [value]
    assert encode(value) == b"[" * 32 + b"1" + b"]" * 32
    with pytest.raises(ValueError, match="canonical"):
        encode([value])
