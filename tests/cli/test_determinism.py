"""The same text, model, data and seed give the same bytes: again, elsewhere, under another hash seed, in a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from surgdsl.cli import main as front

HOME = Path(front.__file__).parents[2]


def run(folder: Path, out: str, *options: str) -> None:
    assert front.run(["run", str(folder / "slim.surg"), "--out", str(folder / out), "--quiet", *options]) == 0


def digested(folder: Path) -> dict[str, bytes]:
    """Every file that a digest covers: all of the result but run.json, which says where things lay."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "certificate/cert.json" in files
    assert "model.safetensors" in files
    return {name: data for name, data in files.items() if name != "run.json"}


def facts(folder: Path) -> dict[str, str]:
    statement: dict[str, Any] = json.loads((folder / "certificate" / "cert.json").read_bytes())
    return dict(statement["predicate"]["facts"])


def test_the_same_job_twice_and_in_a_copy(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    run(folder, "one")
    run(folder, "two")
    copy = tmp_path_factory.mktemp("elsewhere") / "deeper"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("one", "two", "__pycache__"))
    run(copy, "three")
    assert digested(folder / "one") == digested(folder / "two")
    assert digested(folder / "one") == digested(copy / "three")


def test_another_process_another_folder_another_hash_seed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run(folder, "one")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    changed = {"PYTHONHASHSEED": "4242", "PYTHONPATH": str(HOME), "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-m", "surgdsl.cli.main", "run", os.path.relpath(folder / "slim.surg", elsewhere), "--json"],
        cwd=elsewhere,
        env=os.environ | changed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert digested(folder / "one") == digested(elsewhere / "build" / "slim")


def test_a_model_with_weights_of_its_own_is_built_the_same(folder: Path) -> None:
    text = (folder / "slim.surg").read_text(encoding="utf-8").replace('  weights = file("net.safetensors")\n', "")
    (folder / "slim.surg").write_text(text.replace("drop <= 20%", "drop <= 100%"), encoding="utf-8")
    run(folder, "one")
    run(folder, "two")
    assert "input.safetensors" in digested(folder / "one")
    assert digested(folder / "one") == digested(folder / "two")


def test_the_seed_matters_and_threads_are_told(folder: Path) -> None:
    run(folder, "one")
    run(folder, "threads", "--threads", "2")
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    (folder / "slim.surg").write_text(text.replace("seed 7", "seed 8"), encoding="utf-8")
    run(folder, "seed")
    assert (facts(folder / "one")["threads"], facts(folder / "threads")["threads"]) == ("1", "2")
    assert (folder / "one/model.safetensors").read_bytes() != (folder / "seed/model.safetensors").read_bytes()


def test_no_path_and_no_clock_is_in_what_is_digested(folder: Path) -> None:
    run(folder, "one")
    for name, data in digested(folder / "one").items():
        assert str(folder).encode() not in data, name
    assert set(facts(folder / "one")) == {"device", "numpy", "threads", "torch"}


def test_sources_that_draw_at_random_draw_the_same(folder: Path) -> None:
    text = "\nimport random\nimport numpy as np\n\ndef noisy():\n    inputs, labels = train()\n"
    draw = "    return inputs * random.random() + float(np.random.rand()) + torch.rand(()), labels\n"
    with (folder / "net.py").open("a", encoding="utf-8") as file:
        file.write(text + draw)
    spec = (folder / "slim.surg").read_text(encoding="utf-8")
    (folder / "slim.surg").write_text(spec.replace("net:train", "net:noisy"), encoding="utf-8")
    run(folder, "one")
    run(folder, "two")
    assert digested(folder / "one") == digested(folder / "two")
