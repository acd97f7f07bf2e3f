"""Asking the verifier through its only door, the command, and reading the verdict from its last line."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surgdsl.verifier.main import main
from tests.verifier.forge import Forge, canon, sealed, sha

Edit = Callable[[dict[str, Any]], None]


def verdict(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the verdict line."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([str(folder), "--json", *arguments])
    return code, json.loads(out.getvalue().splitlines()[-1])


def code_of(folder: Path, *arguments: str) -> str:
    """ "" for an acceptance, else the rejection code; the exit code must agree."""
    exit_code, line = verdict(folder, *arguments)
    assert line["type"] == "verdict"
    assert (exit_code == 0) is line["accepted"] is ("code" not in line), line
    assert exit_code in (0, 4)
    return line.get("code", "")


def reason_of(folder: Path) -> str:
    return verdict(folder)[1]["reason"]


def edit(folder: Path, change: Edit, *, reseal: bool = True) -> Path:
    """Change the statement on disk; every chain, head and seal is made to agree unless told otherwise."""
    path = folder / "certificate" / "cert.json"
    statement = json.loads(path.read_bytes())
    change(statement)
    path.write_bytes(canon(sealed(statement) if reseal else statement))
    return folder


def replace_blob(folder: Path, old: str, change: Callable[[bytes], bytes]) -> Path:
    """Change a blob, rename it to its new digest, and refer to it by that name everywhere."""
    blobs = folder / "certificate" / "blobs"
    data = change((blobs / old).read_bytes())
    (blobs / old).unlink()
    (blobs / sha(data)).write_bytes(data)
    path = folder / "certificate" / "cert.json"
    statement = json.loads(path.read_bytes().replace(old.encode(), sha(data).encode()))
    path.write_bytes(canon(sealed(statement)))
    return folder


def written(forge: Forge, folder: Path) -> Path:
    return forge.write(folder / "lie")
