"""Large certificates, hundreds of tensors under thousands of steps, and one lie somewhere in one of them.

The writer knows what a step changes and hashes the rest from what it has hashed before; its certificates are those of
the page. `python tests/verifier/long.py 250 11` times them; the test has smaller ones.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.verifier import surgeries as s  # noqa: E402
from tests.verifier.asking import verdict  # noqa: E402
from tests.verifier.encodings import Array, Weight, codebook, dense  # noqa: E402
from tests.verifier.forge import METRICS, Forge, canon, sha  # noqa: E402

Json = dict[str, Any]
Lie = Callable[["Long", int, Weight], Weight]
SIDE = 4


class Long(Forge):
    """x → layers of one weight each → y, every step on one weight, so that all others keep their bytes."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        x = self.input("x", ("B", SIDE))
        for at in range(layers):
            weight = dense(f"w{at:04}", s.noise(SIDE, SIDE, seed=at))
            x = self.op("linear.default", [x, self.param(weight)], ("B", SIDE), bias={"none": True})
            x = s.same(self, "relu", x) if at % 2 else x
        self.begin(("y", x), B=1)
        order, wires = self.order()
        self.number = {wire: at for at, wire in enumerate(wires)}
        self.line = {self.ops[i]["targets"][0]: i for i in order}
        whole = self.written()
        self.head, self.tail = (
            canon({"inputs": whole["inputs"]})[:-1],
            canon({k: whole[k] for k in ("outputs", "wires")}),
        )
        self.texts = {wire: self.text_of(self.ops[i]) for wire, i in self.line.items()}
        self.counts = {row["id"]: int(row["value"]) for row in super().metrics()}
        self.place = {self.weight(i).base: self.ops[i]["targets"][0] for i in order if "key" in self.ops[i]}

    def text_of(self, op: Json) -> bytes:
        """An operation as it stands in the graph."""
        ports = {side: [self.number[wire] for wire in op[side]] for side in ("sources", "targets")}
        return canon({**op["raw"], **ports})

    def graph(self) -> str:
        if not hasattr(self, "texts"):
            return super().graph()
        body = self.head + b',"operations":[' + b",".join(self.texts.values()) + b"]," + self.tail[1:]
        return sha(b"surg-graph-v1\0" + body)

    def metrics(self) -> list[dict[str, str]]:
        if not hasattr(self, "counts"):
            return super().metrics()
        return [{"id": metric, "value": str(self.counts[metric])} for metric in METRICS]

    def parts(self) -> list[tuple[str, Json]]:
        held = self.line.values() if hasattr(self, "line") else self.ops
        return sorted((p["name"], p) for i in held for p in self.ops[i]["raw"].get("parts", []))

    def put(self, step: str, rule: str, reduces: str, arguments: Json, weight: Weight) -> None:
        """One weight is replaced by another, as a step."""
        wire, index = self.place[weight.base], len(self.steps)
        old = self.ops[self.line[wire]]
        made = self.param_op(weight, "parameter", wire)
        before, states = self.metrics(), (self.graph(), self.manifest())
        was = self.weights[old["key"]]
        self.counts["nnz/1"] += int(np.count_nonzero(weight.decoded)) - int(np.count_nonzero(was.decoded))
        self.counts["size/1"] += weight.size - was.size
        sort = {"dtype": "F32", "id": "l0", "shape": [SIDE, SIDE]}
        left = {**old["raw"], "id": "l1", "sources": [], "targets": ["l0"]}
        right = {**made["raw"], "id": "r0", "sources": [], "targets": ["l0"]}
        match = {"operations": [["l1", self.line[wire]]], "wires": [["l0", wire]]}
        self.ops[f"s{index}.0"] = made
        self.line[wire] = f"s{index}.0"
        self.texts[wire] = self.text_of(made)
        after = self.metrics()
        rises = [b["id"] for a, b in zip(before, after, strict=True) if int(b["value"]) > int(a["value"])]
        row = {
            "after": after, "arguments": arguments, "before": before, "glue": {"operations": [], "wires": ["l0"]},
            "graphAfter": self.graph(), "graphBefore": states[0], "index": index,
            "kind": "reduce" if reduces else "neutral", "left": {"operations": [left], "wires": [sort]},
            "manifestAfter": self.manifest(), "manifestBefore": states[1], "match": match, "mayRaise": rises,
            "note": "", "right": {"operations": [right], "wires": []}, "rule": rule, "step": step,
        }  # fmt: skip
        self.steps.append({**row, "reduces": reduces} if reduces else row)


def honest(long: Long, rounds: int, at: int = -1, lie: Lie | None = None) -> Long:
    """Every weight loses its smallest element, round after round, and then gets codes; step `at` may lie."""
    for base in [base for _ in range(rounds) for base in long.place]:
        old = long.weights[long.ops[long.line[long.place[base]]]["key"]]
        values = np.where(old.decoded == 0, np.inf, np.abs(old.decoded))
        keep = (old.decoded != 0).ravel()
        keep[int(np.argmin(values))] = False
        weight = dense(base, old.decoded, keep.reshape(SIDE, SIDE))
        if len(long.steps) == at and lie is not None:
            weight = lie(long, at, weight)
        kept = sum(int(np.unpackbits(np.frombuffer(part[4], np.uint8)).sum()) for part in weight.parts[:1])
        long.put("thin", "mask/1", "nnz/1", {"keep": str(kept)}, weight)
    for base in long.place:
        old = long.weights[long.ops[long.line[long.place[base]]]["key"]]
        weight = codebook(base, old.decoded, 1, old.decoded != 0)
        if len(long.steps) == at and lie is not None:
            weight = lie(long, at, weight)
        long.put("code", "quantize-codebook/1", "size/1", {"bits": 1}, weight)
    return long


def nudged(_: Long, __: int, weight: Weight) -> Weight:
    """One value that is kept is the next float."""
    role, name, dtype, shape, data = weight.parts[-1]
    values = np.frombuffer(data, "<f4").copy()
    values[-1] = np.nextafter(values[-1], np.float32(9))
    weight.parts[-1] = (role, name, dtype, shape, values.tobytes())
    return weight


def recoded(_: Long, __: int, weight: Weight) -> Weight:
    """One code is the other."""
    role, name, dtype, shape, data = weight.parts[1]
    weight.parts[1] = (role, name, dtype, shape, bytes([data[0] ^ 1]) + data[1:])
    return weight


def of_another(long: Long, at: int, weight: Weight) -> Weight:
    """The weight of the next layer under this one's name."""
    bases = list(long.place)
    other = long.weights[long.ops[long.line[long.place[bases[(at + 1) % len(bases)]]]]["key"]].decoded
    mask: Array = weight.decoded != 0
    return dense(weight.base, np.where(other == 0, np.float32(1), other), mask)


def told(change: Callable[[Json], object]) -> Callable[[Json, int], None]:
    """A lie in what a step says."""

    def apply(statement: Json, at: int) -> None:
        change(statement["predicate"]["steps"][at])

    return apply


def counted(statement: Json, at: int) -> None:
    """One step counts one element less, and the next one goes on from there."""
    steps = statement["predicate"]["steps"]
    for side, index in (("after", at), ("before", at + 1)):
        row = steps[index][side][1]
        row["value"] = str(int(row["value"]) - 1)


def left_out(statement: Json, at: int) -> None:
    """A step is gone, and its neighbours say that they follow each other."""
    steps = statement["predicate"]["steps"]
    del steps[at]
    for index, step in enumerate(steps):
        step["index"] = index
    for key in ("graph", "manifest"):
        steps[at][f"{key}Before"] = steps[at - 1][f"{key}After"]
    steps[at]["before"] = steps[at - 1]["after"]


WEIGHTS: dict[str, tuple[Lie, str]] = {"nudged": (nudged, "V15"), "of_another": (of_another, "V15")}
CODES: dict[str, tuple[Lie, str]] = {"recoded": (recoded, "V15")}
SAID: dict[str, tuple[Callable[[Json, int], None], str]] = {
    "keep": (told(lambda step: step["arguments"].update(keep="3")), "V15"),
    "counted": (counted, "V13"),
    "left out": (left_out, "V13"),
    "state": (told(lambda step: step.update(graphAfter="0" * 64)), "V06"),
    "rule": (told(lambda step: step.update(rule="recover/1")), "V14"),
    "match": (told(lambda step: step["match"]["wires"][0].__setitem__(1, "w0")), "V11"),
    "name": (told(lambda step: step["right"]["operations"][0]["parts"][0].update(name="w.mask")), "V09"),
}


def planted(f: Long, folder: Path, change: Callable[[Json, int], None] | None = None, at: int = 0) -> Path:
    """The certificate on disk, perhaps with a lie in what it says, and everything hashed anew."""

    def apply(statement: Json) -> None:
        if change is not None:
            change(statement, at)

    return f.write(folder, apply)


def main(layers: int, rounds: int) -> None:
    """Time the honest certificate and one of each lie."""
    with tempfile.TemporaryDirectory() as place:
        f = honest(Long(layers), rounds)
        folder = planted(f, Path(place) / "honest")
        rows = [("honest", "", folder)]
        at = len(f.steps) // 2
        rows += [(name, code, planted(f, Path(place) / name, lie, at)) for name, (lie, code) in SAID.items()]
        for name, (lie, code) in WEIGHTS.items():
            rows.append((name, code, planted(honest(Long(layers), rounds, at, lie), Path(place) / name)))
        for name, (lie, code) in CODES.items():
            late = len(f.steps) - layers // 2
            rows.append((name, code, planted(honest(Long(layers), rounds, late, lie), Path(place) / name)))
        sys.stdout.write(f"{layers} tensors, {len(f.steps)} steps\n")
        for name, code, path in rows:
            start = time.perf_counter()
            line = verdict(path)[1]
            sys.stdout.write(f"{name:12} {line.get('code', 'accepted'):8} {time.perf_counter() - start:6.2f} s\n")
            if line.get("code", "") != code:
                sys.exit(f"{name}: {line}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
