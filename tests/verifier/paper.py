"""A certificate taken apart into values that a forger may change, and put together again with everything re-hashed.

States are formed and counted again by the writer of the tests, so that digests, metrics and chains agree with whatever
lie was told; it shares no code with the verifier.
"""

from __future__ import annotations

import json
import math
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from tests.verifier.encodings import Array, Weight
from tests.verifier.forge import Forge, canon, sealed, sha, tagged, tensor_digest, weight_file

Json = dict[str, Any]
Tensor = tuple[str, list[int], bytes]
LARGEST = 1 << 20
FORMS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


class Paper:
    """A certificate as values: the statement, the input graph, logs, the text, and every tensor by its first digest."""

    def __init__(self, folder: Path) -> None:
        inner = folder / "certificate"
        blobs = {path.name: path.read_bytes() for path in (inner / "blobs").iterdir()}
        self.statement: Json = json.loads((inner / "cert.json").read_bytes())
        self.graph: Json = json.loads(blobs[self.predicate["input"]["graphBlob"]])
        self.text = blobs[self.predicate["spec"]["blob"]]
        measured = [claim["measured"] for claim in self.predicate["claims"] if "measured" in claim]
        self.logs: Json = {row["evidence"]: json.loads(blobs[row["evidence"]]) for row in measured}
        self.input, self.model = (weights(folder / f"{name}.safetensors") for name in ("input", "model"))
        self.tensors: dict[str, Tensor] = {}
        for dtype, shape, data in (*self.input.values(), *self.model.values()):
            self.tensors[tensor_digest(dtype, shape, data)] = (dtype, shape, data)
        for row in self.predicate["tensors"]:
            self.tensors[row["digest"]] = (row["dtype"], row["shape"], blobs[row["blob"]])
        self.names = {name: tensor_digest(*tensor) for name, tensor in self.input.items()}
        self.rules = list(map(declaration, self.predicate.get("rules", [])))

    @property
    def predicate(self) -> Json:
        return self.statement["predicate"]

    @property
    def steps(self) -> list[Json]:
        return self.predicate["steps"]

    def copy(self) -> Paper:
        """Another one to forge."""
        other = Paper.__new__(Paper)
        vars(other).update(vars(self))
        other.statement, other.graph, other.logs = json.loads(json.dumps([self.statement, self.graph, self.logs]))
        other.tensors, other.names, other.model = dict(self.tensors), dict(self.names), dict(self.model)
        return other

    def operations(self) -> Iterator[Json]:
        """Every operation that is written down anywhere."""
        yield from self.graph["operations"]
        for step in self.steps:
            yield from step["left"]["operations"]
            yield from step["right"]["operations"]

    def renew(self, *, count: bool) -> list[Forge]:
        """Hash everything anew, and with `count` also count the metrics anew; the states that could be formed."""
        self.rename({old: tensor_digest(*tensor) for old, tensor in self.tensors.items()})
        declared = list(map(declaration, self.predicate.get("rules", [])))
        if len(declared) == len(self.rules):
            self.rename(dict(zip(self.rules, declared, strict=True)))
        if "rules" in self.predicate:
            self.predicate["rules"].sort(key=declaration)
        states = self.replayed(count=count)
        if states:
            self.end(states)
        evidence = {old: sha(canon(log)) for old, log in self.logs.items()}
        self.rename({old: new for old, new in evidence.items() if old != new})
        self.logs = {evidence[old]: log for old, log in self.logs.items()}
        self.predicate["input"]["graphBlob"] = sha(canon(self.graph))
        self.predicate["spec"]["blob"] = sha(self.text)
        sealed(self.statement)
        return states

    def end(self, states: list[Forge]) -> None:
        """What is said of the first and of the last state."""
        first, last = states[0], states[-1]
        source, output = self.predicate["input"], self.predicate["output"]
        new = {source["manifest"]: first.manifest(), output["manifest"]: last.manifest()}
        for log in self.logs.values():
            log.update({side: new.get(log.get(side), log.get(side)) for side in ("before", "after") if side in log})
        source.update(graph=first.graph(), manifest=first.manifest())
        output.update(graph=last.graph(), manifest=last.manifest())
        self.statement["subject"][0]["digest"] = {"surgManifestV1": last.manifest()}
        self.model = {name: self.tensors[part["digest"]] for name, part in last.parts()}

    def rename(self, names: dict[str, str]) -> None:
        """Other digests wherever they stand, in the statement and in the graph."""
        changed = {old: new for old, new in names.items() if old != new}
        if changed:
            self.statement, self.graph = renamed(self.statement, changed), renamed(self.graph, changed)
            self.tensors = {changed.get(name, name): tensor for name, tensor in self.tensors.items()}
            self.names = {name: changed.get(digest, digest) for name, digest in self.names.items()}

    def replayed(self, *, count: bool) -> list[Forge]:
        """Form the states again and record their digests in the steps, as far as the steps can be taken."""
        try:
            states = [opened(self)]
            states[0].graph()
            counts = states[0].metrics() if count else None
            for index, step in enumerate(self.steps):
                record(step, "Before", states[-1], counts)
                states.append(taken(states[-1], step, index, self.tensors))
                counts = states[-1].metrics() if count else None
                record(step, "After", states[-1], counts)
        except (KeyError, ValueError, IndexError, TypeError, AttributeError, RecursionError, StopIteration):
            return []  # what was forged is no rewrite of a net; its digests stay as they were
        return states

    def write(self, folder: Path) -> Path:
        """The folder, with the blobs that are needed and no other."""
        shutil.rmtree(folder, ignore_errors=True)
        blobs = [self.text, canon(self.graph), *map(canon, self.logs.values())]
        held = {tensor_digest(*tensor) for tensor in (*self.from_input().values(), *self.model.values())}
        parts = [p["digest"] for step in self.steps for op in listed(step) for p in op.get("parts", [])]
        between = sorted({digest for digest in parts if digest in self.tensors} - held)
        rows = list[Json]()
        for digest in between:
            dtype, shape, data = self.tensors[digest]
            blobs.append(data)
            rows.append({"blob": sha(data), "digest": digest, "dtype": dtype, "shape": shape})
        self.predicate["tensors"] = rows
        sealed(self.statement)
        (folder / "certificate" / "blobs").mkdir(parents=True)
        for data in blobs:
            (folder / "certificate" / "blobs" / sha(data)).write_bytes(data)
        (folder / "certificate" / "cert.json").write_bytes(canon(self.statement))
        for file, table in (("input", self.from_input()), ("model", self.model)):
            rows_ = {name: (dtype, tuple(shape), data) for name, (dtype, shape, data) in table.items()}
            (folder / f"{file}.safetensors").write_bytes(weight_file(rows_))
        return folder

    def from_input(self) -> dict[str, Tensor]:
        """The tensors of the input file."""
        return {name: self.tensors[digest] for name, digest in self.names.items()}


def declaration(row: Json) -> str:
    return tagged("surg-rule-v1", row["declaration"])


def listed(step: Json) -> list[Json]:
    return [op for op in step["right"]["operations"] if isinstance(op, dict)]


def record(step: Json, side: str, state: Forge, counts: list[dict[str, str]] | None) -> None:
    """What a step says of the state on one side of it."""
    step[f"graph{side}"], step[f"manifest{side}"] = state.graph(), state.manifest()
    if counts is not None:
        step[side.lower()] = counts
    if counts is not None and side == "After":
        pairs = zip(step["before"], counts, strict=True)
        step["mayRaise"] = [row["id"] for old, row in pairs if int(row["value"]) > int(old["value"])]


def renamed(value: Any, names: dict[str, str]) -> Any:
    """The value with other texts in the place of some."""
    if isinstance(value, dict):
        return {key: renamed(item, names) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in cast("list[Any]", value)]
    return names.get(value, value) if isinstance(value, str) else value


def weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weight file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    table, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    return {
        name: (row["dtype"], row["shape"], body[row["data_offsets"][0] : row["data_offsets"][1]])
        for name, row in table.items()
    }


def opened(paper: Paper) -> Forge:
    """The input graph as a state."""
    f, graph = Forge(), paper.graph
    f.wires = {f"w{at}": (wire["dtype"], tuple(wire["shape"])) for at, wire in enumerate(graph["wires"])}
    f.inputs = [(end["name"], f"w{end['wire']}") for end in graph["inputs"]]
    f.outputs = [(end["name"], f"w{end['wire']}") for end in graph["outputs"]]
    f.binding = dict(paper.predicate["binding"])
    ports = {f"w{at}": f"w{at}" for at in range(len(graph["wires"]))}
    f.ops = {f"o{at}": put(f, op, ports, paper.tensors, "w") for at, op in enumerate(graph["operations"])}
    return f


def taken(state: Forge, step: Json, index: int, tensors: dict[str, Tensor]) -> Forge:
    """The state after a step."""
    f = Forge()
    f.wires, f.ops, f.inputs, f.outputs = dict(state.wires), dict(state.ops), state.inputs, state.outputs
    f.binding, f.weights, f.pool = state.binding, dict(state.weights), dict(state.pool)
    wires, operations = dict(step["match"]["wires"]), dict(step["match"]["operations"])
    for op in step["left"]["operations"]:
        del f.ops[operations[op["id"]]]
    for wire in step["left"]["wires"]:
        if wire["id"] not in step["glue"]["wires"]:
            del f.wires[wires[wire["id"]]]
    for at, wire in enumerate(step["right"]["wires"]):
        wires[wire["id"]] = f"s{index}.{at}"
        f.wires[wires[wire["id"]]] = (wire["dtype"], tuple(wire["shape"]))
    for at, op in enumerate(step["right"]["operations"], len(step["right"]["wires"])):
        f.ops[f"s{index}.{at}"] = put(f, op, wires, tensors)
    return f


def put(f: Forge, op: Json, wires: dict[str, str], tensors: dict[str, Tensor], prefix: str = "") -> Json:
    """An operation in a state; of a weight also what it decodes to."""
    raw = {key: value for key, value in op.items() if key not in ("id", "sources", "targets")}
    made: Json = {
        "raw": raw,
        **{side: [wires[f"{prefix}{wire}"] for wire in op[side]] for side in ("sources", "targets")},
    }
    if op["op"] == "param":
        dtype, shape = f.wires[made["targets"][0]]
        parts = {part["role"]: (part, tensors[part["digest"]]) for part in op["parts"]}
        arrays = {role: np.frombuffer(tensor[2], FORMS.get(tensor[0], "u1")) for role, (_, tensor) in parts.items()}
        weight = Weight.__new__(Weight)
        weight.base, weight.encoding = op["parts"][0]["name"], op["encoding"]
        weight.parts = [(role, part["name"], t[0], tuple(t[1]), t[2]) for role, (part, t) in parts.items()]
        weight.decoded = decoded(op["encoding"], arrays, tuple(shape), FORMS[dtype])
        made["key"] = sha(canon([op["encoding"], op["parts"]]))
        f.weights[made["key"]] = weight
        f.pool |= {part["digest"]: (tensor[0], tuple(tensor[1]), tensor[2]) for part, tensor in parts.values()}
    return made


def decoded(encoding: Json, arrays: dict[str, Array], shape: tuple[int, ...], form: str) -> Array:
    """What a weight stands for, as section 5 of the page says."""
    inner, count = encoding.get("inner", encoding), math.prod(shape)
    mask = np.unpackbits(arrays["mask"], bitorder="little")[:count].astype(bool) if "mask" in arrays else None
    if count > LARGEST:
        raise ValueError("nothing here has so many elements")
    at = np.arange(count) if mask is None else np.flatnonzero(mask)
    values = arrays["values"] if inner["kind"] == "dense" else unpacked(inner, arrays, shape, at)
    whole = np.zeros(count, dtype=form)
    with np.errstate(invalid="ignore"):  # a dtype that lies makes NaN an integer
        whole[at] = values
    return whole.reshape(shape)


def unpacked(encoding: Json, arrays: dict[str, Array], shape: tuple[int, ...], at: Array) -> Array:
    """The values of codes at some positions."""
    width = int(encoding["bits"])
    columns = np.unpackbits(arrays["codes"], bitorder="little")[: len(at) * width].reshape(len(at), width)
    codes = (columns.astype(np.int64) << np.arange(width)).sum(axis=1)
    if encoding["kind"] == "codebook":
        return arrays["codebook"][codes]
    axis = int(encoding["axis"])
    extent = 1 if axis < 0 else shape[axis]
    inner = math.prod(shape[axis + 1 :]) if axis >= 0 else math.prod(shape)
    row, rest = at // inner % extent, at // (inner * extent) * inner + at % inner
    length = math.prod(shape) // extent
    group = int(encoding.get("group", length))
    place: Array = row * -(-length // group) + rest // group
    zero = arrays["zero"][place].astype(np.int64) if "zero" in arrays else 1 << (width - 1)
    with np.errstate(all="ignore"):
        return (arrays["scale"][place].astype(np.float64) * (codes - zero)).astype(np.float32)
