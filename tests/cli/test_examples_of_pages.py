"""Every page of an error that needs a model or a file is a test: what it shows gives exactly its code."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from surgdsl.api import capture, restrict
from surgdsl.cli import main as front
from surgdsl.diagnostic import CODES, Refusal, page

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"where `(\w+\.py)` is")
UNPROVOKED = {
    "E0508": "no rule of this version can be asked for in a place where its pushout does not exist",
    "E0608": "it needs a result; tests/api/test_reload.py makes one",
    "E0716": "an example would be larger than the whole repository",
    "E0719": "it needs a package to be missing; tests/cli/test_sign.py lets it be",
    "E0903": "it would be a bug",
}
MODELS = [row.code for row in CODES if row.code > "E05" and row.code not in UNPROVOKED]
ANYWHERE = {"E0510", "E0701", "E0702", "E0703", "E0704", "E0707", "E0715", "E0717", "E0718", "E0901", "E0902"}
"""Codes of commands, tensors and folders; all others point into the text."""
EXIT = {"E0801": 3, "E0802": 3, "E0803": 3, "E0804": 3, "E0805": 3, "E0806": 3, "E0705": 5, "E0706": 5, "E0707": 5}


def blocks(code: str) -> dict[str, str]:
    return dict(BLOCK.findall(page(code)))


@pytest.mark.parametrize("code", [code for code in MODELS if "console" in blocks(code)])
def test_the_command_of_a_page_gives_exactly_its_code(
    code: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "secret.surg").symlink_to("secret.surg")  # cannot be read by anyone, root included
    shutil.copy("net.safetensors", "model.safetensors")
    found = blocks(code)
    if "surg" in found:
        (folder / "slim.surg").write_text(found["surg"], encoding="utf-8")
    if "python" in found:
        (named,) = NAMED.findall(page(code))
        (folder / named).write_text(found["python"], encoding="utf-8")
    for block, file in (("shared", "shared.surg"), ("lock", "surg.lock")):
        if block in found:
            (folder / file).write_text(found[block], encoding="utf-8")
    command = shlex.split(found["console"].removeprefix("$ surg "))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert front.run([*command, "--json"]) == EXIT.get(code, 1)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    refusals = [one for one in told if one["type"] == "diagnostic"]
    assert [code] == [one["code"] for one in refusals], told
    assert code in ANYWHERE or refusals[0]["path"] == "slim.surg"
    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}, "an input was touched"


@pytest.mark.parametrize("code", [code for code in MODELS if "console" not in blocks(code)])
def test_the_python_of_a_page_gives_exactly_its_code(code: str) -> None:
    assert {capture.__name__, restrict.__name__} == set(re.findall(r"surgdsl\.(\w+)", blocks(code)["python"]))
    with pytest.raises(Refusal) as refused:
        exec(blocks(code)["python"], {})  # noqa: S102 - our own page
    assert [code] == [one.code for one in refused.value.diagnostics]


def test_only_what_cannot_be_provoked_has_no_example() -> None:
    bare = {row.code for row in CODES if not {"surg", "console", "python"} & set(blocks(row.code))}
    assert set(UNPROVOKED) == bare
