"""The zoo: every architecture at hand, cut and compared. `make zoo`.

Writes a row a model to build/zoo/NAME.jsonl as it goes, and from all rows the table docs/zoo.md.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import warnings
from pathlib import Path

import torch

HOUSE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(Path(__file__).parent))
SHOWN = ("axes", "natural", "share", "difference", "unknown")
GROUPS = ("vision", "image", "language", "awkward")


def main() -> None:
    """Judge groups of models, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=[], help=f"of {', '.join(GROUPS)}; none: only write the table")
    parser.add_argument("--only", default="", help="only models whose name contains this")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for group in given.groups:
        run(group, given.only)
    table = importlib.import_module("table")
    table.write(HOUSE / "build" / "zoo", HOUSE / "docs" / "zoo.md")


def run(group: str, only: str) -> None:
    """Judge one group, a line a model."""
    judging = importlib.import_module("judging")
    entries = list(importlib.import_module(group).entries())
    folder = HOUSE / "build" / "zoo"
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / f"{group}.jsonl"
    if not only:
        rows.write_text("")
    for entry in entries:
        if only not in entry.name:
            continue
        start = time.perf_counter()
        record = judging.judge(entry)
        record["wall"] = time.perf_counter() - start
        if not only:
            with rows.open("a") as file:
                file.write(json.dumps(record, default=float) + "\n")
        told = record.get("reason") or ", ".join(f"{key} {record[key]}" for key in SHOWN)
        sys.stdout.write(f"{record['verdict']:8} {entry.name:36} {record['wall']:6.1f} s  {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
