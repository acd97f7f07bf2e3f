"""Nets that are run again: cuts are neutralised nets, rules keep the function, and logs are what the models say."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.replay import logs, steps
from surgdsl.replay.__main__ import main
from surgdsl.replay.opening import Opened, opened
from surgdsl.verifier import replay as verifying
from tests.verifier import surgeries as s
from tests.verifier.encodings import Array
from tests.verifier.forge import Forge, tensor_digest, weight_file

GOOD = sorted((Path(__file__).resolve().parents[1] / "verifier" / "corpus" / "good").iterdir())
COUNT = 300
Row = list[int]


def replayed(folder: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the lines of a replay."""
    out = io.StringIO()
    files = [str(folder / name) for name in ("input.safetensors", "model.safetensors")]
    with contextlib.redirect_stdout(out):
        code = main([str(folder), *files, "--json", *arguments])
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("folder", GOOD, ids=lambda path: path.name)
def test_honest_certificates_run(folder: Path) -> None:
    code, lines = replayed(folder)
    assert code == 0
    ran = [line for line in lines if line["type"] == "replayed-step"]
    assert {line["verdict"] for line in ran} <= ({"equal", "changes"} if folder.name != "long-extents" else {"not run"})
    assert all(line["verdict"] == "equal" for line in ran if line["rule"] == "prune-channels/1")
    assert lines[-1] == {"type": "replay", "agrees": True}


class Moved(Opened):
    """A certificate whose first cut speaks of other indices than those that were cut."""

    def states(self) -> Iterator[tuple[dict[str, Any], verifying.Row, verifying.State, verifying.State]]:
        for raw, row, before, after in super().states():
            lists = [[index - 1 if index else 1 for index in indices] for indices in raw["arguments"]["indices"]]
            yield {**raw, "arguments": {**raw["arguments"], "indices": lists}}, row, before, after


def test_a_cut_of_other_channels_is_seen() -> None:
    (folder,) = (path for path in GOOD if path.name == "prune-linear")
    whole = opened(str(folder), str(folder / "input.safetensors"), str(folder / "model.safetensors"))
    moved = Moved(whole.predicate, whole.logs, whole.first, whole.ledger)
    sizes = steps.sizes_of(whole, 2)
    assert [one.verdict for one in steps.seen(whole, 0, sizes)] == ["equal"]
    assert [one.verdict for one in steps.seen(moved, 0, sizes)] == ["differs"]


def data(seed: int) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    return (5 * chance.normal(size=(COUNT, 5))).astype(np.float32), chance.integers(0, 2, COUNT)


def rows_file(folder: Path, inputs: Array, labels: Array) -> str:
    path = folder / "rows.safetensors"
    held = {"inputs": ("F32", inputs.shape, inputs.tobytes()), "labels": ("I64", labels.shape, labels.tobytes())}
    path.write_bytes(weight_file(held))
    return str(path)


def answers(f: Forge, inputs: Array) -> torch.Tensor:
    """What the multilayer perceptron of a forge says, by torch's own modules."""
    held = {f.weight(identity).base: f.weight(identity).decoded for identity, op in f.ops.items() if "key" in op}
    layers = [nn.Linear(*held[f"{name}.weight"].shape[::-1]) for name in ("fc1", "fc2")]
    for layer, name in zip(layers, ("fc1", "fc2"), strict=True):
        layer.load_state_dict({key: torch.tensor(held[f"{name}.{key}"]) for key in ("weight", "bias")})
    with torch.no_grad():
        return nn.Sequential(layers[0], nn.ReLU(), layers[1])(torch.tensor(inputs))


def lost(said: torch.Tensor, labels: Array) -> list[int]:
    """Cross-entropy in bits, of eight, in millionths rounded up."""
    each = nn.functional.cross_entropy(said.double(), torch.tensor(labels), reduction="none")
    return [int(-(-min(1.0, float(one) / (8 * np.log(2))) * 10**6 // 1)) for one in each]


def certified(folder: Path, kind: str, lie: Callable[[list[Row]], None] | None = None) -> tuple[Path, str]:
    """A certificate with a log of real rows, and the file of these rows; `lie` changes the log."""
    f, (inputs, labels) = s.mlp(), data(0)
    models = [answers(f, inputs)]
    s.recover(f, lambda _, values: -values)
    models.append(answers(f, inputs))
    about: dict[str, Any] = {"inputs": tensor_digest("F32", inputs.shape, inputs.tobytes()), "name": "test"}
    about |= {"labels": tensor_digest("I64", labels.shape, labels.tobytes()), "rows": COUNT}
    sides = [[int(one) for one in said.argmax(1)] if kind == "predictions" else lost(said, labels) for said in models]
    shown = [[int(one) for one in labels]] if kind == "predictions" else []
    table = [list(row) for row in zip(range(COUNT), *shown, *sides, strict=True)]
    if lie is not None:
        lie(table)
    more = {} if kind == "predictions" else {"loss": "cross_entropy/8bit"}
    evidence = s.log(f, table, data=about, kind=kind, **more)
    f.claims = [s.measured(evidence, "1", **({} if kind == "predictions" else {"measure": "lossRise"}))]
    return f.write(folder / "made"), rows_file(folder, inputs, labels)


@pytest.mark.parametrize("kind", ["predictions", "losses"])
def test_an_honest_log_agrees(tmp_path: Path, kind: str) -> None:
    folder, given = certified(tmp_path, kind)
    code, lines = replayed(folder, "--data", given)
    assert code == 0
    (log,) = (line for line in lines if line["type"] == "replayed-log")
    assert (log["kind"], log["rows"], log["compared"], log["holds"]) == (kind, COUNT, COUNT, True)
    assert log["agreeing"] + log["ties"] == COUNT
    assert log["ties"] <= 3


def flip(table: list[Row]) -> None:
    table[17][3] = 1 - table[17][3]


def exchange(table: list[Row]) -> None:
    for row in table:
        row[-2:] = row[:-3:-1]


def lighten(table: list[Row]) -> None:
    table[250][2] -= 5000


@pytest.mark.parametrize(("kind", "lie"), [("predictions", flip), ("predictions", exchange), ("losses", lighten)])
def test_a_forged_log_is_refused(tmp_path: Path, kind: str, lie: Callable[[list[Row]], None]) -> None:
    folder, given = certified(tmp_path, kind, lie)
    assert replayed(folder)[0] == 0, "without the rows nobody can tell"
    code, lines = replayed(folder, "--data", given)
    assert (code, lines[-1]["agrees"]) == (4, False)


def test_a_sample_tells_how_probable_it_is_to_find_a_lie(tmp_path: Path) -> None:
    folder, given = certified(tmp_path, "predictions")
    code, lines = replayed(folder, "--data", given, "--sample", "40", "--seed", "3")
    (log,) = (line for line in lines if line["type"] == "replayed-log")
    assert (code, log["compared"]) == (0, 40)
    assert logs.chance(459, 0.01) == pytest.approx(0.99, abs=1e-3)


def test_rows_of_another_set_are_refused(tmp_path: Path) -> None:
    folder, _ = certified(tmp_path, "predictions")
    code, lines = replayed(folder, "--data", rows_file(tmp_path, *data(1)))
    assert (code, lines[-1]["code"]) == (4, "V17")


@pytest.mark.parametrize("held", [{"labels": ("I64", (1,), bytes(8))}, {"x": ("F32", (1,), bytes(4))}])
def test_a_file_that_holds_no_rows_is_refused(tmp_path: Path, held: dict[str, Any]) -> None:
    folder, given = certified(tmp_path, "predictions")
    Path(given).write_bytes(weight_file(held))
    assert replayed(folder, "--data", given)[1][-1]["code"] == "V17"


def test_python_of_the_auditor_gives_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = certified(tmp_path, "predictions")
    code = "import numpy as np\nchance = np.random.default_rng(0)\ndef rows():\n"
    code += f"    return (5 * chance.normal(size=({COUNT}, 5))).astype(np.float32), chance.integers(0, 2, {COUNT})\n"
    (tmp_path / "rows_of_mine.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert replayed(folder, "--data", "rows_of_mine:rows")[0] == 0
    assert replayed(folder, "--data", "rows_of_mine:nothing")[1][-1]["code"] == "E0605"


def honest(table: list[Row]) -> None:
    del table


@pytest.mark.parametrize(("lie", "expected"), [(honest, 0), (flip, 4)])
def test_the_command(tmp_path: Path, lie: Callable[[list[Row]], None], expected: int) -> None:
    folder, given = certified(tmp_path, "predictions", lie)
    command = [sys.executable, "-m", "surgdsl.cli.main", "verify", str(folder), "--replay", f"--data={given}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (expected, "")
    assert "Accepted:" in found.stdout
    assert f"of {COUNT} rows of test agree with the log" in found.stdout
    assert ("Rejected: V17" in found.stdout) is (expected == 4)
