"""Speed and memory of the verifier, beside what a single thread needs to hash the same bytes.

All folders are made once, in build/verification: a file of one gigabyte, cut and masked by `surg run`; a chain of 2,000
tensors with 50 steps; a file of 20 gigabytes that holds nothing but holes. Part of `make bench`; writes the table of
docs/verification.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from surgdsl.verifier import digest as digests
from surgdsl.verifier import tensors
from surgdsl.verifier.arrays import ops
from surgdsl.verifier.canonical import canon
from surgdsl.verifier.check import Request, check
from surgdsl.verifier.report import Report

HOUSE = Path(__file__).resolve().parents[2]
PAGE, FOLDER = HOUSE / "docs" / "verification.md", HOUSE / "build" / "verification"
WIDTH, LAYERS, REPEATS = 4096, 16, 5
HOLES, ROWS = 20, 1 << 28  # tensors of a gigabyte
SOURCE = """
from collections import OrderedDict

import torch
from torch import nn


def chain(width, first, others, bias):
    rows = [[nn.Linear(width, width, bias) for _ in range(count)] for count in (first, others)]
    return nn.Sequential(OrderedDict(zip("ab", (nn.Sequential(*row) for row in rows))))


def wide():
    with torch.device("meta"):  # the weights are those of the file
        return chain({width}, {layers} - 1, 1, False)


def long():
    torch.manual_seed(0)
    return chain(8, 50, 950, True)
"""
TEXT = """surg 1

use std.importance.magnitude
use std.rules.{{mask, prune_channels}}

dim B in 1..64
model m : (x: f32[B, {width}]) -> (y: f32[B, {width}]) {{
  source  = python("source:{build}")
  {weights}
}}
surgery slim on m {{
  step small = apply {step}
}}
"""
CASES = {
    "slices": (WIDTH, "wide", 'weights = file("wide.safetensors")', "prune_channels(keep = 50%) @a.** by magnitude"),
    "masks": (WIDTH, "wide", 'weights = file("wide.safetensors")', "mask(keep = 50%) @**"),
    "long": (8, "long", "", "prune_channels(keep = 50%) @a.** by magnitude"),
}
"""Width of the model, what builds it, its weights, and the step."""


def made() -> None:
    """Write what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "source.py").write_text(SOURCE.format(width=WIDTH, layers=LAYERS), encoding="utf-8")
    file = FOLDER / "wide.safetensors"
    if not file.exists():
        names = sorted(f"a.{layer}.weight" for layer in range(LAYERS - 1))
        sizes = {name: [WIDTH, WIDTH] for name in (*names, "b.0.weight")}
        random = np.random.default_rng(0)
        with file.open("wb") as out:
            out.write(header(sizes))
            for _ in sizes:
                out.write(random.standard_normal((WIDTH, WIDTH), dtype=np.float32).data)
    for name, (width, build, weights, step) in CASES.items():
        if not (FOLDER / name / "model.safetensors").exists():
            text = TEXT.format(width=width, build=build, weights=weights, step=step)
            (FOLDER / f"{name}.surg").write_text(text, encoding="utf-8")
            surg = Path(sys.executable).with_name("surg")
            subprocess.run([surg, "run", f"{name}.surg", "--out", name, "--quiet"], cwd=FOLDER, check=True)
    holes()


def header(sizes: dict[str, list[int]]) -> bytes:
    """The start of a weight file of F32 tensors, in the order in which they lie."""
    rows, at = dict[str, Any](), 0
    for name, shape in sizes.items():
        stop = at + digests.nbytes("F32", shape)
        rows[name], at = {"dtype": "F32", "shape": shape, "data_offsets": [at, stop]}, stop
    raw = json.dumps(rows, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def holes() -> None:
    """A certificate of no step over a file of zeros that takes no room."""
    folder = FOLDER / "holes"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "certificate" / "blobs").mkdir(parents=True)
    names = [f"w{number:02}" for number in range(HOLES)]
    start = header({name: [ROWS] for name in names})
    with (folder / "model.safetensors").open("wb") as out:
        out.write(start)
        out.truncate(len(start) + HOLES * 4 * ROWS)
    leaf = digests.leaves("F32", bytes(digests.CHUNK))
    digest = digests.tensor("F32", [ROWS], leaf * (4 * ROWS // digests.CHUNK))
    part = {"digest": digest, "dtype": "F32", "role": "values", "shape": [ROWS]}
    params = [
        {"encoding": {"kind": "dense"}, "op": "param", "parts": [{**part, "name": name}], "role": "parameter",
         "sources": [], "targets": [wire]} for wire, name in enumerate(names)
    ]  # fmt: skip
    ends = [{"name": name, "wire": wire} for wire, name in enumerate(names)]
    graph = {"inputs": [], "operations": params, "outputs": ends, "wires": [{"dtype": "F32", "shape": [ROWS]}] * HOLES}
    state = {
        "graph": digests.tagged("surg-graph-v1", graph),
        "manifest": digests.manifest((name, "F32", (ROWS,), digest) for name in names),
    }
    ports = [{"dtype": "F32", "name": name, "shape": [ROWS]} for name in names]
    predicate: dict[str, Any] = {
        "binding": [], "boundary": {"inputs": [], "outputs": ports}, "claims": [], "facts": [], "format": 1,
        "head": "0" * 64, "input": {**state, "graphBlob": blob(folder, canon(graph))}, "interfaces": [],
        "metrics": ["macs/1", "nnz/1", "params/1", "size/1"], "obligations": [], "output": state,
        "producer": {"name": "surgdsl", "version": "0"}, "seed": 0, "sequence": 0,
        "spec": {"blob": blob(folder, b"surg 1\nsurgery none on m {\n}\n"), "language": "surg/1"}, "steps": [],
        "tensors": [],
    }  # fmt: skip
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "predicate": predicate,
        "predicateType": "https://surgdsl.org/certificate/v1",
        "subject": [{"digest": {"surgManifestV1": state["manifest"]}, "name": "model.safetensors"}],
    }  # fmt: skip
    predicate["seal"] = digests.tagged("surg-seal-v1", statement)
    (folder / "certificate" / "cert.json").write_bytes(canon(statement))


def blob(folder: Path, data: bytes) -> str:
    """Put a blob into its place; its name."""
    name = hashlib.sha256(data).hexdigest()
    (folder / "certificate" / "blobs" / name).write_bytes(data)
    return name


def files_of(name: str) -> tuple[Path, Path]:
    """The weights before and after."""
    model = FOLDER / name / "model.safetensors"
    told = json.loads(path.read_bytes())["input"] if (path := FOLDER / name / "run.json").exists() else ""
    return (FOLDER / name / told if told else model), model


def verified(name: str, threads: int) -> None:
    """One whole verification."""
    before, after = files_of(name)
    nothing = {"input": "", "output": "", "spec": ""}
    check(
        Request(str(FOLDER / name), str(before), str(after), nothing, frozenset(), strict=False, threads=threads),
        Report(),
    )


def hashed(*files: Path) -> None:
    """What everything is compared with."""
    for path in files:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")


def opened(threads: int) -> None:
    """A weight file hashed leaf by leaf, counted, and nothing else."""
    tensors.WeightFile(str(FOLDER / "wide.safetensors"), "it", canonical=True, threads=threads)


def uncounted() -> None:
    """The same without counting."""
    scan, ops.scan = ops.scan, lambda *_: (0, 0)
    opened(1)
    ops.scan = scan


def seconds(*runs: Callable[[], None]) -> list[float]:
    """The median time of each, taken in turn."""
    rows: list[list[float]] = [[] for _ in runs]
    for _ in range(REPEATS):
        for run, row in zip(runs, rows, strict=True):
            start = time.perf_counter()
            run()
            row.append(time.perf_counter() - start)
    return [median(row) for row in rows]


def one(what: str) -> list[float]:
    """Measure one thing in this process."""
    start, wide = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, FOLDER / "wide.safetensors"
    if what == "hash":
        least, *found = seconds(lambda: hashed(wide), uncounted, lambda: opened(1), lambda: opened(2))
        return [least, *(value / least for value in found)]
    if what == "long":
        return seconds(lambda: verified(what, 1))
    if what == "holes":
        found = [0.0]
        verified(what, 2)
    else:
        least, took = seconds(lambda: hashed(*files_of(what)), lambda: verified(what, 2))
        found = [took / least]
    return [*found, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024]


def asked(what: str) -> list[float]:
    """What a process of its own measures."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, what], check=True, capture_output=True, env=environment)
    return json.loads(done.stdout)


def main() -> int:
    """Print the table, and put it into the page; fail where a goal is missed."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(one(sys.argv[1])))
        return 0
    made()
    least, bare, counted, two = asked("hash")
    (slices, slicing), (masks, masking) = asked("slices"), asked("masks")
    rows = [
        ("integrity: every byte hashed", f"{bare:.2f}×", "1.10×", bare <= 1.10),
        ("with non-zeros and finiteness", f"{counted:.2f}×", "1.30×", counted <= 1.30),
        ("the same, two threads", f"{two:.2f}×", "0.65×", two <= 0.65),
        ("full replay of 15 cuts, two threads", f"{slices:.2f}×, {slicing:.0f} MiB above the start", "3×", slices <= 3),
        ("full replay of 16 masks, two threads", f"{masks:.2f}×, {masking:.0f} MiB above the start", "3×", masks <= 3),
    ]
    (structure,) = asked("long")
    rows.append(("50 steps on 2,000 tensors", f"{structure:.2f} s", "0.5 s", structure <= 0.5))
    _, memory = asked("holes")
    rows.append(("20 GiB of holes", f"{memory:.0f} MiB above the start", "64 MiB", memory <= 64))
    table = ["| what | measured | goal | |", "|---|---|---|---|"]
    table += [f"| {what} | {found} | {goal} | {'met' if met else 'missed'} |" for what, found, goal, met in rows]
    said = f"A single thread of `hashlib.file_digest` takes {least:.2f} s for one gigabyte in the cache."
    text = "\n".join([said, "", *table]) + "\n"
    sys.stdout.write(text)
    head, start, rest = PAGE.read_text(encoding="utf-8").partition("<!-- measured -->\n")
    PAGE.write_text(head + start + text + "".join(rest.partition("<!-- end -->\n")[1:]), encoding="utf-8")
    return 0 if all(met for *_, met in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
