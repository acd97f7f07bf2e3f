"""What an auditor brings: digests, the least number, requirements; and what a verdict says of itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier.main import main
from tests.verifier.asking import code_of, edit, reason_of, verdict

OLDER = "5" * 64


def predicate(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]


def bound(folder: Path) -> list[str]:
    said = predicate(folder)
    digests = {"input": said["input"]["manifest"], "graph": said["input"]["graph"]}
    digests |= {"output": said["output"]["manifest"], "spec": said["spec"]["blob"]}
    return [f"--expect-{name}={digest}" for name, digest in digests.items()]


def number(folder: Path, sequence: int) -> Path:
    return edit(folder, lambda s: s["predicate"].update(sequence=sequence, supersedes=OLDER))


def test_strict_wants_all_four(folder: Path) -> None:
    assert code_of(folder, "--strict", *bound(folder)) == ""
    for left_out in range(4):
        given = [one for at, one in enumerate(bound(folder)) if at != left_out]
        assert code_of(folder, *given) == ""
        assert verdict(folder, *given)[1]["unbound"] is True
        assert code_of(folder, "--strict", *given) == "V19"


@pytest.mark.parametrize("name", ["input", "graph", "output", "spec"])
def test_another_digest_is_refused(folder: Path, name: str) -> None:
    assert code_of(folder, f"--expect-{name}={'0' * 64}") == "V19"


def test_an_older_certificate_is_refused(folder: Path) -> None:
    number(folder, 4)
    assert [code_of(folder, "--min-sequence", str(least)) for least in (0, 4, 5)] == ["", "", "V19"]


def test_the_first_supersedes_nothing_and_every_other_something(folder: Path) -> None:
    assert code_of(number(folder, 0)) == "V03"
    assert code_of(edit(folder, lambda s: s["predicate"].update(sequence=1))) == ""
    assert code_of(edit(folder, lambda s: s["predicate"].pop("supersedes"))) == "V03"
    assert code_of(edit(folder, lambda s: s["predicate"].pop("sequence"))) == "V03"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("size <= 20%", ""),
        ("size <= 1%", "V19"),
        ("accuracy >= 90%", ""),
        ("accuracy drop < 0", "V19"),
        ("loss <= 1/2", "V19"),  # nothing in it speaks of a loss
    ],
)
def test_what_is_required_is_decided_by_the_verifier(folder: Path, text: str, code: str) -> None:
    assert code_of(folder, "--require", text) == code
    assert code_of(folder, "--require", "size <= 90%", "--require", text) == code


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--require", "speed <= 1"], ["--min-sequence", "-1"], ["--min-sequence", "x"], ["--trust", "A" * 64],
        ["--expect-input", ""], ["--signatures", "1"], ["--nope"], ["twice"],
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_read_is_a_usage_error(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([str(folder), *arguments] if arguments else [])
    assert left.value.code == 2


def test_the_verdict_says_what_it_is_about(folder: Path) -> None:
    number(folder, 4)
    said, line = predicate(folder), verdict(folder)[1]
    assert (line["sequence"], line["supersedes"]) == (4, OLDER)
    assert (line["input"], line["output"]) == (said["input"]["manifest"], said["output"]["manifest"])
    assert line["spec"] == said["spec"]["blob"]


def test_every_acceptance_says_what_it_does_not_certify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    *_, last = told = capsys.readouterr().out.splitlines()
    assert last.startswith("Accepted")
    text = " ".join(told)
    for word in ("speed", "energy", "robustness", "fairness", "backdoors", "logs"):
        assert word in text
    assert code_of(folder, "--expect-input", "0" * 64) == "V19"
    assert main([str(folder), "--expect-input", "0" * 64]) == 4
    assert "Not certified" not in capsys.readouterr().out  # a rejection certifies nothing at all


def test_text_of_a_certificate_cannot_steer_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lie = "\x1b[2Jaccepted\u202e"
    edit(folder, lambda s: s["predicate"]["claims"][0].update(text=lie))
    assert code_of(folder) == "V18"
    assert main([str(folder)]) == 4
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert reason_of(folder)


def test_a_run_json_that_never_ends_stops_nobody(folder: Path) -> None:
    os.mkfifo(folder / "run.json")
    assert code_of(folder) == ""
    (folder / "run.json").unlink()
    for path, code in (("/dev/zero", "V01"), ("input.safetensors", ""), ("../missing", "V01"), (7, "")):
        (folder / "run.json").write_text(json.dumps({"input": path}), encoding="utf-8")
        assert code_of(folder) == code
