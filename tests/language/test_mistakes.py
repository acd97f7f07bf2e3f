"""Mistakes that people make, seeded one at a time into files that are right: each is told once, where it is.

A seed of mistakes/*.seeds has a code and a name, and edits: lines of `-` are in the file exactly once, lines of `+`
stand there instead, and «…» marks what the message must point at, to the character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from surgdsl.diagnostic import Source, render
from surgdsl.language import check, lock

HERE = Path(__file__).parent / "mistakes"
HEAD = re.compile(r"(E\d{4}) (.+)")
FEWEST = 200


@frozen
class Seed:
    """One mistake: the file that it is put into, the code that it must have, and the edits, each from old to new."""

    base: str
    code: str
    name: str
    edits: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def marked(self) -> str:
        """The text of the file with the mistake in it and the marks around its place."""
        text = (HERE / self.base).read_text(encoding="utf-8")
        for old, new in self.edits:
            assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {self.base}"
            text = text.replace(old, new)
        return text


def seeds(path: Path) -> Iterator[Seed]:
    """The seeds of a file whose first line names the base."""
    head, *blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    base = head.removeprefix("base: ")
    for block in blocks:
        first, *lines = block.splitlines()
        match = HEAD.fullmatch(first)
        assert match is not None, first
        yield Seed(base, match[1], match[2], tuple(edits(lines)))


def edits(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Runs of `-` lines with the `+` lines that follow them; a run without is taken out of the file."""
    text = "\n".join(lines) + "\n"
    for match in re.finditer(r"((?:^- .*\n)+)((?:^\+ .*\n)*)", text, re.MULTILINE):
        old, new = ("\n".join(line[2:] for line in run.splitlines()) for run in match.groups())
        yield old, new


SEEDS = [seed for path in sorted(HERE.glob("*.seeds")) for seed in seeds(path)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the bases use, pinned."""
    made = tmp_path_factory.mktemp("mistakes")
    shared = (HERE / "shared.surg").read_text(encoding="utf-8")
    (made / "shared.surg").write_text(shared, encoding="utf-8")
    (made / lock.NAME).write_text(lock.written({"shared.surg": lock.digest(Source("", shared))}), encoding="utf-8")
    return made


@pytest.mark.parametrize("base", sorted({seed.base for seed in SEEDS}))
def test_the_files_are_right_before_anything_is_seeded(base: str, folder: Path) -> None:
    _, faults = check(Source(str(folder / base), (HERE / base).read_text(encoding="utf-8")))
    assert faults == (), "\n" + render(faults)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_told_once_at_its_place(seed: Seed, folder: Path) -> None:
    marked = seed.marked
    start, stop = marked.index("«"), marked.index("»") - 1
    _, faults = check(Source(str(folder / seed.base), marked.replace("«", "").replace("»", "")))
    found = [(one.code, one.span and one.span.line, one.span and one.span.column) for one in faults]
    line, column = marked.count("\n", 0, start) + 1, start - marked.rfind("\n", 0, start)
    assert found == [(seed.code, line, column)], "\n" + render(faults)
    assert faults[0].span is not None
    assert faults[0].span.stop == stop, "\n" + render(faults)


def test_there_are_many_and_no_two_are_called_alike() -> None:
    assert len(SEEDS) >= FEWEST
    assert len({str(seed) for seed in SEEDS}) == len(SEEDS)
    assert all(seed.marked.count("«") == seed.marked.count("»") == 1 for seed in SEEDS)
