"""All targets offline: `python tests/fuzz/campaign.py FOLDER [TARGET ...]`, or `make fuzz`; goes on where it left off.

Every piece is a process of its own, because a fuzzer that runs for hours in one hides what it leaks. FOLDER keeps the
inputs, what was found, and a line for each piece; `python tests/fuzz/campaign.py FOLDER --table` prints the record.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.fuzz.targets import TARGETS  # noqa: E402

PIECE = 250_000
SECONDS = 120
MEMORY = 1024
HANG = 30
"""Runs and seconds of a piece, megabytes of a process, seconds of one input."""


def piece(name: str, folder: Path, runs: int) -> dict[str, Any]:
    """Run some inputs of a target in a process of its own; what libFuzzer counted."""
    (folder / "found").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(HERE / "fuzz.py"), name, str(folder / "inputs" / name), f"-runs={runs}"]
    command += [f"-max_total_time={SECONDS}", f"-rss_limit_mb={MEMORY}", f"-timeout={HANG}", "-print_final_stats=1"]
    command += [f"-artifact_prefix={folder}/found/{name}-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    stats = {key: int(value) for key, value in re.findall(r"^stat::(\w+): +([0-9]+)", done.stderr, re.MULTILINE)}
    seen = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr) or [("0", "0")]
    seconds = re.search(r"Done \d+ runs in (\d+) second", done.stderr)
    if done.returncode:
        (folder / "found" / f"{name}.log").write_text(done.stderr[-8000:], encoding="utf-8")
    return {
        "target": name, "runs": stats.get("number_of_executed_units", 0), "seconds": int(seconds[1]) if seconds else 0,
        "peak": stats.get("peak_rss_mb", 0), "slowest": stats.get("slowest_unit_time_sec", 0),
        "branches": int(seen[-1][0]), "features": int(seen[-1][1]), "failed": done.returncode,
    }  # fmt: skip


def record(folder: Path) -> list[dict[str, Any]]:
    """What was done so far, piece by piece."""
    path = folder / "record.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def done(folder: Path, name: str) -> int:
    """How many inputs of a target were run."""
    return sum(row["runs"] for row in record(folder) if row["target"] == name)


def table(folder: Path) -> str:
    """The record as a table: inputs, inputs a second, the most memory, the slowest input, what was reached."""
    rows = record(folder)
    found = ["| target | inputs | a second | MiB | slowest, s | branches |", "|---|---:|---:|---:|---:|---:|"]
    for name in TARGETS:
        own = [row for row in rows if row["target"] == name]
        timed = [row for row in own if row["seconds"]]
        speed = sum(row["runs"] for row in timed) // max(1, sum(row["seconds"] for row in timed))
        most = [max((row[key] for row in own), default=0) for key in ("peak", "slowest", "branches")]
        cells = [f"`{name}`", *(f"{number:,}" for number in (sum(row["runs"] for row in own), speed, *most))]
        found.append(f"| {' | '.join(cells)} |")
    return "\n".join([*found, f"| all | {sum(row['runs'] for row in rows):,} | | | | |"])


def main(folder: Path, *names: str) -> int:
    """Run what is still to be run; 1 as soon as something is found, which waits in FOLDER/found."""
    if "--table" in names:
        sys.stdout.write(table(folder) + "\n")
        return 0
    os.nice(19)
    for name in names or TARGETS:
        while (left := TARGETS[name].runs - done(folder, name)) > 0:
            row = piece(name, folder.resolve(), min(PIECE, left))
            with (folder / "record.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            if row["failed"] or not row["runs"]:
                sys.stdout.write(f"{name}: see {folder}/found/{name}.log\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
