"""A little writer of certificates, honest or not: it records and re-hashes whatever rewrite it is told to make.

It shares no code with the verifier nor the compiler; a lie told through it has every digest, count and seal right.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.verifier.encodings import Weight

METRICS = ("macs/1", "nnz/1", "params/1", "size/1")


def canon(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tagged(domain: str, value: Any) -> str:
    return sha(domain.encode() + b"\0" + canon(value))


def tensor_digest(dtype: str, shape: Sequence[int], data: bytes) -> str:
    dims = b"".join(struct.pack("<Q", extent) for extent in shape)
    leaf = hashlib.sha256(b"\0" + data).digest() if data else b""
    head = b"surg-tensor-v1\0" + dtype.encode() + b"\0" + bytes([len(shape)]) + dims
    return sha(head + struct.pack("<Q", len(data)) + leaf)


def weight_file(tensors: dict[str, tuple[str, tuple[int, ...], bytes]]) -> bytes:
    header, body = dict[str, Any](), b""
    for name in sorted(tensors):
        dtype, shape, data = tensors[name]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw)) + raw + body


class Forge:
    """A net under construction, then under surgery, then on paper."""

    def __init__(self) -> None:
        self.wires: dict[str, tuple[str, tuple[Any, ...]]] = {}
        self.ops: dict[str, dict[str, Any]] = {}
        self.weights: dict[str, Weight] = {}
        self.inputs: list[tuple[str, str]] = []
        self.outputs: list[tuple[str, str]] = []
        self.steps: list[dict[str, Any]] = []
        self.pool: dict[str, tuple[str, tuple[int, ...], bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.claims: list[dict[str, Any]] = []
        self.interfaces: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        self.text = ""
        self.binding: dict[str, int] = {}

    @property
    def spec(self) -> str:
        """The text of the file: one that was given, else one that promises the claims."""
        promises = "".join(f"  require {claim['text']}\n" for claim in self.claims)
        uses = "use std.metric.{accuracy, loss, macs, nnz, params, size}\n" if promises else ""
        return self.text or f"surg 1\n{uses}surgery slim on net {{\n{promises}}}\n"

    # building

    def wire(self, shape: Sequence[Any], dtype: str = "F32") -> str:
        self.wires[f"t{len(self.wires)}"] = (dtype, tuple(shape))
        return f"t{len(self.wires) - 1}"

    def input(self, name: str, shape: Sequence[Any]) -> str:
        self.inputs.append((name, self.wire(shape)))
        return self.inputs[-1][1]

    def param(self, weight: Weight, role: str = "parameter") -> str:
        wire = self.wire(weight.decoded.shape)
        self.ops[f"p{wire}"] = self.param_op(weight, role, wire)
        return wire

    def param_op(self, weight: Weight, role: str, wire: str) -> dict[str, Any]:
        parts = list[dict[str, Any]]()
        for role_of, name, dtype, shape, data in weight.parts:
            digest = tensor_digest(dtype, shape, data)
            self.pool[digest] = (dtype, tuple(shape), data)
            parts.append({"digest": digest, "dtype": dtype, "name": name, "role": role_of, "shape": list(shape)})
        key = sha(canon([weight.encoding, parts]))
        self.weights[key] = weight
        raw = {"encoding": weight.encoding, "op": "param", "parts": parts, "role": role}
        return {"raw": raw, "sources": [], "targets": [wire], "key": key}

    def op(self, name: str, sources: Sequence[str], shape: Sequence[Any], /, **attributes: Any) -> str:
        wire = self.wire(shape)
        raw = {"attributes": [[key, attributes[key]] for key in sorted(attributes)], "op": f"aten.{name}"}
        self.ops[f"o{wire}"] = {"raw": raw, "sources": list(sources), "targets": [wire]}
        return wire

    def begin(self, *outputs: tuple[str, str], **binding: int) -> None:
        """The net is built: number it canonically and start the derivation."""
        self.outputs, self.binding = list(outputs), binding
        order, wires = self.order()
        names = {wire: f"w{number}" for number, wire in enumerate(wires)}
        self.wires = {names[wire]: self.wires[wire] for wire in wires}
        self.ops = {f"o{number}": self.moved(self.ops[identity], names) for number, identity in enumerate(order)}
        self.inputs = [(name, names[wire]) for name, wire in self.inputs]
        self.outputs = [(name, names[wire]) for name, wire in self.outputs]
        self.first = {"graph": self.graph(), "manifest": self.manifest(), "metrics": self.metrics()}
        self.graph_blob = canon(self.written())
        self.first_parts = dict(self.parts())

    @staticmethod
    def moved(op: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
        return {**op, **{side: [names[wire] for wire in op[side]] for side in ("sources", "targets")}}

    # what a state is

    def order(self) -> tuple[list[str], list[str]]:
        maker = {wire: identity for identity, op in self.ops.items() for wire in op["targets"]}
        order = list[str]()

        def visit(wire: str) -> None:
            identity = maker.get(wire)
            if identity is not None and identity not in order:
                for source in self.ops[identity]["sources"]:
                    visit(source)
                if identity not in order:
                    order.append(identity)

        for _, wire in self.outputs:
            visit(wire)
        return order, [wire for _, wire in self.inputs] + [
            w for identity in order for w in self.ops[identity]["targets"]
        ]

    def written(self) -> dict[str, Any]:
        order, wires = self.order()
        number = {wire: index for index, wire in enumerate(wires)}
        return {
            "inputs": [{"name": name, "wire": number[wire]} for name, wire in self.inputs],
            "operations": [
                {
                    **op["raw"],
                    "sources": [number[w] for w in op["sources"]],
                    "targets": [number[w] for w in op["targets"]],
                }
                for op in (self.ops[identity] for identity in order)
            ],
            "outputs": [{"name": name, "wire": number[wire]} for name, wire in self.outputs],
            "wires": [{"dtype": self.wires[wire][0], "shape": list(self.wires[wire][1])} for wire in wires],
        }

    def graph(self) -> str:
        return tagged("surg-graph-v1", self.written())

    def parts(self) -> list[tuple[str, dict[str, Any]]]:
        return sorted((p["name"], p) for op in self.ops.values() for p in op["raw"].get("parts", []))

    def manifest(self) -> str:
        rows = [
            {
                "digest": p["digest"],
                "dtype": p["dtype"],
                "name": name,
                "nbytes": len(self.pool[p["digest"]][2]),
                "shape": p["shape"],
            }
            for name, p in self.parts()
        ]
        return tagged("surg-manifest-v1", rows)

    def metrics(self) -> list[dict[str, str]]:
        weights = [self.weights[op["key"]] for op in self.ops.values() if "key" in op]
        counts = {
            "macs/1": sum(map(self.macs, self.ops.values())),
            "nnz/1": sum(int(np.count_nonzero(weight.decoded)) for weight in weights),
            "params/1": sum(math.prod(weight.decoded.shape) for weight in weights),
            "size/1": sum(weight.size for weight in weights),
        }
        return [{"id": metric, "value": str(counts[metric])} for metric in METRICS]

    def macs(self, op: dict[str, Any]) -> int:
        name = op["raw"]["op"]
        if name.startswith("aten.scaled_dot"):
            query, key, value = (list(map(self.bound, self.wires[wire][1])) for wire in op["sources"][:3])
            return math.prod(query[:-1]) * key[-2] * (key[-1] + value[-1])
        if not name.startswith(("aten.conv", "aten.linear")):
            return 0
        kernel, target = (self.wires[op[side][at]][1] for side, at in (("sources", 1), ("targets", 0)))
        return math.prod(map(self.bound, target)) * math.prod(kernel[1:])

    def bound(self, extent: Any) -> int:
        """An extent at the binding."""
        terms = [term.split("*") for term in str(extent).split("+")]
        return sum(math.prod(int(f) if f.isdigit() else self.binding[f] for f in term) for term in terms)

    # surgery

    def maker(self, wire: str) -> str:
        return next(identity for identity, op in self.ops.items() if wire in op["targets"])

    def find(self, name: str, at: int = 0) -> str:
        return [identity for identity, op in self.ops.items() if op["raw"]["op"] == f"aten.{name}"][at]

    def named(self, base: str) -> str:
        return next(i for i, op in self.ops.items() if "key" in op and self.weights[op["key"]].base == base)

    def weight(self, identity: str) -> Weight:
        return self.weights[self.ops[identity]["key"]]

    def rewrite(
        self,
        step: str,
        rule: str,
        reduces: str,
        arguments: Callable[[dict[str, str]], dict[str, Any]] | dict[str, Any],
        left: Sequence[str],
        glue: Sequence[str],
        wires: dict[str, tuple[str, tuple[Any, ...]]],
        right: Sequence[dict[str, Any]],
    ) -> None:
        """Delete the operations `left` and their wires but `glue`; create `wires`, under any names, and `right`."""
        touched = list(
            dict.fromkeys(w for identity in left for side in ("sources", "targets") for w in self.ops[identity][side])
        )
        local = {wire: f"l{number}" for number, wire in enumerate(touched)}
        shown = local | {wire: f"r{number}" for number, wire in enumerate(wires)}
        before, state, index = self.metrics(), (self.graph(), self.manifest()), len(self.steps)
        old = [{**self.moved(self.ops[i], local), "id": f"l{len(touched) + n}"} for n, i in enumerate(left)]
        new = [{**self.moved(op, shown), "id": f"r{len(wires) + n}"} for n, op in enumerate(right)]
        raw: dict[str, Any] = {
            "arguments": arguments(local) if callable(arguments) else arguments,
            "before": before,
            "glue": {"operations": [], "wires": [local[w] for w in touched if w in glue]},
            "graphBefore": state[0],
            "index": index,
            "kind": "reduce" if reduces else "neutral",
            "left": self.side(old, {local[w]: self.wires[w] for w in touched}),
            "manifestBefore": state[1],
            "match": matched(left, touched),
            "note": "",
            "right": self.side(new, {shown[w]: sort for w, sort in wires.items()}),
            "rule": rule,
            "step": step,
        }
        self.glue_together(left, [w for w in touched if w not in glue], wires, right, index)
        raw |= {"after": self.metrics(), "graphAfter": self.graph(), "manifestAfter": self.manifest()}
        pairs = zip(raw["before"], raw["after"], strict=True)
        raw["mayRaise"] = [a["id"] for a, b in pairs if int(b["value"]) > int(a["value"])]
        self.steps.append({**raw, "reduces": reduces} if reduces else raw)

    def side(self, operations: list[dict[str, Any]], wires: dict[str, Any]) -> dict[str, Any]:
        """One side of a span as a certificate writes it."""
        printed = [self.printed_wire(name, sort) for name, sort in wires.items()]
        return {"operations": [self.printed(op) for op in operations], "wires": printed}

    def glue_together(
        self, left: Sequence[str], gone: list[str], wires: dict[str, Any], right: Sequence[dict[str, Any]], index: int
    ) -> None:
        names = {wire: wire for wire in self.wires} | {wire: f"s{index}.{n}" for n, wire in enumerate(wires)}
        self.ops = {i: op for i, op in self.ops.items() if i not in left}
        self.wires = {w: s for w, s in self.wires.items() if w not in gone} | {names[w]: s for w, s in wires.items()}
        self.ops |= {f"s{index}.{len(wires) + n}": self.moved(op, names) for n, op in enumerate(right)}

    @staticmethod
    def printed(op: dict[str, Any]) -> dict[str, Any]:
        return {**op["raw"], "id": op["id"], "sources": op["sources"], "targets": op["targets"]}

    @staticmethod
    def printed_wire(identity: str, sort: tuple[str, tuple[Any, ...]]) -> dict[str, Any]:
        return {"dtype": sort[0], "id": identity, "shape": list(sort[1])}

    # writing

    def boundary(self) -> dict[str, Any]:
        sides = {"inputs": self.inputs, "outputs": self.outputs}
        return {
            side: [{"dtype": self.wires[w][0], "name": n, "shape": list(self.wires[w][1])} for n, w in ends]
            for side, ends in sides.items()
        }

    def blob(self, data: bytes) -> str:
        self.blobs[sha(data)] = data
        return sha(data)

    def statement(self) -> dict[str, Any]:
        inside = {p["digest"] for _, p in self.parts()} | {p["digest"] for p in self.first_parts.values()}
        between = {
            p["digest"] for step in self.steps for op in step["right"]["operations"] for p in op.get("parts", [])
        } - inside
        tensors = [
            {"blob": self.blob(self.pool[d][2]), "digest": d, "dtype": self.pool[d][0], "shape": list(self.pool[d][1])}
            for d in sorted(between)
        ]
        last, first = self.manifest(), {key: self.first[key] for key in ("graph", "manifest")}
        asked = list(dict.fromkeys((step["step"], step["rule"]) for step in self.steps))
        predicate = {
            "binding": [[key, self.binding[key]] for key in sorted(self.binding)],
            "boundary": self.boundary(),
            "claims": self.claims,
            "facts": [["device", "cpu"]],
            "format": 1,
            "input": {**first, "graphBlob": self.blob(self.graph_blob)},
            "interfaces": self.interfaces,
            "metrics": list(METRICS),
            "obligations": [{"rule": rule, "step": step} for step, rule in asked],
            "output": {"graph": self.graph(), "manifest": last},
            "producer": {"name": "surgdsl", "version": "0"},
            "seed": 7,
            "sequence": 0,
            "spec": {"blob": self.blob(self.spec.encode()), "language": "surg/1"},
            "steps": self.steps,
            "tensors": tensors,
        }
        if self.rules:
            predicate["rules"] = sorted(self.rules, key=lambda row: tagged("surg-rule-v1", row["declaration"]))
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://surgdsl.org/certificate/v1",
            "subject": [{"digest": {"surgManifestV1": last}, "name": "model.safetensors"}],
            "predicate": predicate,
        }

    def write(self, folder: Path, edit: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
        """Write the folder; `edit` may first change the statement, then chain, head and seal are made to agree."""
        statement = json.loads(canon(self.statement()))
        edit(statement)
        (folder / "certificate" / "blobs").mkdir(parents=True)
        (folder / "certificate" / "cert.json").write_bytes(canon(sealed(statement)))
        for name, data in self.blobs.items():
            (folder / "certificate" / "blobs" / name).write_bytes(data)
        for file, parts in (("input", self.first_parts), ("model", dict(self.parts()))):
            held = {name: self.pool[part["digest"]] for name, part in parts.items()}
            (folder / f"{file}.safetensors").write_bytes(weight_file(held))
        return folder


def sealed(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with its chain, head and seal recomputed."""
    predicate, previous = statement["predicate"], bytes(32)
    for step in predicate["steps"]:
        body = canon({key: value for key, value in step.items() if key != "chain"})
        step["chain"] = sha(b"surg-step-v1\0" + previous + body)
        previous = bytes.fromhex(step["chain"])
    predicate["head"] = previous.hex()
    predicate.pop("seal", None)
    predicate["seal"] = tagged("surg-seal-v1", statement)
    return statement


def matched(left: Sequence[str], touched: Sequence[str]) -> dict[str, Any]:
    """A match that goes where L was read off."""
    operations = [[f"l{len(touched) + number}", identity] for number, identity in enumerate(left)]
    return {"operations": operations, "wires": [[f"l{number}", wire] for number, wire in enumerate(touched)]}
