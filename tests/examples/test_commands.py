"""The digits example from its text to a verdict, through the installed commands."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
WEIGHTS = HOUSE / "examples" / "digits_mlp.safetensors"


def command(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the two commands of the environment that runs the tests."""
    path = Path(sys.executable).with_name(name)
    return subprocess.run([str(path), *arguments], cwd=HOUSE, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run on the digits."""
    folder = tmp_path_factory.mktemp("digits") / "run"
    done = command("surg", "run", "examples/digits_mlp.surg", "--out", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_run_leaves_model_and_certificate_and_the_input_alone(result: Path) -> None:
    assert (result / "certificate" / "cert.json").is_file()
    assert 0 < (result / "model.safetensors").stat().st_size < WEIGHTS.stat().st_size
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert digest in (HOUSE / "examples" / "digits_mlp.surg").read_text(encoding="utf-8")


def test_the_verifier_accepts_the_run(result: Path) -> None:
    done = command("surg-verify", str(result), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert verdict["accepted"] is True
    assert verdict["claims"]


def test_the_verifier_rejects_the_run_with_one_bit_of_the_model_changed(result: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    forged.mkdir()
    for path in result.rglob("*"):
        target = forged / path.relative_to(result)
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    model = bytearray((forged / "model.safetensors").read_bytes())
    model[-1] ^= 1
    (forged / "model.safetensors").write_bytes(bytes(model))
    assert command("surg-verify", str(forged)).returncode == 4
