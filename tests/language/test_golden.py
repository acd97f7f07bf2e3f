"""Golden pairs: what a text leads to, plan or diagnostics, stands beside it, so that a change of it is seen in review.

`pytest tests/language/test_golden.py --update` writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.api import plan
from surgdsl.diagnostic import Refusal, Source, render
from surgdsl.language import program
from surgdsl.report.planned import told

HERE = Path(__file__).parent / "golden"
FILES = sorted(HERE.glob("*.surg"))


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Paths are told as seen from the folder of the files; their module is forgotten afterwards."""
    monkeypatch.chdir(HERE)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("golden_net", None)


def outcome(path: Path) -> tuple[str, str]:
    """The ending of the golden file, and what it should hold."""
    try:
        made = plan(program(Source(path.name, path.read_text(encoding="utf-8"))))
    except Refusal as refusal:
        return ".diag", f"exit code {refusal.exit_code}\n\n{render(refusal.diagnostics)}\n"
    return ".plan", "\n".join(told(made, everything=True)) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_text_leads_to_what_stands_beside_it(path: Path, request: pytest.FixtureRequest) -> None:
    ending, found = outcome(path)
    beside = {path.with_suffix(one) for one in (".plan", ".diag")}
    if request.config.getoption("--update"):
        for one in beside:
            one.unlink(missing_ok=True)
        path.with_suffix(ending).write_text(found, encoding="utf-8")
    assert [path.with_suffix(ending)] == [one for one in beside if one.exists()]
    assert path.with_suffix(ending).read_text(encoding="utf-8") == found


def test_no_golden_file_is_without_its_text() -> None:
    stems = {path.stem for path in FILES}
    assert {path.stem for path in HERE.iterdir() if path.suffix in {".plan", ".diag"}} == stems
