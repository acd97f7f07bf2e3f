"""How the front end grows with a file, and what a command costs before it does anything. Part of `make bench`.

A file of 10,000 lines with everything in it is parsed and checked within five seconds, in linear time; `surg check` on
the examples takes half a second, most of it to start Python and to load what it needs. Writes docs/frontend.md.
"""

from __future__ import annotations

import platform
import resource
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from surgdsl.diagnostic import Source
from surgdsl.language import check, parse
from surgdsl.language.formatting import format_source
from surgdsl.language.parsing import parser

ROOT = Path(__file__).resolve().parents[2]
SIZES = (100, 1_000, 2_500, 5_000, 10_000)
TIMES = 5
HEAD = """surg 1
use std.importance.magnitude
use std.metric.{accuracy, macs, params, size}
use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
dim H in {32, 64}
model net : (x: f32[B, 3, H, H]) -> (y: f32[B, 10]) { source = python("net:build") }
interface api on net { in x: f32[B, 3, H, H]  out y: f32[B, 10] }
"""
PART = """
let share_{n} = {n} / ({n} + 1) * 50% + 1/4
param width_{n}: bit = if share_{n} > 60% then 4bit else 8bit
data rows_{n} {{ source = python("net:rows_{n}")  take = 7 }}
metric cost_{n}(m: model) -> ratio = 0.7 * size(m) / size(before) + 0.3 * macs(m) / macs(before)  # a comment
surgery slim_{n} on net {{
  preserve api
  seed {n}
  step narrow = apply prune_channels(keep = choose {{50%, share_{n}}}) @layer{n}.** except @layer{n}.head by magnitude
  step thin   = apply mask(keep = share_{n}) @** where kind == linear and size >= {n}KiB
  step code   = apply quantize(bits = width_{n}, scheme = "affine") @** then recover {{ data = rows_{n}  epochs = 2 }}
  order narrow >> (thin | code)
  target minimize cost_{n}(after)
  require size(after) <= {n}KiB + 1/2 * size(before)
  require accuracy.drop <= 1.5% on rows_{n} with confidence 95%
}}
sweep front_{n} over slim_{n} {{
  vary width_{n} in {{2bit, 4bit, 8bit}}
  keep pareto(size(after), params(after))
  limit 3 runs
}}
"""


def written(lines: int) -> str:
    """A file of about so many lines."""
    made = HEAD
    number = 0
    while made.count("\n") < lines:
        made += PART.format(n=number)
        number += 1
    return made


def seconds(text: str) -> tuple[float, float, float]:
    """The time to parse, to parse and check, and to format."""
    source = Source("large.surg", text)
    marks = [time.process_time()]
    assert parse(source).faults == ()
    marks.append(time.process_time())
    faults = check(source)[1]
    assert faults == (), faults[:3]
    marks.append(time.process_time())
    format_source(source)
    marks.append(time.process_time())
    parsing, checking, formatting = (after - before for before, after in pairwise(marks))
    return parsing, checking, formatting


def started(*arguments: str) -> float:
    """The median processor time of a whole command."""
    times: list[float] = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "surgdsl.cli.main", *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)


def main() -> None:
    """Measure, and write the page."""
    parser()
    lines = [
        "# How fast the front end is",
        "",
        f"Measured by `python tests/benchmarks/frontend.py` (in `make bench`), Python {platform.python_version()}.",
        "One process; seconds are of processor time, so that other work on the machine counts little.",
        "A file with every construct of the language in it, grown by repetition. `check` judges names, types, units;",
        "`fmt` reads a file, lays it out, reads the result and lays that out again to be sure.",
        "",
        "| lines | characters | parse s | parse and check s | fmt s | check µs a line |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for size in SIZES:
        text = written(size)
        count = text.count("\n")
        parsing, checking, formatting = (min(one) for one in zip(*(seconds(text) for _ in range(3)), strict=True))
        lines.append(
            f"| {count:,} | {len(text):,} | {parsing:.2f} | {checking:.2f} | {formatting:.2f} "
            f"| {checking / count * 1e6:.0f} |"
        )
        sys.stdout.write(lines[-1] + "\n")
    lines += ["", "A whole command, median of five:", "", "| command | s |", "|---|---:|"]
    for name in ("digits_mlp", "fashion_cnn", "mnist_cnn"):
        took = started("check", str(ROOT / "examples" / f"{name}.surg"))
        lines.append(f"| `surg check examples/{name}.surg` | {took:.2f} |")
        sys.stdout.write(lines[-1] + "\n")
    (ROOT / "docs" / "frontend.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
