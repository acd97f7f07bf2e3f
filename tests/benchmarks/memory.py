"""Memory: weight-only surgery of a safetensors file of two gigabytes, as a whole process, verification included.

A file is written once (build/memory), then quantized and masked by `surg run`; the peak of the process is set beside
the size of one layer. The limit is one layer and 500 MiB. Part of `make bench`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

MIB = 1 << 20
LIMIT = 500 * MIB
WIDTH, LAYERS = 4096, 32
STEPS = (
    ("8 bit, a scale for each row", 'quantize(bits = 8bit, scheme = "affine")'),
    ("4 bit, a scale for each row", 'quantize(bits = 4bit, scheme = "affine")'),
    ("4 bit, a codebook", "quantize(bits = 4bit)"),
    ("half of the elements", "mask(keep = 50%)"),
)
SOURCE = """
import torch
from torch import nn


def build():
    with torch.device("meta"):  # the weights are those of the file: none are made here
        return nn.Sequential(*(nn.Linear({width}, {width}, bias=False) for _ in range({layers})))
"""
TEXT = """surg 1

use std.metric.size
use std.rules.{{mask, quantize}}

dim B in 1..64
model wide : (x: f32[B, {width}]) -> (y: f32[B, {width}]) {{
  source  = python("wide:build")
  weights = file("wide.safetensors")
}}
surgery slim on wide {{
  step small = apply {step} @**
  require size(after) <= 70% * size(before)
}}
"""


def written(folder: Path, width: int, layers: int) -> Path:
    """A file of `layers` square matrices, a tensor at a time, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "wide.safetensors"
    rows, at = dict[str, object](), 0
    for layer in sorted(range(layers), key=str):
        rows[f"{layer}.weight"] = {"dtype": "F32", "shape": [width, width], "data_offsets": [at, at + 4 * width**2]}
        at += 4 * width**2
    header = json.dumps(rows).encode()
    header += b" " * (-len(header) % 8)
    if not file.exists() or file.stat().st_size != 8 + len(header) + at:
        random = np.random.default_rng(0)
        with file.open("wb") as out:
            out.write(len(header).to_bytes(8, "little") + header)
            for _ in range(layers):
                out.write((random.standard_normal((width, width), dtype=np.float32) * 0.02).data)
    (folder / "wide.py").write_text(SOURCE.format(width=width, layers=layers), encoding="utf-8")
    return file


def peak(command: list[str], folder: Path) -> tuple[float, int, int]:
    """Seconds, the peak of the resident memory in bytes, and the exit status of a process."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss * 1024, process.returncode


def main() -> int:
    """Print a row for each step; fail where one is above the limit."""
    surg = Path(sys.executable).with_name("surg")
    folder = Path("build/memory").resolve()
    width, layers = (int(one) for one in sys.argv[1:3]) if len(sys.argv) > 2 else (WIDTH, LAYERS)
    file = written(folder, width, layers)
    layer = 4 * width**2
    _, idle, _ = peak([sys.executable, "-c", "import surgdsl.api"], folder)
    sys.stdout.write(f"{layers} layers of {layer / MIB:.0f} MiB, {file.stat().st_size / MIB:.0f} MiB in all\n")
    sys.stdout.write(f"limit {(layer + LIMIT) / MIB:.0f} MiB; importing surgdsl alone takes {idle / MIB:.0f} MiB\n\n")
    sys.stdout.write("| step | seconds | peak MiB | below the limit |\n|---|---|---|---|\n")
    worst = 0
    for title, step in STEPS:
        (folder / "wide.surg").write_text(TEXT.format(width=width, step=step), encoding="utf-8")
        seconds, most, status = peak([str(surg), "run", "wide.surg", "--out", "result", "--quiet"], folder)
        shutil.rmtree(folder / "result", ignore_errors=True)
        kept = status == 0 and most <= layer + LIMIT
        worst |= not kept
        said = ("yes" if kept else "no") if status == 0 else f"exit status {status}"
        sys.stdout.write(f"| {title} | {seconds:.0f} | {most / MIB:.0f} | {said} |\n")
        sys.stdout.flush()
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
