"""A command and what it prints, as a picture: `python tests/benchmarks/terminal.py OUT.svg TITLE -- COMMAND …`.

For the README; `make terminals` calls it. Lines that `--drop` names are left out.
"""

import argparse
import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLOURS = {"ok": "bold green", "note": "bold yellow", "FAIL": "bold red"}


def main() -> None:
    """Run the command, keep what is wanted, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("title")
    parser.add_argument("--drop", action="append", default=[], help="leave out lines that contain this")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    path = Path(sys.executable).parent / given.command[0]
    done = subprocess.run([str(path), *given.command[1:]], capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if not any(word in line for word in given.drop)]
    console = Console(record=True, width=max(map(len, lines)) + 1, file=io.StringIO())
    console.print(Text(f"$ {' '.join(given.command)}", style="bold cyan"))
    for line in lines:
        console.print(painted(line))
    given.out.write_text(console.export_svg(title=given.title), encoding="utf-8")


def painted(line: str) -> Text:
    """A line with its mark in colour."""
    text = Text(line)
    mark = next(iter(line.split()), "") if line.startswith("  ") else ""
    if mark in COLOURS:
        start = line.index(mark)
        text.stylize(COLOURS[mark], start, start + len(mark))
    if line.startswith("Accepted"):
        text.stylize("bold green")
    return text


if __name__ == "__main__":
    main()
