"""The examples are what they say: real rows, fixed splits, pinned weights of the recorded quality."""

import gzip
import hashlib
import importlib
import json
import re
import struct
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from surgdsl.cli import main as front
from surgdsl.verifier.main import main as verify

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MEBIBYTE = 1 << 20
# name: the shape of one input row, held-out rows, and the least share of them that the committed weights get right
CLAIMS = {
    "mnist_cnn": ((1, 28, 28), 1000, Fraction(985, 1000)),
    "digits_mlp": ((64,), 355, Fraction(990, 1000)),
    "fashion_cnn": ((1, 28, 28), 10_000, Fraction(900, 1000)),
}


@pytest.fixture(autouse=True)
def beside_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


def load(name: str) -> tuple[ModuleType, Any]:
    """Return the module of an example and its network with the committed weights."""
    example = importlib.import_module(name)
    network = example.build()
    network.load_state_dict(load_file(EXAMPLES / f"{name}.safetensors"), strict=True)
    return example, network


@pytest.mark.parametrize(("name", "weights"), [*((name, name) for name in CLAIMS), ("digits_own", "digits_mlp")])
def test_the_specification_pins_the_committed_weights(name: str, weights: str) -> None:
    content = (EXAMPLES / f"{weights}.safetensors").read_bytes()
    pinned = re.findall(r'sha256 = "([^"]*)"', (EXAMPLES / f"{name}.surg").read_text(encoding="utf-8"))
    assert [hashlib.sha256(content).hexdigest()] == pinned
    assert len(content) <= MEBIBYTE


@pytest.mark.parametrize("name", CLAIMS)
def test_the_network_loads_in_evaluation_mode_and_gives_ten_logits(name: str) -> None:
    shape, _, _ = CLAIMS[name]
    _, network = load(name)
    assert not network.training
    assert network(torch.zeros(3, *shape)).shape == (3, 10)


@pytest.mark.parametrize("name", ["mnist_cnn", "digits_mlp"])
def test_the_weights_are_as_good_as_recorded(name: str) -> None:
    shape, count, least = CLAIMS[name]
    example, network = load(name)
    images, labels = example.test()
    assert (images.shape, images.dtype) == ((count, *shape), torch.float32)
    assert (labels.shape, labels.dtype) == ((count,), torch.int64)
    hits = importlib.import_module("train").correct(network, images, labels)
    assert Fraction(hits, count) >= least


@pytest.mark.parametrize(("name", "rows", "of_each_class"), [("mnist_cnn", 5000, 100), ("digits_mlp", 1797, 35)])
def test_the_split_is_complete_and_stratified(name: str, rows: int, of_each_class: int) -> None:
    example, _ = load(name)
    (train, train_labels), (test, test_labels) = example.train(), example.test()
    assert len(train) + len(test) == len(train_labels) + len(test_labels) == rows
    counts = torch.bincount(test_labels, minlength=10)
    assert of_each_class - 1 <= int(counts.min()) <= int(counts.max()) <= of_each_class + 1
    assert not (set(map(bytes, train.numpy())) & set(map(bytes, test.numpy())))


def write_idx(path: Path, values: "np.ndarray[Any, np.dtype[np.uint8]]") -> None:
    """Write an idx file as the data set's authors define it: magic, extents, bytes."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


def test_fashion_reads_idx_files_from_the_folder_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", pixels)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.arange(5, dtype=np.uint8))
    monkeypatch.setenv("FASHION_MNIST", str(tmp_path))
    example, _ = load("fashion_cnn")
    images, labels = example.test()
    assert labels.tolist() == [0, 1, 2, 3, 4]
    restored = (images[:, 0] * example.DEVIATION + example.MEAN) * 255
    assert np.array_equal(restored.round().numpy(), pixels)


def test_fashion_says_how_to_get_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHION_MNIST", str(tmp_path))
    example, _ = load("fashion_cnn")
    with pytest.raises(FileNotFoundError, match="apt-get download dataset-fashion-mnist"):
        example.train()
    with pytest.raises(SystemExit, match="apt-get install dataset-fashion-mnist"):
        example.main()


def test_a_criterion_a_metric_and_a_rule_of_the_file_run_and_are_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert front.run(["run", str(EXAMPLES / "digits_own.surg"), "--out", str(tmp_path / "own"), "--json"]) == 0
    capsys.readouterr()
    assert verify([str(tmp_path / "own"), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["grade"], one["holds"]) for one in lines[-1]["claims"]] == [
        ("proved", True),
        ("proved", True),
        ("measured", True),
    ]
    steps = {(one["step"], one["rule"].split()[0], one["grade"]) for one in lines if one["type"] == "step"}
    assert ("split", "rule/1", "bounded") in steps
