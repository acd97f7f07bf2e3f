"""The script that made the committed weights learns, repeats itself, and pins what it wrote."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module("train")


def trained(script: ModuleType) -> tuple[list[torch.Tensor], int]:
    """Return the weights after three short epochs on the digits, and the held-out rows they get right."""
    example = importlib.import_module("digits_mlp")
    torch.manual_seed(0)
    network = example.build()
    images, labels = example.train()
    script.learn(network, images, labels, script.Recipe(epochs=3, batch=64, rate=1e-2, decay=0.0, shift=0.05, side=8))
    assert not network.training
    return list(network.state_dict().values()), script.correct(network, *example.test())


def test_training_learns_and_repeats_itself(script: ModuleType) -> None:
    weights, hits = trained(script)
    again, _ = trained(script)
    assert hits > 300  # of 355
    assert all(torch.equal(one, other) for one, other in zip(weights, again, strict=True))


def test_jitter_without_strength_changes_nothing(script: ModuleType) -> None:
    images = torch.rand(4, 1, 8, 8)
    moved = script.jitter(images, script.Recipe(1, 1, 0.0, 0.0), torch.Generator())
    torch.testing.assert_close(moved, images)


def test_jitter_moves_rows_and_keeps_their_shape(script: ModuleType) -> None:
    rows = torch.rand(4, 64)
    moved = script.jitter(rows, script.Recipe(1, 1, 0.0, 0.0, shift=0.3, side=8), torch.Generator().manual_seed(1))
    assert moved.shape == rows.shape
    assert not torch.allclose(moved, rows)


def test_pinning_writes_the_digest_and_nothing_else(script: ModuleType, tmp_path: Path) -> None:
    specification = tmp_path / "a.surg"
    specification.write_text('weights = file("a", sha256 = "00")  # kept\n', encoding="utf-8")
    script.pin(specification, "ab12")
    assert specification.read_text(encoding="utf-8") == 'weights = file("a", sha256 = "ab12")  # kept\n'


def test_every_network_has_a_recipe_and_every_text_is_pinned_with_its_weights(script: ModuleType) -> None:
    weights = sorted(EXAMPLES.glob("*.safetensors"))
    assert {path.stem for path in weights} == set(script.RECIPES)
    pinned = {text.name for path in weights for text in script.naming(path)}
    texts = {path.name for path in EXAMPLES.glob("*.surg")}
    assert pinned == texts - {"minilm.surg"}, "its weights come in a package"
    assert [text.stem for text in script.naming(EXAMPLES / "digits_mlp.safetensors")] == ["digits_mlp", "digits_own"]
