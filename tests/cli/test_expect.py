"""surg expect: what it prints binds a verdict to the text and the model that it was computed from, and to no other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from surgdsl.cli.main import run


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert run(["expect", "slim.surg"]) == 0
    return capsys.readouterr().out.split()


@pytest.fixture
def words(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    assert folder == Path.cwd()
    return printed(capsys)


def test_what_is_expected_holds_of_the_result(words: list[str]) -> None:
    assert words[::2] == ["--expect-input", "--expect-graph", "--expect-spec"]
    assert run(["verify", "result", *words]) == 0


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("slim.surg", "seed 7", "seed 8", {"--expect-spec"}),
        ("net.py", "ReLU", "Tanh", {"--expect-graph"}),
    ],
)
def test_another_text_or_model_is_told_apart(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, changed: set[str]
) -> None:
    place = folder / name
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")
    sys.modules.pop("net", None)
    others = printed(capsys)
    assert {
        option for option, one, other in zip(words[::2], words[1::2], others[1::2], strict=True) if one != other
    } == changed
    assert run(["verify", "result", *others]) == 4
