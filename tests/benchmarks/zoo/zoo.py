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
from typing import Any

import torch

HOUSE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(Path(__file__).parent), str(HOUSE)]

from entry import Entry

Record = dict[str, Any]
FOLDER = HOUSE / "build" / "zoo"
SHOWN = ("axes", "natural", "share", "difference", "unknown")
GROUPS = ("vision", "image", "language", "awkward")


def main() -> None:
    """Judge groups of models, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=[], help=f"of {', '.join(GROUPS)}; none: only write the table")
    parser.add_argument("--only", default="", help="only models whose name contains this; nothing is written")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run that are exact")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for group in given.groups:
        if given.only:
            look(group, given.only)
        else:
            run(group, resume=given.resume)
    if not given.only:
        importlib.import_module("table").write(FOLDER, HOUSE / "docs" / "zoo.md")


def look(group: str, only: str) -> None:
    """Judge some entries of a group and say how it went."""
    for entry in importlib.import_module(group).entries():
        if only in entry.name:
            judged(entry)


def run(group: str, *, resume: bool) -> None:
    """Judge one group and write its rows as they come."""
    rows = FOLDER / f"{group}.jsonl"
    old = [json.loads(line) for line in rows.read_text().splitlines()] if resume and rows.exists() else []
    kept = {record["name"]: record for record in old if record["verdict"] in ("exact", "approximate", "pinned")}
    with rows.with_suffix(".new").open("w") as file:
        for entry in importlib.import_module(group).entries():
            record = kept.get(entry.name) or judged(entry)
            file.write(json.dumps(record, default=float) + "\n")
            file.flush()
    rows.with_suffix(".new").rename(rows)


def judged(entry: Entry) -> Record:
    """The row of one entry, told as a line."""
    start = time.perf_counter()
    record: Record = importlib.import_module("judging").judge(entry)
    record["wall"] = time.perf_counter() - start
    told = record.get("reason") or ", ".join(f"{key} {record[key]}" for key in SHOWN)
    sys.stdout.write(f"{record['verdict']:8} {entry.name:36} {record['wall']:6.1f} s  {told}\n")
    sys.stdout.flush()
    return record


if __name__ == "__main__":
    main()
