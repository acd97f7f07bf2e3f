"""The table of the zoo, from the rows that were measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = """# The zoo

Every architecture that installs offline, with random weights, cut without one line of per-architecture code.
`make zoo` makes this page.

For each model, all axes that nothing pins are cut to 70 % at once. The result must run (at batch sizes 1, 2 and
5 where the batch is kept symbolic), with outputs of unchanged shape and shared weights still shared. All
*natural* axes are cut at once, and three of them alone, and compared with the same net where the cut indices
are neutralised, their weights set to zero: the largest difference, relative to the largest output, must be at
most 1e-5. *share* is the part of the parameters that lies on an axis that can be cut. *Approximate only*: every
axis is worked over by a norm or a mean; the cut net runs, and no cut of it is the same as neutralising. A
comparison counts only where another input and the cuts themselves change the output. Models of transformers stand
without a head unless it is said: their hidden state is an output, and whatever is as wide cannot be cut. Seconds are of
one thread and a busy machine; docs/speed.md has quiet ones.

"""
COLUMNS = "model | operations | axes | natural | share | difference | capture s | analysis ms | note"
FREE = ("exact", "approximate", "pinned")
"""Verdicts that a family is counted by; the rest is refused or failed, or wrong."""
TELLING = 0.9
"""A share below which it is told what holds the rest."""
AWKWARD = """
Small networks, each awkward in one way: the kinds of architecture that torch-pruning's own tests are made of, drawn
anew, and more (its other tests are of its interface, on models that are in the lists below). All cuts are to 70 % at
once. *left* is what is left of the elements of all weights, *shared* the number of weights that several operations
read, each still one weight after the cut. Outputs kept their names and shapes at batch sizes {batches}.

| network | axes free | of them exact | pinned | share | left | difference | shared |
|---|---|---|---|---|---|---|---|
"""
ADVERSARIES = """
What breaks a derivation that guesses. An axis is *exact* where a cut is the neutralised net, which is compared;
*approximate* where the operation works over it, so that a cut is another function, and is told to be; *pinned* where it
cannot be cut at all. Outputs kept their names and shapes at batch sizes {batches}. Beside it what torch-pruning 1.6.1
makes of the same network when two outputs of its first layer are cut with all that it says goes along, held against the
network with the same set to zero.

| adversary | what is said of the axes under it | axes free | difference | shared | torch-pruning |
|---|---|---|---|---|---|
"""


def write(folder: Path, page: Path) -> None:
    """Write the page from all rows in `folder`."""
    records = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    if not records:
        return
    families = dict.fromkeys(record["family"] for record in records)
    asked = folder / "rival.json"
    rival: Mapping[str, str] = json.loads(asked.read_text()) if asked.exists() else {}
    lines = [
        HEAD,
        "| family | models | exact | approximate only | all pinned | vacuous | refused or failed | wrong |\n",
    ]
    lines.append(f"|{'---|' * 8}\n")
    for family in families:
        verdicts = Counter(record["verdict"] for record in records if record["family"] == family)
        rest = verdicts["refused"] + verdicts["failed"]
        counts = (verdicts.total(), *(verdicts[one] for one in FREE), verdicts["vacuous"], rest, verdicts["WRONG"])
        lines.append(f"| {family} | {' | '.join(map(str, counts))} |\n")
    for family in families:
        lines.append(f"\n## {family}\n")
        lines += _section(family, [record for record in records if record["family"] == family], rival)
    page.write_text("".join(lines), encoding="utf-8")


def _section(family: str, records: list[dict[str, Any]], rival: Mapping[str, str]) -> list[str]:
    batches = ", ".join(map(str, records[0].get("batches", ())))
    if family == "awkward architectures":
        return [AWKWARD.format(batches=batches), *map(_small, records)]
    if family == "adversaries":
        return [ADVERSARIES.format(batches=batches), *(_adversary(record, rival) for record in records)]
    rule = "---|" * (COLUMNS.count("|") + 1)
    return [f"\n| {COLUMNS} |\n|{rule}\n", *map(_row, records)]


def _small(record: dict[str, Any]) -> str:
    if "difference" not in record:
        return f"| {record['name']} | | | | | | **{record['verdict']}** {record['reason']} | |\n"
    cells = (
        record["name"], record["axes"], record["natural"], record["pinned"], f"{record['share']:.1%}",
        f"{record['kept']:.1%}", _difference(record), record["shared"],
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"


def _adversary(record: dict[str, Any], rival: Mapping[str, str]) -> str:
    there = rival.get(record["name"], "")
    if "difference" not in record:
        return f"| {record['name']} | **{record['verdict']}** {record['reason']} | | | | {there} |\n"
    cells = (record["name"], "; ".join(record["under"]), record["axes"], _difference(record), record["shared"], there)
    return f"| {' | '.join(map(str, cells))} |\n"


def _difference(record: dict[str, Any]) -> str:
    """The difference that was found; the verdict before it, where there is nothing exact to compare."""
    verdict = "" if record["verdict"] == "exact" else f"**{record['verdict']}** "
    return f"{verdict}{record['difference']:.1e}" if record["natural"] else verdict.strip()


def _row(record: dict[str, Any]) -> str:
    if "difference" not in record:
        return f"| {record['name']} | | | | | **{record['verdict']}** | | | {record['reason']} |\n"
    seconds = record["seconds"]
    unknown = f"pinned: {', '.join(record['unknown'])}" if record["unknown"] else ""
    held = f"most of the rest {record['held']}" if record["share"] < TELLING and record.get("held") else ""
    cells = (
        record["name"], record["operations"], record["axes"], record["natural"], f"{record['share']:.1%}",
        _difference(record), f"{seconds['capture']:.1f}", f"{1000 * seconds['analysis']:.0f}",
        "; ".join(filter(None, (record["note"], unknown, held))),
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"
