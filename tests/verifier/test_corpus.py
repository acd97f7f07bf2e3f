"""The corpus: every verdict and code as it is written beside the case, and no two of them made by the same habit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.verifier.asking import code_of
from tests.verifier.corpus import make
from tests.verifier.corpus.threats import THREATS

CORPUS = Path(make.__file__).parent


class Case(NamedTuple):
    """A folder of the corpus and what must be said of it."""

    folder: Path
    code: str
    options: tuple[str, ...]


def read(folder: Path) -> Case:
    expected = json.loads((folder / "expected.json").read_bytes())
    return Case(folder, expected["code"], tuple(expected["options"]))


CASES = [read(path.parent) for path in sorted(CORPUS.glob("*/*/expected.json"))]
NAMES = [f"{case.folder.parent.name}/{case.folder.name}" for case in CASES]
CODES = {f"V{number:02}" for number in range(1, 23)}
Judge = Callable[[Case], str]


def disagreements(judge: Judge) -> list[Case]:
    """The cases of which a verifier says something else."""
    return [case for case in CASES if judge(case) != case.code]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_verdict_is_the_expected_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.folder)
    assert case.code == code_of(Path(), *case.options)


def always(code: str) -> Judge:
    """A verifier that looks at nothing."""
    return lambda _: code


def test_who_accepts_everything_fails_and_who_rejects_everything_fails() -> None:
    good, bad = ({case for case in CASES if bool(case.code) is wrong} for wrong in (False, True))
    assert min(len(good), len(bad)) >= 25
    assert set(disagreements(always(""))) == bad
    for code in CODES:
        missed = set(disagreements(always(code)))
        assert good <= missed
        assert missed & bad


def test_every_code_is_expected_somewhere() -> None:
    assert {case.code for case in CASES} == CODES | {""}


def test_every_threat_has_a_case_or_a_reason() -> None:
    assert [threat for threat, _, _ in THREATS] == [f"M{number:02}" for number in range(1, 76)]
    shown = {case.threat for case in make.BAD}
    assert {threat for threat, _, instead in THREATS if not instead} == shown


def test_a_place_is_that_of_its_verdict() -> None:
    assert {(case.folder.parent.name, bool(case.code)) for case in CASES} == {("good", False), ("bad", True)}
    assert {path.parent for path in CORPUS.glob("*/*/certificate")} == {case.folder for case in CASES}


def content(folder: Path) -> dict[str, str | bytes]:
    """Every file below a folder, and where every link goes."""
    found = dict[str, str | bytes]()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def neutral(data: str | bytes) -> str | bytes:
    """A statement without what names the versions of this machine."""
    if isinstance(data, str) or not data.startswith(b'{"_type"'):
        return data
    statement = json.loads(data)
    for key in ("facts", "producer", "seal"):
        statement["predicate"].pop(key)
    return json.dumps(statement)


def test_the_bytes_are_what_is_made(tmp_path: Path) -> None:
    """What the compiler makes may name other versions; everything else is the same to the byte."""
    make.make(tmp_path)
    kept = {name: data for name, data in content(CORPUS).items() if name.partition("/")[0] in ("good", "bad")}
    made = content(tmp_path)
    assert made.pop("README.md") == (CORPUS / "README.md").read_bytes()
    for name in kept | made:
        if name.startswith("good/compiled-"):
            kept[name], made[name] = neutral(kept.get(name, "")), neutral(made.get(name, ""))
    assert {name for name in kept | made if kept.get(name) != made.get(name)} == set()


@pytest.mark.parametrize("case", CASES[:: max(1, len(CASES) // 8)], ids=NAMES[:: max(1, len(CASES) // 8)])
def test_the_command_says_the_same(case: Case) -> None:
    command = [str(Path(sys.executable).with_name("surg-verify")), ".", "--json", *case.options]
    done = subprocess.run(command, cwd=case.folder, capture_output=True, text=True, check=False)
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, verdict.get("code", "")) == (4 if case.code else 0, case.code)
