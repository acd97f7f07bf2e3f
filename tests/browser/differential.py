"""The two verifiers against each other: typed forgeries, hashed anew, that each of them must judge with one code.

Forgeries of tests/verifier/forger.py leave every digest right, so that a check of the thing itself decides; where the
programs differ, the page is ambiguous or one of them does not do what it says. `python -m tests.browser.differential
FIRST COUNT` prints where they differ and a table.
"""

import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import attrs

from tests.browser.forging import GOOD, Answer, Forged, by_the_command, by_the_page
from tests.verifier import forger

BATCH = 250
NOTHING = ("unwritten", "unchanged")


@attrs.frozen
class Judged:
    """A forgery by its number, what was edited in which certificate, and what each verifier says of it."""

    number: int
    source: str
    edits: tuple[str, ...]
    command: Answer
    page: Answer

    @property
    def same(self) -> bool:
        return self.command.code == self.page.code

    @property
    def failed(self) -> bool:
        """One of the programs stumbled; that is a rejection, but none that it meant."""
        return "cannot be processed" in self.command.reason or "verifier failed" in self.page.reason


def judged(numbers: range) -> list[Judged]:
    """The forgeries of these numbers, each depending on its own number only, judged by both."""
    given = forger.honest(GOOD)
    with tempfile.TemporaryDirectory() as place:
        made: list[tuple[int, Forged]] = []
        for number in numbers:
            random = Random(number)  # noqa: S311 -- chance that repeats, no secret
            honest = given[random.randrange(len(given))]
            forgery = forger.forge(honest, random, Path(place) / str(number))
            if forgery.how not in NOTHING:
                made.append((number, Forged(Path(place) / str(number), honest.name, forgery.kinds, honest.options)))
        cases = [case for _, case in made]
        answers = zip(made, map(by_the_command, cases), by_the_page(cases), strict=True)
        return [Judged(number, case.source, case.edits, one, other) for (number, case), one, other in answers]


def many(first: int, count: int, workers: int = 2) -> list[Judged]:
    """So many forgeries from a number on."""
    pieces = [range(at, min(at + BATCH, first + count)) for at in range(first, first + count, BATCH)]
    with ProcessPoolExecutor(workers) as pool:
        return [one for piece in pool.map(judged, pieces) for one in piece]


def table(found: list[Judged]) -> str:
    """What became of them, by edit."""
    kinds = {kind: [one for one in found if kind in one.edits] for kind in forger.EDITS}
    rows = ["| edit | forgeries | accepted by both | codes differ | verdicts differ |", "|---|---|---|---|---|"]
    for name, some in {"all": found, **kinds}.items():
        apart = [one for one in some if not one.same]
        figures = (
            len(some),
            sum(one.same and one.command.code == "" for one in some),
            len(apart),
            sum("" in (one.command.code, one.page.code) for one in apart),
        )
        rows.append(f"| {name} | " + " | ".join(f"{figure:,}" for figure in figures) + " |")
    return "\n".join(rows) + "\n"


def told(one: Judged) -> str:
    """A difference as a line."""
    codes = f"{one.command.code or 'accepted'} {one.page.code or 'accepted'}"
    return f"{codes} | {one.number} {one.source} {'; '.join(one.edits)} | {one.command.reason} | {one.page.reason}\n"


def main(first: int, count: int) -> None:
    """Print where they differ, and the table."""
    found = many(first, count, os.cpu_count() or 1)
    wrong = [one for one in found if not one.same or one.failed]
    sys.stdout.writelines(sorted(map(told, wrong)))
    codes = Counter(one.command.code or "accepted" for one in found)
    sys.stdout.write(table(found) + ", ".join(f"{code} {n:,}" for code, n in sorted(codes.items())) + "\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
