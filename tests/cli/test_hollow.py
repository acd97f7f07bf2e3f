"""Models that are built on the meta device: the file fills them, and what it does not fill is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgdsl.cli import main as front

HOLLOW = '\n\ndef hollow():\n    with torch.device("meta"):\n        return build()\n'


@pytest.fixture
def emptied(folder: Path) -> Path:
    """The same network, built hollow."""
    source = folder / "net.py"
    source.write_text(source.read_text(encoding="utf-8") + HOLLOW, encoding="utf-8")
    return folder


def told(folder: Path, text: str) -> None:
    (folder / "hollow.surg").write_text(text.replace("net:build", "net:hollow"), encoding="utf-8")


def test_the_result_is_that_of_a_model_with_values(emptied: Path) -> None:
    text = (emptied / "slim.surg").read_text(encoding="utf-8")
    told(emptied, text)
    assert front.run(["run", "slim.surg", "--out", "one", "--quiet"]) == 0
    assert front.run(["run", "hollow.surg", "--out", "two", "--quiet"]) == 0
    one, two = ((emptied / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_without_a_file_there_are_no_values(emptied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (emptied / "slim.surg").read_text(encoding="utf-8")
    told(emptied, text.replace('  weights = file("net.safetensors")\n', ""))
    assert front.run(["plan", "hollow.surg"]) == 1
    assert "E0606" in capsys.readouterr().err
