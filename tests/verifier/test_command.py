"""`surg verify` is `surg-verify`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from surgdsl.cli.main import run
from surgdsl.verifier.main import main


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_both_commands_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [str(folder)],
        [str(folder), "--json"],
        [str(folder), "--strict"],
        [str(folder), "--trust", "0" * 64],
        [str(folder), "--require", "size <= 20%", "--min-sequence=0"],
        ["--min-sequence", "1", "--", str(folder)],
    ):
        ours = run(["verify", *arguments]), said(capsys)
        assert ours == (main(arguments), said(capsys))
    predicate = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]
    assert run(["verify", str(folder), "--expect-output", predicate["output"]["manifest"]]) == 0
    assert run(["verify", str(folder), "--expect-output", "0" * 64]) == 4
    assert run(["verify", str(folder), "--expect-output", "short"]) == 2
    (folder / "model.safetensors").unlink()
    assert run(["verify", str(folder)]) == 4
    capsys.readouterr()


def test_the_help_of_both_is_that_of_the_verifier(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--help"]) == 0
    ours = said(capsys)
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    theirs = said(capsys)
    assert re.findall(r"--[a-z-]+", ours) == re.findall(r"--[a-z-]+", theirs)
    assert "--require" in ours
