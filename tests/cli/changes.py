"""Ways to spoil a good folder, and what a command must then say: the words of which the cases of bad input are made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import frozen
from safetensors.numpy import load_file, save_file

from surgdsl.cli import main as front

Change = Callable[[Path], None]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the diagnostics of a command, which must have said nothing else on any stream."""
    code = front.run([*arguments, "--json"])
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0] == {"type": "version", "ui": "1.0"}
    assert {"diagnostic"} == {one["type"] for one in lines[1:]}
    assert "Traceback" not in err
    assert "bug" not in err
    return code, lines[1:]


def replaced(old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / "slim.surg").read_text(encoding="utf-8")
        assert old in text
        (folder / "slim.surg").write_text(text.replace(old, new), encoding="utf-8")

    return change


def python(text: str, attribute: str = "build") -> Change:
    """The model comes from a module of this text."""

    def change(folder: Path) -> None:
        (folder / "other.py").write_text(text, encoding="utf-8")
        replaced("net:build", f"other:{attribute}")(folder)
        replaced('  weights = file("net.safetensors")\n', "")(folder)

    return change


def rows(expression: str) -> Change:
    """The training rows are this expression."""

    def change(folder: Path) -> None:
        text = f"import numpy as np\nimport torch\n\ndef rows():\n    return {expression}\n"
        (folder / "other.py").write_text(text, encoding="utf-8")
        replaced("net:train", "other:rows")(folder)

    return change


def both(one: Change, other: Change) -> Change:
    def change(folder: Path) -> None:
        one(folder)
        other(folder)

    return change


def by_taylor(folder: Path) -> None:
    """The plan itself looks at the training rows."""
    replaced("importance.magnitude", "importance.taylor")(folder)
    replaced("keep = 50%) @{first,second} by magnitude", "keep = 50%, calibrate = train) @{first,second} by taylor")(
        folder
    )


def second_output(folder: Path) -> None:
    replaced("-> (y: f32[B, 3])", "-> (y: f32[B, 3], z: f32[B, 3])")(folder)
    replaced("out y: f32[B, 3] }", "out y: f32[B, 3]  out z: f32[B, 3] }")(folder)


def weights(change: Callable[[dict[str, Any]], None]) -> Change:
    def changed(folder: Path) -> None:
        tensors = load_file(folder / "net.safetensors")
        change(tensors)
        save_file(tensors, folder / "net.safetensors")

    return changed


def pinned(folder: Path) -> None:
    digest = hashlib.sha256(b"something else").hexdigest()
    replaced('file("net.safetensors")', f'file("net.safetensors", sha256 = "{digest}")')(folder)


def cut_short(folder: Path) -> None:
    data = (folder / "net.safetensors").read_bytes()
    (folder / "net.safetensors").write_bytes(data[:-7])


def wide(tensors: dict[str, Any]) -> None:
    tensors["head.weight"] = np.zeros((3, 13), dtype=np.float32)


def halved(tensors: dict[str, Any]) -> None:
    tensors["head.weight"] = tensors["head.weight"].astype(np.float16)


def renamed(tensors: dict[str, Any]) -> None:
    tensors["tail.bias"] = tensors.pop("head.bias")


@frozen
class Case:
    """A change of a good folder, and what must be said of it."""

    change: Change
    code: str
    caret: str
    told: str = ""
    exit: int = 1
