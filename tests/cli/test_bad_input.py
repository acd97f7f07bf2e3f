"""Whatever is wrong with a model, its weights, its data or its promises: a code and a caret, never a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
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


BRANCH = """
import torch

class Net(torch.nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x

build = Net
"""
SOURCE, TRAIN = 'python("net:build")', 'python("net:train")'
OTHER, ROWS = 'python("other:build")', 'python("other:rows")'
CASES = {
    "weights that are not there": Case(
        change=replaced("net.safe", "nets.safe"),
        code="E0701",
        caret="nets.safetensors",
    ),
    "a folder of weights": Case(
        change=replaced('file("net.safetensors")', 'file(".")'),
        code="E0702",
        caret=".",
    ),
    "weights of another digest": Case(
        change=pinned,
        code="E0712",
        caret=hashlib.sha256(b"something else").hexdigest(),
    ),
    "weights cut short": Case(
        change=cut_short,
        code="E0711",
        caret="net.safetensors",
    ),
    "weights that are text": Case(
        change=replaced("net.safetensors", "net.py"),
        code="E0711",
        caret="net.py",
    ),
    "weights of another shape": Case(
        change=weights(wide),
        code="E0606",
        caret='file("net.safetensors")',
        told="of another shape: head.weight",
    ),
    "weights of another dtype": Case(
        change=weights(halved),
        code="E0606",
        caret='file("net.safetensors")',
        told="of another dtype: head.weight",
    ),
    "weights of other names": Case(
        change=weights(renamed),
        code="E0606",
        caret='file("net.safetensors")',
        told="the file lacks head.bias",
    ),
    "no such module": Case(
        change=replaced("net:build", "nets:build"),
        code="E0605",
        caret='python("nets:build")',
        told="ModuleNotFoundError",
    ),
    "no such attribute": Case(
        change=replaced("net:build", "net:bild"),
        code="E0605",
        caret='python("net:bild")',
        told="no attribute 'bild'",
    ),
    "source that raises": Case(
        change=python("def build():\n    raise ValueError('no luck')"),
        code="E0605",
        caret=OTHER,
        told="ValueError: no luck",
    ),
    "source that leaves": Case(
        change=python("import sys\ndef build():\n    sys.exit(0)"),
        code="E0605",
        caret=OTHER,
        told="SystemExit: 0",
    ),
    "source that is no Python": Case(
        change=python("def build(:"),
        code="E0605",
        caret=OTHER,
        told="SyntaxError",
    ),
    "source that gives no module": Case(
        change=python("def build():\n    return 3"),
        code="E0605",
        caret=OTHER,
        told="returned int, not a torch module",
    ),
    "a source with an input too many": Case(
        change=python(BRANCH.replace("x):", "x, y):")),
        code="E0601",
        caret=OTHER,
        told="torch.export says",
    ),
    "a source with an input too few": Case(
        change=python(BRANCH.replace("self, x", "self")),
        code="E0604",
        caret="model net",
        told="takes 0 inputs",
    ),
    "a branch on data": Case(
        change=python(BRANCH),
        code="E0601",
        caret=OTHER,
        told="torch.export says",
    ),
    "ports of another shape": Case(
        change=replaced("y: f32[B, 3]", "y: f32[B, 4]"),
        code="E0604",
        caret="y: f32[B, 4]",
        told="F32[B, 3]",
    ),
    "ports of another dtype": Case(
        change=replaced("x: f32[B, 4]", "x: i64[B, 4]"),
        code="E0604",
        caret="model net",
        told="same dtype",
    ),
    "one output too many": Case(
        change=second_output,
        code="E0604",
        caret="model net",
        told="1 output",
    ),
    "rows that are no pair": Case(
        change=rows("torch.zeros(4, 4)"),
        code="E0605",
        caret=ROWS,
        told="a pair (inputs, labels)",
    ),
    "rows that are lists": Case(
        change=rows("[[0, 1, 2, 3]], [0]"),
        code="E0605",
        caret=ROWS,
        told="not list",
    ),
    "rows of strange numbers": Case(
        change=rows("torch.zeros(4, 4, dtype=torch.complex64), torch.zeros(4)"),
        code="E0605",
        caret=ROWS,
        told="complex64",
    ),
    "rows of unequal number": Case(
        change=rows("torch.zeros(5, 4), torch.zeros(4).long()"),
        code="E0720",
        caret=ROWS,
        told="[5, 4], [4]",
    ),
    "no rows at all": Case(
        change=rows("torch.zeros(0, 4), torch.zeros(0).long()"),
        code="E0720",
        caret=ROWS,
        told="[0, 4], [0]",
    ),
    "rows of another width": Case(
        change=rows("torch.zeros(4, 5), torch.zeros(4).long()"),
        code="E0720",
        caret=ROWS,
        told="float32[4, 5]",
    ),
    "rows of another dtype": Case(
        change=rows("torch.zeros(4, 4).double(), torch.zeros(4).long()"),
        code="E0720",
        caret=ROWS,
        told="float64[4, 4]",
    ),
    "too many inputs": Case(
        change=rows("(torch.zeros(4, 4), torch.zeros(4, 4)), torch.zeros(4).long()"),
        code="E0720",
        caret=ROWS,
    ),
    "a class too many": Case(
        change=rows("torch.zeros(4, 4), torch.arange(4)"),
        code="E0721",
        caret=ROWS,
        told="0 to 3, and the output has the classes 0 to 2",
    ),
    "a negative class": Case(
        change=rows("torch.zeros(4, 4), torch.arange(4) - 2"),
        code="E0721",
        caret=ROWS,
        told="from -2 to 1",
    ),
    "labels in columns": Case(
        change=rows("torch.zeros(4, 4), torch.zeros(4, 1).long()"),
        code="E0721",
        caret=ROWS,
        told="int64[4, 1]",
    ),
    "labels that are no classes": Case(
        change=both(rows("torch.zeros(4, 4), torch.zeros(4, 3)"), replaced("net:test", "other:rows")),
        code="E0721",
        caret=ROWS,
        told="float32[4, 3]",
    ),
    "one row to train on": Case(
        change=rows("torch.zeros(1, 4), torch.zeros(1).long()"),
        code="E0720",
        caret="recover { data = train  epochs = 2 }",
    ),
    "more rows than there are": Case(
        change=replaced('python("net:train") }', 'python("net:train")  take = 301 }'),
        code="E0720",
        caret="data train",
        told="take = 301",
    ),
    "a selector beside the mark": Case(
        change=replaced("@{first,second}", "@{frist,scond}"),
        code="E0501",
        caret="@{frist,scond}",
        told="there are @first, @second, @head",
    ),
    "a selector of an interface alone": Case(
        change=replaced("@{first,second}", "@head"),
        code="E0504",
        caret="@head",
        told="reaches output",
    ),
    "a target out of reach": Case(
        change=replaced("<= 60%", "<= 10%"),
        code="E0801",
        caret="require params(after) <= 10% * params(before)",
        told="best reached",
        exit=3,
    ),
    "a measured promise that is broken": Case(
        change=replaced("drop <= 20%", "drop <= -50%"),
        code="E0802",
        caret="require accuracy.drop <= -50% on test",
        told="reached",
        exit=3,
    ),
    "a recovery that diverges": Case(
        change=replaced("epochs = 2", "epochs = 2  rate = 1000000000"),
        code="E0803",
        caret="recover {",
        told="loss went",
        exit=3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_its_place(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    case.change(folder)
    before = {path.name for path in folder.iterdir()} | {"__pycache__"}
    code, (told, *more) = refused(["run", "slim.surg", "--out", "result"], capsys)
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    assert (case.code, case.exit, []) == (told["code"], code, more)
    assert text[told["start"] : told["stop"]].startswith(case.caret)
    said = [told["message"], told["label"], *told["help"], *(note["message"] for note in told["notes"])]
    assert case.told in " | ".join(said)
    assert {path.name for path in folder.iterdir()} <= before, "something was left"


def test_a_text_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for command in ("run", "plan", "axes"):
        code, (told,) = refused([command, str(tmp_path / "nowhere.surg")], capsys)
        assert (code, told["code"]) == (1, "E0701")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_surgery_that_is_not_there(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (told,) = refused([command, "slim.surg", "--surgery", "slmi"], capsys)
    assert (code, told["code"], told["help"]) == (1, "E0510", ["did you mean `slim`?", "the file has slim"])
    assert folder.is_dir()


def test_the_caret_as_it_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replaced("@{first,second}", "@frist")(folder)
    assert front.run(["plan", "slim.surg"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err.removeprefix("capturing the model …\nplanning …\n")
        == """\
error[E0501]: `@frist` means no place in the model
  ┌─ slim.surg:15:50
15│   step narrow = apply prune_channels(keep = 50%) @frist by magnitude then recover { data = train  epochs = 2 }
  │                                                  ^^^^^^ nothing is called so
help: did you mean `@first`?
more: surg explain E0501
"""
    )


def test_a_source_that_prints_does_not_reach_the_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "net.py").open("a", encoding="utf-8") as file:
        file.write("\nprint('loud')\n")
    assert front.run(["axes", "slim.surg", "--json"]) == 0
    out, err = capsys.readouterr()
    assert all(json.loads(line) for line in out.splitlines())
    assert "loud" in err


@pytest.mark.parametrize("what", ["file", "foreign", "own and foreign", "link", "weights inside"])
def test_a_folder_that_is_not_a_result_is_left_alone(
    what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "result"
    if what == "file":
        out.write_text("mine", encoding="utf-8")
    elif what == "link":
        (folder / "elsewhere").mkdir()
        out.symlink_to(folder / "elsewhere")
    else:
        out.mkdir()
        (out / "run.json").write_text("{}", encoding="utf-8")
        if what == "weights inside":
            (folder / "net.safetensors").rename(out / "model.safetensors")
            replaced("net.safetensors", "result/model.safetensors")(folder)
        else:
            (out / "notes.txt").write_text("mine", encoding="utf-8")
            if what == "foreign":
                (out / "run.json").unlink()
    before = sorted(folder.rglob("*"))
    code, (told,) = refused(["run", "slim.surg", "--out", "result"], capsys)
    assert (code, told["code"]) == (1, "E0901")
    assert before == sorted(folder.rglob("*"))


def test_a_place_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (told,) = refused(["run", "slim.surg", "--out", "/proc/result"], capsys)
    assert (code, told["code"]) == (1, "E0902")
    assert folder.is_dir()


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_a_full_disk_leaves_the_earlier_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "result", "--quiet"]) == 0
    capsys.readouterr()
    state = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    times = (folder / "net.safetensors").stat().st_mtime_ns
    command = [sys.executable, "-B", "-m", "surgdsl.cli.main", "run", "slim.surg", "--out", "result", "--json"]
    home = str(Path(front.__file__).parents[2])
    done = subprocess.run(
        command, preexec_fn=limited, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": home},
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["code"], done.stderr) == (1, "E0902", "")
    assert told["help"][0].startswith("File too large")
    assert state == {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert times == (folder / "net.safetensors").stat().st_mtime_ns
    assert [path.name for path in folder.iterdir() if ".draft" in path.name] == []
