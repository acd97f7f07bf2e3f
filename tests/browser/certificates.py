"""Certificates of one operation, written from docs/certificate.md: of the operation alone, or of a cut through it.

Both verifiers read whole folders, so what they think of an operation can be asked of both in the same words.
"""

import hashlib
import json
import re
import struct
from itertools import product
from typing import Any

import attrs

WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
TEXT = b"surgery s on m { step cut }"
METRICS = ("macs/1", "nnz/1", "params/1", "size/1")
SUM = {"attributes": [["dtype", {"none": True}]], "op": "aten.sum.default"}
Json = dict[str, Any]
Sort = Json


def canonical(value: object) -> bytes:
    """Canonical JSON (section 2)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(*parts: bytes) -> str:
    """SHA-256 of some bytes, one after the other."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


@attrs.frozen
class Part:
    """A dense tensor of which each element can be told from its neighbours."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def made(cls, name: str, sort: Sort) -> "Part":
        """One of a sort; no element is zero."""
        shape = tuple(sort["shape"])
        count = len(list(product(*map(range, shape))))
        width = WIDTH[sort["dtype"]]
        numbers = (1 if sort["dtype"] == "BOOL" else 1 + k % 100 for k in range(count))
        return cls(name, sort["dtype"], shape, b"".join(n.to_bytes(width, "little") for n in numbers))

    def cut(self, kept: list[list[int] | None]) -> "Part":
        """The elements that are kept."""
        width = WIDTH[self.dtype]
        lists = [range(extent) if one is None else one for extent, one in zip(self.shape, kept, strict=True)]
        elements: list[bytes] = []
        for place in product(*lists):
            at = 0
            for extent, index in zip(self.shape, place, strict=True):
                at = at * extent + index
            elements.append(self.data[at * width : (at + 1) * width])
        return attrs.evolve(self, shape=tuple(len(one) for one in lists), data=b"".join(elements))

    def row(self) -> Json:
        """The part as an operation has it."""
        dims = b"".join(struct.pack("<Q", extent) for extent in self.shape)
        leaf = hashlib.sha256(b"\0" + self.data).digest() if self.data else b""
        head = b"surg-tensor-v1\0" + self.dtype.encode() + b"\0" + bytes([len(self.shape)]) + dims
        found = digest(head, struct.pack("<Q", len(self.data)), leaf)
        return {"digest": found, "dtype": self.dtype, "name": self.name, "role": "values", "shape": list(self.shape)}


def _manifest(parts: list[Part]) -> str:
    rows = [{**part.row(), "nbytes": len(part.data)} for part in sorted(parts, key=lambda part: part.name)]
    named = [{key: row[key] for key in ("digest", "dtype", "name", "nbytes", "shape")} for row in rows]
    return digest(b"surg-manifest-v1\0", canonical(named))


def _weights(parts: list[Part]) -> bytes:
    """A weight file in the canonical form of an output."""
    header: list[str] = []
    data = b""
    for part in sorted(parts, key=lambda part: part.name):
        shape, ends = (
            json.dumps(one, separators=(",", ":")) for one in (part.shape, (len(data), len(data) + len(part.data)))
        )
        header.append(f'"{part.name}":{{"dtype":"{part.dtype}","shape":{shape},"data_offsets":{ends}}}')
        data += part.data
    text = ("{" + ",".join(header) + "}").encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def _param(part: Part, target: Any) -> Json:
    parts = [part.row()]
    return {
        "encoding": {"kind": "dense"},
        "op": "param",
        "parts": parts,
        "role": "parameter",
        "sources": [],
        "targets": [target],
    }


@attrs.frozen
class State:
    """A graph whose operation reads weights, and whose targets are summed up to outputs; or one without weights."""

    wires: list[Sort]
    operations: list[Json]
    inputs: list[int]
    outputs: list[int]
    parts: list[Part]

    def graph(self) -> Json:
        """The graph as section 4 writes it, in canonical numbering."""
        return {
            "inputs": [{"name": f"x{k}", "wire": wire} for k, wire in enumerate(self.inputs)],
            "operations": self.operations,
            "outputs": [{"name": f"y{k}", "wire": wire} for k, wire in enumerate(self.outputs)],
            "wires": self.wires,
        }

    def digest(self) -> str:
        """Of the graph."""
        return digest(b"surg-graph-v1\0", canonical(self.graph()))

    def metrics(self, macs: str) -> list[Json]:
        """The four, macs being told."""
        count = str(sum(len(part.data) // WIDTH[part.dtype] for part in self.parts))
        values = (macs, count, count, str(sum(len(part.data) for part in self.parts)))
        return [{"id": name, "value": value} for name, value in zip(METRICS, values, strict=True)]


def alone(call: Json) -> State:
    """The operation between inputs and outputs."""
    count = len(call["sources"])
    made = len(call["targets"])
    targets = list(range(count, count + made))
    operation = {"attributes": call["attributes"], "op": call["op"], "sources": list(range(count)), "targets": targets}
    return State([*call["sources"], *call["targets"]], [operation], list(range(count)), targets, [])


def summed(call: Json, parts: list[Part]) -> State:
    """The operation between weights and sums."""
    count, made = len(parts), len(call["targets"])
    operations = [_param(part, k) for k, part in enumerate(parts)]
    operation = {
        "attributes": call["attributes"],
        "op": call["op"],
        "sources": list(range(count)),
        "targets": list(range(count, count + made)),
    }
    sums = [{**SUM, "sources": [count + k], "targets": [count + made + k]} for k in range(made)]
    ends: list[Sort] = [{"dtype": _summed(one["dtype"]), "shape": list[int]()} for one in call["targets"]]
    return State(
        [*call["sources"], *call["targets"], *ends],
        [*operations, operation, *sums],
        [],
        list(range(count + made, count + 2 * made)),
        parts,
    )


def _summed(dtype: str) -> str:
    return dtype if dtype in ("F64", "F32", "F16", "BF16") else "I64"


def folder(first: State, last: State, steps: list[Json]) -> dict[str, bytes]:
    """The files of a certificate."""
    graph = canonical(first.graph())
    sides = {
        side: _boundary(first, wires, letter)
        for side, wires, letter in (("inputs", first.inputs, "x"), ("outputs", first.outputs, "y"))
    }
    found = _manifest(last.parts)
    predicate: Json = {
        "format": 1,
        "boundary": sides,
        "binding": [[symbol, value] for symbol, value in (("B", 2), ("T", 3)) if _stands(symbol, first)],
        "claims": [],
        "facts": [],
        "head": steps[-1]["chain"] if steps else "0" * 64,
        "input": {"graph": first.digest(), "graphBlob": digest(graph), "manifest": _manifest(first.parts)},
        "interfaces": [],
        "metrics": list(METRICS),
        "obligations": [{"rule": step["rule"], "step": step["step"]} for step in steps],
        "output": {"graph": last.digest(), "manifest": found},
        "producer": {"name": "surgdsl", "version": "0"},
        "seed": 0,
        "sequence": 0,
        "spec": {"blob": digest(TEXT), "language": "surg/1"},
        "steps": steps,
        "tensors": [],
    }
    statement: Json = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://surgdsl.org/certificate/v1",
        "subject": [{"digest": {"surgManifestV1": found}, "name": "model.safetensors"}],
        "predicate": predicate,
    }
    predicate["seal"] = digest(b"surg-seal-v1\0", canonical(statement))
    blobs = {f"certificate/blobs/{digest(one)}": one for one in (graph, TEXT)}
    files = {"input.safetensors": _weights(first.parts), "model.safetensors": _weights(last.parts)}
    return {**files, "certificate/cert.json": canonical(statement), **blobs}


def _boundary(state: State, wires: list[int], letter: str) -> list[Json]:
    return [{**state.wires[wire], "name": f"{letter}{k}"} for k, wire in enumerate(wires)]


def _stands(symbol: str, state: State) -> bool:
    """Whether a symbol is one of the graph's, whose symbols are B and T."""
    extents = [extent for wire in state.wires for extent in wire["shape"] if isinstance(extent, str)]
    attributes = json.dumps([one.get("attributes", []) for one in state.operations])
    return any(symbol in extent for extent in [*extents, *re.findall(r'"extent": "([^"]*)"', attributes)])


def _arguments(first: State, kept: list[list[list[int] | None]], local: dict[int, str]) -> Json:
    """What the step says of its cut: the kept sets, and scores that choose the first of them."""
    lists = [one for wire in local for one in kept[wire] if one is not None]
    indices = [one for k, one in enumerate(lists) if one not in lists[:k]]
    rows = [
        [local[wire], k, indices.index(one)] for wire in local for k, one in enumerate(kept[wire]) if one is not None
    ]
    extent = next(
        first.wires[wire]["shape"][k] for wire in local for k, one in enumerate(kept[wire]) if one is not None
    )
    return {
        "axis": "a",
        "indices": indices,
        "keep": lists[0],
        "kept": rows,
        "scores": ["5" if k in lists[0] else "0" for k in range(extent)],
    }


def pruned(first: State, last: State, kept: list[list[list[int] | None]], macs: tuple[str, str]) -> Json:
    """The step that cuts `first` to `last`; kept sets of each wire, those of sums being empty."""
    shrinks = [k for k, sets in enumerate(kept) if any(one is not None for one in sets)]
    chosen = [k for k, one in enumerate(first.operations) if set(one["sources"] + one["targets"]) & set(shrinks)]
    wires = sorted({wire for k in chosen for wire in first.operations[k]["sources"] + first.operations[k]["targets"]})
    local = {wire: f"l{k}" for k, wire in enumerate(wires)}
    new = {wire: f"r{k}" for k, wire in enumerate(shrinks)}
    names = [f"l{len(wires) + k}" for k in range(len(chosen))]
    step: Json = {
        "after": last.metrics(macs[1]),
        "arguments": _arguments(first, kept, local),
        "before": first.metrics(macs[0]),
        "glue": {"operations": [], "wires": [local[wire] for wire in wires if wire not in shrinks]},
        "graphAfter": last.digest(),
        "graphBefore": first.digest(),
        "index": 0,
        "kind": "reduce",
        "left": _side(first, chosen, local, names, [(wire, local[wire]) for wire in wires]),
        "manifestAfter": _manifest(last.parts),
        "manifestBefore": _manifest(first.parts),
        "match": {
            "operations": [[name, f"o{k}"] for name, k in zip(names, chosen, strict=True)],
            "wires": [[local[wire], f"w{wire}"] for wire in wires],
        },
        "mayRaise": [],
        "note": "",
        "reduces": "params/1",
        "right": _side(
            last,
            chosen,
            {**local, **new},
            [f"r{len(shrinks) + k}" for k in range(len(chosen))],
            [(wire, new[wire]) for wire in shrinks],
        ),
        "rule": "prune-channels/1",
        "step": "cut",
    }
    return {**step, "chain": digest(b"surg-step-v1\0", bytes(32), canonical(step))}


def _side(
    state: State, chosen: list[int], local: dict[int, str], names: list[str], wires: list[tuple[int, str]]
) -> Json:
    operations: list[Json] = []
    for name, k in zip(names, chosen, strict=True):
        one = state.operations[k]
        ends = {side: [local[wire] for wire in one[side]] for side in ("sources", "targets")}
        operations.append({**one, "id": name, **ends})
    return {"operations": operations, "wires": [{**state.wires[wire], "id": name} for wire, name in wires]}
