"""Lies of the compiler, the evaluator and the distributor, told with every hash recomputed; each has its own code."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, edit, replace_blob
from tests.verifier.conftest import KEEP, ROWS, SCORES, cut, job
from tests.verifier.encodings import dense, nearest
from tests.verifier.forge import Forge, canon, sha, tensor_digest

Statement = dict[str, Any]


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


def nudged(weight: s.Array, bias: s.Array) -> tuple[s.Array, s.Array]:
    return np.nextafter(weight, np.float32(9)), bias


def negated(weight: s.Array, bias: s.Array) -> tuple[s.Array, s.Array]:
    return weight, -bias


def transposed(weight: s.Array, bias: s.Array) -> tuple[s.Array, s.Array]:
    return weight.reshape(2, 1, 3, 2), bias


def off_by_one(f: Forge) -> None:
    declaring.fold(f, spoil=nudged)


def wrong_bias(f: Forge) -> None:
    declaring.fold(f, spoil=negated)


def turned(f: Forge) -> None:
    """The folded kernel with its height and width exchanged: the same bytes, and with this stride the same output."""
    g = Forge()
    x = g.input("image", ("B", 1, 8, 8))
    w = g.param(s.dense("conv.weight", s.noise(2, 1, 2, 3)))
    more: dict[str, Any] = {"bias": {"none": True}, "groups": 1, "dilation": [1, 1], "padding": [0, 0]}
    y = g.op("conv2d.default", [x, w], ("B", 2, 2, 2), stride=[4, 4], **more)
    g.begin(("y", s.norm(g, y, "bn")), B=1)
    declaring.fold(g, spoil=transposed)
    vars(f).update(vars(g))


def changed_mask(f: Forge) -> None:
    values = f.weight(f.named("fc.weight")).decoded
    s.mask(f, "fc.weight", np.abs(values) > 0.5, values=values * np.float32(1.5))


def miscounted_mask(f: Forge) -> None:
    keep = np.abs(f.weight(f.named("fc.weight")).decoded) > 0.5
    s.mask(f, "fc.weight", keep, stated=int(keep.sum()) + 1)


def wrong_code(f: Forge) -> None:
    values = f.weight(f.named("fc.weight")).decoded
    book = np.array([-1, 0, 1, 2], dtype=np.float32)
    codes = nearest(book, values)
    codes[5] = (codes[5] + 1) % 4
    s.quantize(f, "fc.weight", 2, book=book, codes=codes)


def code_out_of_range(f: Forge) -> None:
    book = np.array([-1, 0, 1], dtype=np.float32)
    codes = nearest(book, f.weight(f.named("fc.weight")).decoded)
    codes[0] = 3
    s.quantize(f, "fc.weight", 2, book=book, codes=codes)


def coded_twice(f: Forge) -> None:
    s.quantize(f, "fc.weight", 3)
    s.quantize(f, "fc.weight", 2)


def fewer_bits_stated(f: Forge) -> None:
    weight = s.codebook("fc.weight", f.weight(f.named("fc.weight")).decoded, 2)
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 3}, "fc.weight", weight)


def other_scheme(f: Forge) -> None:
    weight = s.affine("fc.weight", f.weight(f.named("fc.weight")).decoded, 2)
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "fc.weight", weight)


def moved_mask(f: Forge) -> None:
    """The codes are right and as many, but elsewhere."""
    values = f.weight(f.named("fc.weight")).decoded
    keep, book = np.abs(values) > 0.5, np.array([-1, 0, 1, 2], dtype=np.float32)
    s.mask(f, "fc.weight", keep)
    weight = s.codebook("fc.weight", values, 2, np.roll(keep, 1), book, nearest(book, values[keep]))
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "fc.weight", weight)


def unmasked(f: Forge) -> None:
    """Quantization that also takes the mask away."""
    values = f.weight(f.named("fc.weight")).decoded
    s.mask(f, "fc.weight", np.abs(values) > 0.5)
    weight = s.codebook("fc.weight", f.weight(f.named("fc.weight")).decoded, 2)
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "fc.weight", weight)


def falling_codebook(f: Forge) -> None:
    book = np.array([1, 0, -1], dtype=np.float32)
    s.quantize(f, "fc.weight", 2, book=book)


def poisoned(value: float, build: Callable[[Forge, s.Change], None] = s.recover) -> Callable[[Forge], None]:
    def change(role: str, values: s.Array) -> s.Array:
        values = values.copy()
        values.flat[0] = value if role != "decoded" else 1.0
        return values

    return lambda f: build(f, change)


def cut_tile(f: Forge) -> None:
    """A mask that is said to go tile by tile, and leaves half of one."""
    keep = tiles()
    keep[0, 0] = False
    s.mask(f, "fc.weight", keep, tile=[3, 4])


def tiles() -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Every other run of four columns of the last weight."""
    return np.tile(np.arange(24) % 8 < 4, (3, 1))


def misfigured(*rows: list[str]) -> Callable[[Forge], None]:
    """An adjustment with these figures."""
    return lambda f: s.adjust(f, figures=list(rows))


def recovered_codes(f: Forge, rule: str = "recover/1", arguments: dict[str, Any] = s.TRAINED) -> None:
    """Recovery that also moves codes."""
    s.quantize(f, "fc.weight", 2)
    weight = f.weight(f.named("fc.weight"))
    book = np.frombuffer(weight.parts[1][4], "<f4")
    codes = np.roll(nearest(book, weight.decoded), 1)
    other = s.codebook("fc.weight", weight.decoded, 2, book=book, codes=codes)
    s.recode(f, "code", rule, "", arguments, "fc.weight", other)


def activation(f: Forge) -> None:
    """Another activation, sold as a recovery: no metric moves."""
    relu = f.ops[f.find("relu.default")]
    made = {**relu, "raw": {**relu["raw"], "op": "aten.tanh.default"}}
    arguments = {"batch": "1", "change": "0", "data": "train", "epochs": "1", "rate": "1", "seed": "0"}
    wires = [*relu["sources"], *relu["targets"]]
    f.rewrite("narrow", "recover/1", "", arguments, [f.find("relu.default")], wires, {}, [made])


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
    ("a fold that turns the kernel", "V14", turned),
    ("a fold with another bias", "V15", wrong_bias),
    ("a mask that changes what it keeps", "V15", changed_mask),
    ("a mask that keeps another number", "V15", miscounted_mask),
    ("a mask that masks nothing", "V13", no_gain),
    ("padding bits that carry a message", "V15", padding),
    ("a code that is not the nearest", "V15", wrong_code),
    ("a code out of the codebook's range", "V15", code_out_of_range),
    ("a weight coded twice", "V14", coded_twice),
    ("other bits than stated", "V14", fewer_bits_stated),
    ("another scheme under the rule's name", "V14", other_scheme),
    ("a mask that moves under its codes", "V15", moved_mask),
    ("a mask that goes", "V14", unmasked),
    ("a codebook that falls", "V15", falling_codebook),
    ("a scale that is negative", "V15", wrong_scale),
    ("a weight under another name", "V14", renamed),
    ("NaN in a recovery", "V15", poisoned(float("nan"))),
    ("infinity in a recovery", "V15", poisoned(float("inf"))),
    ("a mask with more neighbours than stated", "V15", lambda f: s.mask(f, "fc.weight", tiles(), few=[2, 4])),
    ("a mask that cuts a tile", "V15", cut_tile),
    ("a tile that a later mask cuts", "V15", lambda f: (s.mask(f, "fc.weight", tiles()), cut_tile(f))[1]),
    ("neighbours of a bias", "V14", lambda f: s.mask(f, "conv2.bias", np.arange(6) % 2 == 0, few=[1, 2])),
    ("no neighbours at all", "V03", lambda f: s.mask(f, "fc.weight", tiles(), few=[4, 0])),
    ("NaN in an adjustment", "V15", poisoned(float("nan"), s.adjust)),
    ("a figure that stands twice", "V03", misfigured(["a", "1"], ["a", "1"])),
    ("figures out of order", "V03", misfigured(["b", "1"], ["a", "1"])),
    ("a figure that is no rational", "V03", misfigured(["a", "0.5"])),
    ("another activation sold as recovery", "V14", activation),
    ("recovery that moves codes", "V15", recovered_codes),
    ("an adjustment that moves codes", "V15", lambda f: recovered_codes(f, "adjust/1", s.SOLVED)),
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

    def change(statement: Statement) -> None:
        rows = statement["predicate"]["tensors"]
        rows.insert(sum(other["digest"] < row["digest"] for other in rows), row)

    assert code_of(edit(folder, change)) == "V08"


def test_a_graph_that_is_typed_wrong_or_no_net(folder: Path) -> None:
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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_has_no_nearest_code(value: float, tmp_path: Path) -> None:
    f = Forge()
    values = s.noise(4, 8)
    values[1, 2] = value
    w = f.param(dense("w", values))
    f.begin(("y", f.op("linear.default", [f.input("x", ("B", 8)), w], ("B", 4), bias={"none": True})), B=1)
    assert code_of(f.write(tmp_path / "fine")) == ""
    s.quantize(f, "w", 2, book=np.array([-1, 0, 1, 2], dtype=np.float32))
    assert code_of(f.write(tmp_path / "lie")) == "V15"
