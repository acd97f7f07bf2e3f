"""The table of the zoo, from the rows that were measured."""

from __future__ import annotations

import json
from collections import Counter
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
comparison counts only where another input and the cuts themselves change the output. Seconds are of one thread
and a busy machine; docs/speed.md has quiet ones.

"""
COLUMNS = "model | operations | axes | natural | share | difference | capture s | analysis ms | note"


def write(folder: Path, page: Path) -> None:
    """Write the page from all rows in `folder`."""
    records = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    if not records:
        return
    lines = [HEAD]
    families = dict.fromkeys(record["family"] for record in records)
    lines.append("| family | models | exact | approximate only | vacuous | refused or failed | wrong |\n")
    lines.append(f"|{'---|' * 7}\n")
    for family in families:
        verdicts = Counter(record["verdict"] for record in records if record["family"] == family)
        rest = verdicts["refused"] + verdicts["failed"]
        counts = (
            verdicts.total(),
            verdicts["exact"],
            verdicts["approximate"],
            verdicts["vacuous"],
            rest,
            verdicts["WRONG"],
        )
        lines.append(f"| {family} | {' | '.join(map(str, counts))} |\n")
    for family in families:
        rule = "---|" * (COLUMNS.count("|") + 1)
        lines.append(f"\n## {family}\n\n| {COLUMNS} |\n|{rule}\n")
        lines += [_row(record) for record in records if record["family"] == family]
    page.write_text("".join(lines), encoding="utf-8")


def _row(record: dict[str, Any]) -> str:
    if "difference" not in record:
        return f"| {record['name']} | | | | | **{record['verdict']}** | | | {record['reason']} |\n"
    seconds = record["seconds"]
    unknown = f"pinned: {', '.join(record['unknown'])}" if record["unknown"] else ""
    verdict = "" if record["verdict"] == "exact" else f"**{record['verdict']}** "
    cells = (
        record["name"], record["operations"], record["axes"], record["natural"], f"{record['share']:.1%}",
        f"{verdict}{record['difference']:.1e}", f"{seconds['capture']:.1f}", f"{1000 * seconds['analysis']:.0f}",
        "; ".join(filter(None, (record["note"], unknown))),
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"
