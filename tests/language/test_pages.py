"""The pages in docs/language are the reference of the language and its test: every `surg` block tells its errors.

A line of a block that ends with `# error: [E0301]` must have exactly those errors, and a line without must have none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from surgdsl.diagnostic import CODES, Source, page, render
from surgdsl.language import check, lock

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "language"
BLOCK = re.compile(r"^```surg\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\w+\.surg)\n")
EXPECTED = re.compile(r"# error: (.*)$")
CODE = re.compile(r"\[(E\d{4})\]")


@frozen
class Example:
    """One block of a page: its text, and the line of the page on which it begins."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> Iterator[Example]:
    text = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield Example(path.name, text.count("\n", 0, match.start(1)) + 1, match[1])


def expected(text: str) -> Counter[tuple[int, str]]:
    """The errors that the comments of `text` announce, by line."""
    found = ((number, EXPECTED.search(line)) for number, line in enumerate(text.splitlines(), 1))
    return Counter((number, code) for number, match in found if match for code in CODE.findall(match[1]))


FILES = {
    path.name: {match[1]: example.text for example in blocks(path) if (match := NAMED.match(example.text))}
    for path in sorted(REFERENCE.glob("*.md"))
}
"""The blocks of each page that begin with the name of a file, which the others use."""
EXAMPLES = [example for path in sorted(REFERENCE.glob("*.md")) for example in blocks(path)]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_has_exactly_the_errors_that_it_announces(example: Example, tmp_path: Path) -> None:
    for name, text in FILES[example.page].items():  # the other files of the page, pinned
        (tmp_path / name).write_text(text, encoding="utf-8")
    digests = {name: lock.digest(Source(name, text)) for name, text in FILES[example.page].items()}
    (tmp_path / lock.NAME).write_text(lock.written(digests), encoding="utf-8")
    _, faults = check(Source(str(tmp_path / str(example)), example.text))
    actual = Counter((one.span.line if one.span else 0, one.code) for one in faults)
    assert expected(example.text) == actual, "\n" + render(faults)


def test_the_reference_has_examples_of_right_and_of_wrong() -> None:
    wrong = [bool(expected(example.text)) for example in EXAMPLES]
    assert len(EXAMPLES) >= 20
    assert any(wrong)
    assert not all(wrong)


@pytest.mark.parametrize("code", [row.code for row in CODES])
def test_every_code_has_a_page_with_its_title(code: str) -> None:
    title = next(row.title for row in CODES if row.code == code)
    assert page(code).startswith(f"# {code}: {title}\n")


TEXTUAL = [row.code for row in CODES if row.code < "E05"]


@pytest.mark.parametrize("code", TEXTUAL)
def test_the_example_of_a_page_triggers_exactly_its_code(code: str) -> None:
    (example,) = BLOCK.findall(page(code))
    _, faults = check(Source(f"{code}.surg", example))
    assert [code] == [one.code for one in faults], "\n" + render(faults)
    assert all(one.span is not None for one in faults)


def test_codes_are_in_order_and_none_is_given_twice() -> None:
    codes = [row.code for row in CODES]
    assert sorted(set(codes)) == codes


def test_every_code_that_the_house_can_give_is_registered() -> None:
    rooms = ROOT / "surgdsl"
    used = {code for file in rooms.rglob("*.py") if file.name != "codes.py"
            for code in re.findall(r'"(E\d{4})"', file.read_text(encoding="utf-8"))}  # fmt: skip
    known = {row.code for row in CODES}
    assert used - known == set(), "a code without a row in diagnostic/codes.py"
    assert known - used == set(), "a code that nothing gives"
