"""Lies told with every hash recomputed: only the check of the thing itself can catch them, and each is caught by its own code."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, edit, replace_blob
from tests.verifier.conftest import KEEP, ROWS, SCORES, cut, job
from tests.verifier.forge import Forge, canon, sha, tensor_digest

Statement = dict[str, Any]


def steps(statement: Statement) -> list[Any]:
    return statement["predicate"]["steps"]


def renumber(statement: Statement) -> None:
    for index, step in enumerate(steps(statement)):
        step["index"] = index


def forged(metric: int, side: str, by: int) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        row = steps(statement)[2][side][metric]
        row["value"] = str(int(row["value"]) + by)

    return change


def relinked(order: list[int]) -> Callable[[Statement], None]:
    """Other steps in other places, with every link between neighbours repaired too."""

    def change(statement: Statement) -> None:
        old = steps(statement)
        statement["predicate"]["steps"] = [dict(old[at]) for at in order]
        renumber(statement)
        rows = steps(statement)
        for before, after in zip(rows, rows[1:], strict=False):
            after["graphBefore"], after["manifestBefore"], after["before"] = (
                before[k] for k in ("graphAfter", "manifestAfter", "after")
            )

    return change


def put(value: Any, *path: Any) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        at: Any = statement["predicate"]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value(at[path[-1]]) if callable(value) else value

    return change


def widened(wires: list[Any]) -> list[Any]:
    return [{**wire, "shape": [*wire["shape"][:-1], 9]} if "B" in wire["shape"] else wire for wire in wires]


def drop_step(statement: Statement) -> None:
    del steps(statement)[3]
    renumber(statement)


def repeat_step(statement: Statement) -> None:
    steps(statement).insert(3, dict(steps(statement)[3]))
    renumber(statement)


def swap_steps(statement: Statement) -> None:
    rows = steps(statement)
    rows[4], rows[5] = rows[5], rows[4]
    renumber(statement)


EDITS: list[tuple[str, str, Callable[[Statement], None]]] = [
    ("a metric after, forged low", "V13", forged(0, "after", -1)),
    ("a metric before, forged high", "V13", forged(2, "before", 1)),
    ("a forged metric carried through", "V13", lambda st: [forged(3, "after", -8)(st), put(lambda v: v, "steps", 3)(st)][0]),
    ("a rise that nobody announced", "V13", put(["size/1"], "steps", 3, "mayRaise")),
    ("a step removed", "V06", drop_step),
    ("a step removed and the links repaired", "V13", relinked([0, 1, 3, 4, 5, 6])),
    ("a step repeated", "V06", repeat_step),
    ("a step repeated and the links repaired", "V11", relinked([0, 1, 2, 3, 3, 4, 5, 6])),
    ("two steps swapped", "V06", swap_steps),
    ("steps of two names swapped, links repaired", "V14", relinked([0, 1, 3, 2, 4, 5, 6])),
    ("an index that repeats", "V05", put(0, "steps", 1, "index")),
    ("the last step cut off", "V06", lambda st: steps(st).pop() and None),
    ("a graph digest of a state", "V06", put("0" * 64, "steps", 2, "graphAfter")),
    ("a manifest digest of the input", "V06", put("0" * 64, "input", "manifest")),
    ("an output digest", "V06", put("0" * 64, "output", "graph")),
    ("a rule under another name", "V14", put("mask/1", "steps", 1, "rule")),
    ("a rule that is not listed", "V14", put("recover/2", "steps", 1, "rule")),
    ("a step that nobody asked for", "V14", put([], "obligations")),
    ("a reduce step that names another metric", "V14", put("macs/1", "steps", 0, "reduces")),
    ("an output shape on the boundary", "V16", put(["B", 4], "boundary", "outputs", 0, "shape")),
    ("an interface that is not there", "V16", put(["B", 4], "interfaces", 0, "outputs", 0, "shape")),
    ("a weight's wire in L of another shape", "V09", put(lambda shape: [*shape[:-1], 9], "steps", 0, "left", "wires", 0, "shape")),
    ("a wire in L of another shape", "V11", put(widened, "steps", 0, "left", "wires")),
    ("a match that is not injective", "V11", lambda st: put(lambda row: [row[0], steps(st)[0]["match"]["wires"][1][1]], "steps", 0, "match", "wires", 0)(st)),
    ("a match that is not total", "V11", lambda st: steps(st)[0]["match"]["operations"].pop() and None),
    ("local ids out of order", "V10", put("l99", "steps", 0, "left", "wires", 0, "id")),
    ("an operation of R on a deleted wire", "V10", put(lambda ops: [{**op, "sources": ["l1" for _ in op["sources"]]} for op in ops], "steps", 2, "right", "operations")),
    ("an unsorted index list", "V14", put([2, 0], "steps", 0, "arguments", "indices", 0)),
    ("a repeated index", "V14", put([0, 0], "steps", 0, "arguments", "indices", 0)),
    ("an index out of range", "V14", put([0, 4], "steps", 0, "arguments", "indices", 0)),
    ("a keep that the scores do not choose", "V14", put(["1", "9", "9", "1"], "steps", 0, "arguments", "scores")),
    ("a keep that is nothing kept", "V14", lambda st: [put([0, 1], "steps", 0, "arguments", "keep")(st), put(["9", "9", "1", "1"], "steps", 0, "arguments", "scores")(st)][0]),
    ("an argument that the rule does not have", "V03", put("x", "steps", 0, "arguments", "extra")),
    ("an unknown field", "V03", put(1, "metric")),
    ("an unknown field with another case", "V02", put(1, "Metrics")),
    ("another _type", "V03", lambda st: st.update({"_type": "https://in-toto.io/Statement/v2"})),
    ("_type further down", "V03", lambda st: st["predicate"].update({"_type": "x"})),
    ("another metric", "V03", put("params/2", "metrics", 2)),
    ("true for one", "V03", put(True, "steps", 1, "index")),
    ("an inflated binding", "V03", put([["B", 1], ["C", 1]], "binding")),
    ("macs at another binding", "V13", put([["B", 2]], "binding")),
    ("a claim that does not hold", "V18", put("1/100", "claims", 0, "counted", "right", "terms", 0, "number")),
    ("a claim that divides by zero", "V18", put({"apply": "div", "terms": [{"number": "1"}, {"number": "0"}]}, "claims", 0, "counted", "right")),
    ("a claim that is not strict", "V18", put("<", "claims", 2, "measured", "relation")),
    ("a bound forged low", "V17", put("1/10", "claims", 3, "measured", "bound")),
    ("a confidence beyond the evidence", "V17", put("999/1000", "claims", 3, "measured", "confidence")),
    ("a confidence of one", "V18", put("1", "claims", 3, "measured", "confidence")),
    ("a limit that the bound passes", "V18", put("1/6", "claims", 3, "measured", "limit")),
    ("a rational that is not in lowest terms", "V03", put("2/80", "claims", 2, "measured", "limit")),
    ("a subject that is another model", "V06", lambda st: st["subject"][0]["digest"].update({"surgManifestV1": "0" * 64})),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "change"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_an_edit_of_the_statement_with_all_hashes_recomputed(
    expected: str, change: Callable[[Statement], None], folder: Path
) -> None:
    assert code_of(edit(folder, change)) == expected


@pytest.mark.parametrize("path", [("seal",), ("head",), ("steps", 2, "chain")])
def test_a_digest_that_was_not_recomputed(path: tuple[Any, ...], folder: Path) -> None:
    change = put("0" * 64, *path)
    assert code_of(edit(folder, change, reseal=False)) == "V04"


def test_a_chain_that_is_wrong_under_a_right_seal(folder: Path) -> None:
    def change(statement: Statement) -> None:
        put("0" * 64, "steps", 6, "chain")(statement)
        statement["predicate"].pop("seal")
        statement["predicate"]["seal"] = sha(b"surg-seal-v1\0" + canon(statement))

    assert code_of(edit(folder, change, reseal=False)) == "V05"


def told(build: Callable[[Forge], None]) -> Callable[[], Forge]:
    def forge() -> Forge:
        f = s.cnn()
        build(f)
        return f

    return forge


def inconsistent(f: Forge) -> None:
    """The producer keeps {0, 1}, the consumer {2, 3}: every digest and shape fits."""
    kept = cut(f)
    consumer = f.ops[f.find("conv2d.default", 1)]["sources"][1]
    s.prune(f, {**kept, consumer: {1: [2, 3]}}, [0, 2], SCORES)


def other_weights(f: Forge) -> None:
    kept = cut(f)
    weight = f.ops[f.find("conv2d.default")]["sources"][1]
    s.prune(f, kept, KEEP, SCORES, weights={weight: {0: [0, 1]}})


def dangling(f: Forge) -> None:
    """The consumer of a wire that shrinks stays outside L."""
    kept = cut(f)
    del kept[f.ops[f.find("conv2d.default", 1)]["sources"][1]]
    s.prune(f, kept, KEEP, SCORES)


def off_by_one(f: Forge) -> None:
    s.fold(f, f.find("conv2d.default"), f.find("batch_norm.default"), lambda w, b: (np.nextafter(w, np.float32(9)), b))


def wrong_bias(f: Forge) -> None:
    s.fold(f, f.find("conv2d.default"), f.find("batch_norm.default"), lambda w, b: (w, -b))


def vacuous(f: Forge) -> None:
    """The head of the net replaced by one small linear, under the name of a fold."""
    head, x = f.find("linear.default"), f.ops[f.find("flatten.using_ints")]["targets"][0]
    y = f.ops[head]["targets"][0]
    made = f.param_op(s.dense("fc.weight", s.noise(3, f.wires[x][1][1])), "parameter", "W")
    raw = {"attributes": [["bias", {"none": True}]], "op": "aten.linear.default"}
    left = [head, *(f.maker(w) for w in f.ops[head]["sources"][1:])]
    right = [made, {"raw": raw, "sources": [x, "W"], "targets": [y]}]
    f.rewrite("fold", "fold-batchnorm/1", "params/1", {}, left, [x, y], {"W": ("F32", (3, f.wires[x][1][1]))}, right)


def changed_mask(f: Forge) -> None:
    values = f.weight(f.named("fc.weight")).decoded
    s.mask(f, "fc.weight", np.abs(values) > 0.5, values=values * np.float32(1.5))


def miscounted_mask(f: Forge) -> None:
    keep = np.abs(f.weight(f.named("fc.weight")).decoded) > 0.5
    s.mask(f, "fc.weight", keep, stated=int(keep.sum()) + 1)


def wrong_code(f: Forge) -> None:
    values = f.weight(f.named("fc.weight")).decoded
    book = np.array([-1, 0, 1, 2], dtype=np.float32)
    codes = s.nearest(book, values)
    codes[5] = (codes[5] + 1) % 4
    s.quantize(f, "fc.weight", 2, book=book, codes=codes)


def code_out_of_range(f: Forge) -> None:
    book = np.array([-1, 0, 1], dtype=np.float32)
    codes = s.nearest(book, f.weight(f.named("fc.weight")).decoded)
    codes[0] = 3
    s.quantize(f, "fc.weight", 2, book=book, codes=codes)


def falling_codebook(f: Forge) -> None:
    book = np.array([1, 0, -1], dtype=np.float32)
    s.quantize(f, "fc.weight", 2, book=book)


def poisoned(value: float) -> Callable[[Forge], None]:
    def change(role: str, values: s.Array) -> s.Array:
        values = values.copy()
        values.flat[0] = value if role != "decoded" else 1.0
        return values

    return lambda f: s.recover(f, change)


def recovered_codes(f: Forge) -> None:
    """Recovery that also moves codes."""
    s.quantize(f, "fc.weight", 2)
    weight = f.weight(f.named("fc.weight"))
    book = np.frombuffer(weight.parts[1][4], "<f4")
    codes = np.roll(s.nearest(book, weight.decoded), 1)
    other = s.codebook("fc.weight", weight.decoded, 2, book=book, codes=codes)
    arguments = {"batch": "1", "change": "0", "data": "train", "epochs": "1", "rate": "1", "seed": "0"}
    s.recode(f, "code", "recover/1", "", arguments, "fc.weight", other)


def renamed(f: Forge) -> None:
    weight = s.codebook("other.weight", f.weight(f.named("fc.weight")).decoded, 2)
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "fc.weight", weight)


def no_gain(f: Forge) -> None:
    """A mask that clears nothing."""
    s.mask(f, "fc.weight", np.ones((3, 24), dtype=bool))


def wrong_scale(f: Forge) -> None:
    weight = s.affine("fc.weight", f.weight(f.named("fc.weight")).decoded, 4)
    role, name, dtype, shape, data = weight.parts[1]
    weight.parts[1] = (role, name, dtype, shape, struct.pack("<f", -struct.unpack("<f", data)[0]))
    s.recode(f, "round", "quantize-affine/1", "size/1", {"axis": -1, "bits": 4}, "fc.weight", weight)


def padding(f: Forge) -> None:
    keep = np.ones((1, 3), dtype=bool)
    keep[0, 1] = False
    old = f.named("conv2.bias")
    values = f.weight(old).decoded
    weight = s.dense("conv2.bias", values, np.array([True, False, True, True, True, True]))
    role, name, dtype, shape, data = weight.parts[0]
    weight.parts[0] = (role, name, dtype, shape, bytes([data[0] | 0x80]))
    s.recode(f, "sparse", "mask/1", "nnz/1", {"keep": "5"}, "conv2.bias", weight)


TOLD: list[tuple[str, str, Callable[[Forge], None]]] = [
    ("inconsistent cuts of producer and consumer", "V14", inconsistent),
    ("other channels selected than stated", "V15", other_weights),
    ("an operation left dangling", "V09", dangling),
    ("a fold one ulp off", "V15", off_by_one),
    ("a fold with another bias", "V15", wrong_bias),
    ("a vacuous replacement under a rule's name", "V14", vacuous),
    ("a mask that changes what it keeps", "V15", changed_mask),
    ("a mask that keeps another number", "V15", miscounted_mask),
    ("a mask that masks nothing", "V13", no_gain),
    ("padding bits that carry a message", "V15", padding),
    ("a code that is not the nearest", "V15", wrong_code),
    ("a code out of the codebook's range", "V15", code_out_of_range),
    ("a codebook that falls", "V15", falling_codebook),
    ("a scale that is negative", "V15", wrong_scale),
    ("a weight under another name", "V14", renamed),
    ("NaN in a recovery", "V15", poisoned(float("nan"))),
    ("infinity in a recovery", "V15", poisoned(float("inf"))),
    ("recovery that moves codes", "V15", recovered_codes),
]


@pytest.mark.parametrize(("expected", "build"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_a_lie_of_the_compiler(expected: str, build: Callable[[Forge], None], tmp_path: Path) -> None:
    assert code_of(told(build)().write(tmp_path / "lie")) == expected


@pytest.mark.parametrize(
    ("expected", "rows", "changes"),
    [
        ("V17", [row for row in ROWS if row[0] != 7], {}),
        ("V17", [row for row in ROWS if row[0] != 39], {}),
        ("V17", [ROWS[1], ROWS[0], *ROWS[2:]], {}),
        ("V17", [*ROWS[:-1], ROWS[0]], {}),
        ("V17", ROWS, {"before": "0" * 64}),
        ("V17", [[row[0], row[2], row[2], row[3]] if row[0] else [0, 1, 1, 1] for row in ROWS], {}),
        ("V18", [[row[0], row[1], row[2], 7] for row in ROWS], {}),
        ("V03", [[*row, 0] for row in ROWS], {}),
    ],
)
def test_a_log_that_lies(expected: str, rows: list[list[int]], changes: dict[str, Any], tmp_path: Path) -> None:
    f = job()
    labels = np.array([row[1] for row in ROWS], dtype="<i8")
    data = {"inputs": "0" * 64, "labels": tensor_digest("I64", (40,), labels.tobytes()), "name": "test", "rows": 40}
    f.blobs.clear()
    evidence = s.log(f, rows, **{"data": data, **changes})
    f.claims = [s.measured(evidence, "1/40")]
    assert code_of(f.write(tmp_path / "lie")) == expected


def test_two_tensors_of_one_shape_swapped(tmp_path: Path) -> None:
    """In the result, in the input, and in the input with every hash recomputed."""
    folder = s.cnn().write(tmp_path / "lie")
    for file in ("model", "input"):
        path = folder / f"{file}.safetensors"
        data = path.read_bytes()
        path.write_bytes(
            data.replace(b'"bn.bias"', b'"bn.swap"')
            .replace(b'"bn.weight"', b'"bn.bias"')
            .replace(b'"bn.swap"', b'"bn.weight"')
        )
        assert code_of(folder) in ("V07", "V08")
        path.write_bytes(data)
    f = s.cnn()
    names = [
        p for op in f.ops.values() for p in op["raw"].get("parts", []) if p["name"] in ("bn.running_mean", "bn.bias")
    ]
    held = {part["name"]: part["digest"] for part in f.first_parts.values()}
    names[0]["digest"], names[1]["digest"] = names[1]["digest"], names[0]["digest"]
    f.first.update(graph=f.graph(), manifest=f.manifest())
    f.graph_blob = canon(f.written())
    folder = f.write(tmp_path / "other")
    honest = s.cnn().write(tmp_path / "honest")
    (folder / "input.safetensors").write_bytes((honest / "input.safetensors").read_bytes())
    assert code_of(folder) == "V08"
    assert held["bn.bias"] != names[0]["digest"] or held["bn.bias"] != names[1]["digest"]


def test_a_tensor_too_many_in_the_result(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    end = len(data) - 8 - length
    raw = (
        data[8 : 8 + length].rstrip(b" ")[:-1]
        + f',"z":{{"dtype":"U8","shape":[4],"data_offsets":[{end},{end + 4}]}}}}'.encode()
    )
    raw += b" " * (-len(raw) % 8)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data[8 + length :] + b"hide")
    assert code_of(folder) == "V08"


def test_a_tensor_blob_that_nobody_uses(folder: Path) -> None:
    data = b"payload!"
    (folder / "certificate" / "blobs" / sha(data)).write_bytes(data)
    row = {"blob": sha(data), "digest": tensor_digest("U8", (8,), data), "dtype": "U8", "shape": [8]}
    change = put(lambda rows: sorted([*rows, row], key=lambda item: item["digest"]), "tensors")
    assert code_of(edit(folder, change)) == "V08"


def test_a_graph_that_is_typed_wrong_or_no_net(folder: Path) -> None:
    import json  # noqa: PLC0415

    def with_graph(change: Callable[[dict[str, Any]], None]) -> str:
        def rewritten(data: bytes) -> bytes:
            raw = json.loads(data)
            change(raw)
            return canon(raw)

        statement = json.loads((folder / "certificate" / "cert.json").read_bytes())
        replace_blob(folder, statement["predicate"]["input"]["graphBlob"], rewritten)
        found = code_of(folder)
        name = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]["input"]["graphBlob"]
        replace_blob(folder, name, lambda _: original)
        return found

    name = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]["input"]["graphBlob"]
    original = (folder / "certificate" / "blobs" / name).read_bytes()
    last = len(json.loads(original)["wires"]) - 1
    assert with_graph(lambda g: g["wires"][last].update(shape=["B", 4])) == "V09"
    assert with_graph(lambda g: g["operations"][-1].update(op="aten.flip.default")) == "V09"
    assert with_graph(lambda g: g["operations"][-1].update(sources=[last, *g["operations"][-1]["sources"][1:]])) in (
        "V09",
        "V12",
    )
    assert with_graph(lambda g: g["operations"][-1].update(targets=[0])) in ("V09", "V12")
    assert with_graph(lambda g: g["outputs"].append({"name": "extra", "wire": 3})) in ("V06", "V16")
    assert with_graph(lambda g: g["operations"].reverse()) == "V06"
    assert code_of(folder) == ""
