"""What no file of the repository says: unfinished business, and the places of one machine."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
FOLDERS = (".ci", "changelog.d", "docs", "examples", "grammar", "stdlib", "surgdsl", "tests")
TEXTS = {".lark", ".md", ".py", ".surg", ".toml", ".txt", ""}
# Each word is put together here, so that this file does not contain it.
UNFINISHED = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X"))
MACHINE = "|".join(("(?<![\\w.])/" + "work/", "/" + "opt/pypi", "/" + "root/"))
FORBIDDEN = re.compile(rf"\b(?:{UNFINISHED})\b|{MACHINE}")


def said(text: str) -> list[str]:
    """Return the lines that say something forbidden."""
    return [line for line in text.splitlines() if FORBIDDEN.search(line)]


def test_no_file_says_it() -> None:
    nested = (path for folder in FOLDERS for path in (HOUSE / folder).rglob("*"))
    files = [path for path in (*HOUSE.glob("*"), *nested) if path.is_file() and path.suffix in TEXTS]
    found = {str(path.relative_to(HOUSE)): said(path.read_text(encoding="utf-8", errors="replace")) for path in files}
    assert "README.md" in found
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("line", ["# TO" + "DO: later", "see /" + "work/main/x", "x = 1  # FIX" + "ME"])
def test_the_pattern_sees_it(line: str) -> None:
    assert said(f"a\n{line}\nb") == [line]


@pytest.mark.parametrize("line", ["how it does the framework/tests", "https://example.org/work/of/art", "TODOS"])
def test_the_pattern_leaves_other_words_alone(line: str) -> None:
    assert said(line) == []
