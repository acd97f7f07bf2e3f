"""The verifier as one file: the same bytes wherever it is made, and the same verdicts where nothing is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.archive import build

CORPUS = Path(__file__).parent / "corpus"
CASES = (
    ("good/every-rule", ""),
    ("good/prune-residual", ""),
    ("bad/M05-one-bit-of-the-result", "V08"),
    ("bad/M16-a-metric-after-forged-low", "V13"),
    ("bad/M47-white-space", "V02"),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "surg-verify.pyz"
    build(path)
    return path


def test_its_bytes_are_always_the_same(archive: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.pyz")
    assert archive.read_bytes() == (tmp_path / "again.pyz").read_bytes()
    assert {(1980, 1, 1, 0, 0, 0)} == {row.date_time for row in zipfile.ZipFile(archive).infolist()}


def test_it_holds_the_verifier_and_nothing_else(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert {"__main__.py", "surgdsl/__init__.py"} == {name for name in names if "surgdsl/verifier/" not in name}
    assert "surgdsl/verifier/operations/operators.txt" in names


@pytest.mark.parametrize("packages", [[], ["-S"]], ids=["with packages", "bare"])
@pytest.mark.parametrize(("case", "code"), CASES)
def test_a_python_with_or_without_packages_gives_the_verdict(
    archive: Path, tmp_path: Path, case: str, code: str, packages: list[str]
) -> None:
    command = [sys.executable, "-I", *packages, "-W", "error", str(archive), "--json", str(CORPUS / case)]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4 if code else 0, "")
    assert json.loads(done.stdout.splitlines()[-1]).get("code", "") == code


def test_a_bare_python_has_no_numpy() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", "-c", "import numpy"], capture_output=True, check=False)
    assert b"ModuleNotFoundError" in done.stderr


def test_it_is_a_program(archive: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([archive, "--help"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "--expect-input" in done.stdout) == (0, True)
