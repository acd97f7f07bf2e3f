"""What the inputs of a campaign reach: `python tests/fuzz/reached.py FOLDER` runs those that were kept, line by line.

Lines are those of functions of the verifier; what stands outside of functions runs when it is imported.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.fuzz.targets import TARGETS  # noqa: E402

ROOM = HERE.parents[1] / "surgdsl" / "verifier"
Lines = set[tuple[str, int]]


def lines_of(code: CodeType) -> Iterator[tuple[str, int]]:
    """The lines of the functions inside of some code."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from ((inner.co_filename, line) for _, _, line in inner.co_lines() if line)
            yield from lines_of(inner)


def reached(folder: Path) -> Lines:
    """The lines of the verifier that the kept inputs of all targets run."""
    found: Lines = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(str(ROOM)):
            return None
        if event in ("call", "line"):
            found.add((name, frame.f_lineno))
        return trace

    for target in TARGETS:
        for path in sorted((folder / "inputs" / target).glob("*")):
            sys.settrace(trace)
            with contextlib.suppress(Exception):
                TARGETS[target].run(path.read_bytes())
            sys.settrace(None)
    return found


def main(folder: Path) -> None:
    """Print for each module how many of its lines were run."""
    found, total, share = reached(folder), 0, 0
    for path in sorted(ROOM.rglob("*.py")):
        lines = set(lines_of(compile(path.read_bytes(), str(path), "exec")))
        if lines:
            sys.stdout.write(f"{path.relative_to(ROOM).as_posix()} {len(lines & found)}/{len(lines)}\n")
            total, share = total + len(lines), share + len(lines & found)
    sys.stdout.write(f"all {share}/{total}, {share / total:.0%}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
