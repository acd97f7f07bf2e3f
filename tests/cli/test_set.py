"""--set on every command that takes it: the value stands where the param's own stood, and the certificate has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgdsl.cli import main as front


@pytest.fixture
def knobs(folder: Path) -> Path:
    text = (folder / "slim.surg").read_text(encoding="utf-8")
    text = text.replace("surgery slim", "param share: ratio = 50%\nparam width: bit = 2bit\nsurgery slim")
    text = text.replace("keep = 50%", "keep = share").replace("bits = 2bit", "bits = width")
    text = text.replace("<= 60% * params", "<= 95% * params").replace(" then recover { data = train  epochs = 2 }", "")
    (folder / "slim.surg").write_text(text.replace("<= 20% on", "<= 100% on"), encoding="utf-8")
    return folder


@pytest.mark.usefixtures("knobs")
def test_a_value_is_checked_as_if_it_stood_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["check", "slim.surg", "--set", "width=4bit", "--set=share=1/2"]) == 0
    assert front.run(["check", "slim.surg", "--set", "width=40%"]) == 1
    assert "param width: bit = 40%" in capsys.readouterr().err
    assert front.run(["check", "slim.surg", "--set", "widht=4bit"]) == 1
    err = capsys.readouterr().err
    assert "error[E0101]: `slim.surg` has no param `widht`" in err
    assert "did you mean `width`?" in err


@pytest.mark.usefixtures("knobs")
@pytest.mark.parametrize("command", ["check", "plan", "run", "show", "sweep"])
def test_what_sets_nothing_is_wrong_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run([command, "slim.surg", "--set", "width"]) == 2
    assert "`width` sets nothing" in capsys.readouterr().err


@pytest.mark.usefixtures("knobs")
def test_show_and_plan_tell_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["show", "slim.surg", "--morphisms", "--set", "width=8bit"]) == 0
    assert "quantize(bits = 8) @second" in capsys.readouterr().out
    assert front.run(["plan", "slim.surg", "--set", "share=75%", "--set", "width=1bit"]) == 0
    out = capsys.readouterr().out
    assert "prune_channels(keep = 75%)" in out
    assert "second.weight: 1 bit codebook" in out


def test_a_run_is_certified_with_its_values(knobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.run(["run", "slim.surg", "--out", "done", "--set", "share=75%"]) == 0, capsys.readouterr().err
    predicate = json.loads((knobs / "done/certificate/cert.json").read_text(encoding="utf-8"))["predicate"]
    spec = (knobs / "done/certificate/blobs" / predicate["spec"]["blob"]).read_text(encoding="utf-8")
    text = (knobs / "slim.surg").read_text(encoding="utf-8")
    assert spec == text.replace("param share: ratio = 50%", "param share: ratio = 75%")
    (knobs / "same.surg").write_text(spec, encoding="utf-8")
    assert front.run(["run", "same.surg", "--out", "again"]) == 0
    first, second = ((knobs / folder / "certificate/cert.json").read_bytes() for folder in ("done", "again"))
    assert first == second, "the value in the text is the same job"
    capsys.readouterr()
