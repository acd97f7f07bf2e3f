"""Whatever is wrong with a model, its weights, its data or its promises: a code and a caret, never a traceback."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from surgdsl.cli import main as front
from tests.cli.changes import (
    Case,
    both,
    by_taylor,
    cut_short,
    halved,
    pinned,
    python,
    refused,
    renamed,
    replaced,
    rows,
    second_output,
    weights,
    wide,
)  # fmt: skip

CHOICE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = torch.nn.Linear(4, 12), torch.nn.BatchNorm1d(12)
        self.second, self.head = torch.nn.Linear(12, 12), torch.nn.Linear(12, 3)

    def forward(self, x):
        return (self.head(self.second(self.norm(self.first(x)))) > 0).long()

build = Net
"""
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
    "an output that is no score": Case(
        change=both(both(python(CHOICE), replaced("y: f32[B, 3]", "y: i64[B, 3]")), by_taylor),
        code="E0721",
        caret=TRAIN,
        told="an output of floats",
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
        code="E0503",
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
