"""How a case of the corpus is made: an honest certificate, one lie, and every digest, chain and seal made to agree.

Most lies are those of the other tests of the verifier, called by the names that they have there.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.verifier import surgeries as s
from tests.verifier.asking import edit
from tests.verifier.forge import Forge, canon, sha, tagged

Json = dict[str, Any]
Make = Callable[[Path], object]
Build = Callable[[], Forge]


class Case(NamedTuple):
    """One bad case: the threat that it is an instance of, what it does, the code that rejects it, how it is called.

    `only` says who can see the lie when not every verifier can: "command" for what a browser does not show, such as
    links.
    """

    threat: str
    what: str
    code: str
    make: Make
    options: tuple[str, ...] = ()
    only: str = ""

    @property
    def folder(self) -> str:
        """Its place under bad/."""
        return "-".join([self.threat, *self.what.replace("∖", " ").replace("'", "").replace(",", "").split()])


def lied(build: Build) -> Make:
    """A forge that lies writes it."""
    return lambda path: build().write(path)


def edited(build: Build, change: Callable[[Json], object], *, reseal: bool = True) -> Make:
    """The statement is changed."""

    def apply(statement: Json) -> None:
        change(statement)

    return lambda path: edit(build().write(path), apply, reseal=reseal)


def touched(build: Build, name: str, change: Callable[[bytes], bytes]) -> Make:
    """A file is changed and nothing else."""

    def make(path: Path) -> None:
        file = build().write(path) / name
        file.write_bytes(change(file.read_bytes()))

    return make


def shuffled(build: Build, change: Callable[[Path], object]) -> Make:
    """The folder is changed."""
    return lambda path: change(build().write(path))


def regraphed(build: Build, change: Callable[[Json], object]) -> Make:
    """The graph of a certificate without steps is changed, and hashed wherever it stands."""

    def make(path: Path) -> None:
        f = build()
        graph = json.loads(f.graph_blob)
        change(graph)
        f.graph_blob, f.first["graph"] = canon(graph), tagged("surg-graph-v1", graph)

        def change_output(statement: Json) -> None:
            statement["predicate"]["output"]["graph"] = f.first["graph"]

        f.write(path, change_output)

    return make


def logged(build: Build, change: Callable[[Json], object], claim: int = 0) -> Make:
    """The log of a claim is changed, its blob renamed."""

    def make(path: Path) -> None:
        f = build()
        old = f.claims[claim]["measured"]["evidence"]
        log = json.loads(f.blobs.pop(old))
        change(log)
        for row in f.claims:
            if row.get("measured", {}).get("evidence") == old:
                row["measured"]["evidence"] = f.blob(canon(log))
        f.write(path)

    return make


def headed(
    build: Build, change: Callable[[bytes, bytes], tuple[bytes, bytes]], name: str = "input.safetensors"
) -> Make:
    """The header and the body of a weight file are changed, the length made to fit."""

    def apply(data: bytes) -> bytes:
        (length,) = struct.unpack("<Q", data[:8])
        header, body = change(data[8 : 8 + length], data[8 + length :])
        return struct.pack("<Q", len(header)) + header + body

    return touched(build, name, apply)


def tabled(change: Callable[[Json], object]) -> Callable[[bytes, bytes], tuple[bytes, bytes]]:
    """The table of a header is changed."""

    def apply(header: bytes, body: bytes) -> tuple[bytes, bytes]:
        table = json.loads(header)
        change(table)
        raw = json.dumps(table, separators=(",", ":")).encode()
        return raw + b" " * (-len(raw) % 8), body

    return apply


def blobbed(build: Build, change: Callable[[Path], object]) -> Make:
    """One blob is changed on disk: the text of the specification."""

    def make(path: Path) -> None:
        f = build()
        change(f.write(path) / "certificate" / "blobs" / sha(f.spec.encode()))

    return make


def at(value: Any, *path: Any) -> Callable[[Json], None]:
    """An edit at a place of the predicate; a function changes what stands there."""

    def change(statement: Json) -> None:
        spot: Any = statement["predicate"]
        for key in path[:-1]:
            spot = spot[key]
        spot[path[-1]] = value(spot[path[-1]]) if callable(value) else value

    return change


def counting(metric: int, by: int, side: str = "after") -> Callable[[Json], None]:
    """A metric of the last step told higher or lower."""

    def change(text: str) -> str:
        return str(int(text) + by)

    return at(change, "steps", -1, side, metric, "value")


def mined(rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The lies of another test by their names."""
    return {row[0]: row for row in rows}


def told(build: Callable[[Forge], object], on: Build = s.cnn) -> Build:
    """A surgery on a net."""

    def forge() -> Forge:
        f = on()
        build(f)
        return f

    return forge
