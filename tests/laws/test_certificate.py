"""The laws of certificates: a changed one is rejected or says the same, and nothing that is read makes one fall.

Honest ones, digests, bytes and isolation have tests of their own in `tests/verifier` (43 to 48).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.execution.canonical import encode
from tests.verifier.asking import code_of, edit
from tests.verifier.conftest import job
from tests.verifier.forge import Forge, canon
from tests.verifier.test_bytes import small

Change = Callable[[Any, Any], object]
FOUND = {"graph", "manifest"}


@frozen
class Mutant:
    """One change at one place of a statement."""

    path: tuple[str | int, ...]
    kind: str

    def carry_out(self, statement: Any) -> None:
        """Change the statement."""
        holder = statement
        for key in self.path[:-1]:
            holder = holder[key]
        CHANGES[self.kind](holder, self.path[-1])


def other(text: str) -> str:
    return text[:-1] + ("1" if text.endswith("0") else "0")


def exchanged(rows: list[Any]) -> list[Any]:
    return [rows[-1], *rows[1:-1], rows[0]]


CHANGES: dict[str, Change] = {
    "edit a flag": lambda at, key: at.__setitem__(key, not at[key]),
    "edit a number": lambda at, key: at.__setitem__(key, at[key] + 1),
    "edit a text": lambda at, key: at.__setitem__(key, other(at[key])),
    "rename a key": lambda at, key: at.__setitem__(f"{key}x", at.pop(key)),
    "delete an entry": lambda at, key: at[key].pop(),
    "repeat an entry": lambda at, key: at[key].append(copy.deepcopy(at[key][-1])),
    "exchange entries": lambda at, key: at.__setitem__(key, exchanged(at[key])),
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value of a statement with where it stands, but the whole."""
    held = cast("dict[str, Any] | list[Any]", value) if isinstance(value, dict | list) else []
    for key, entry in held.items() if isinstance(held, dict) else enumerate(held):
        yield (*path, key), entry
        yield from places(entry, (*path, key))


def kinds(path: tuple[str | int, ...], value: Any) -> Iterator[str]:
    leaves = {bool: "edit a flag", int: "edit a number", str: "edit a text"}
    if type(value) in leaves:
        yield leaves[type(value)]
    if isinstance(path[-1], str):
        yield "rename a key"
    rows = cast("list[Any]", value) if isinstance(value, list) else []
    if rows:
        yield from ("delete an entry", "repeat an entry")
    if rows and exchanged(rows) != rows:
        yield "exchange entries"


def mutants(statement: Any) -> list[Mutant]:
    """All of them, in the order of the statement."""
    return [Mutant(path, kind) for path, value in places(statement) for kind in kinds(path, value)]


def content(statement: Any) -> Any:
    """What an accepted statement says: of which bytes, and what each step does to nets, weights and metrics.

    Its claims are left out. They are recounted and not compared with a text, so another one that is true of the same
    content may stand there; which claims must stand there is for the auditor to say.
    """
    predicate = statement["predicate"]
    states = ("graphBefore", "graphAfter", "manifestBefore", "manifestAfter", "before", "after", "rule", "match")
    return (
        {canon(row) for row in statement["subject"]},
        [{key: predicate[side][key] for key in FOUND} for side in ("input", "output")],
        predicate["boundary"],
        [{key: step[key] for key in states} for step in predicate["steps"]],
    )


def statement_of(folder: Path) -> Any:
    return json.loads((folder / "certificate" / "cert.json").read_bytes())


def survives(folder: Path, mutant: Mutant) -> bool:
    """Whether the certificate, changed and with every digest recomputed, is accepted; it is put back afterwards."""
    path = folder / "certificate" / "cert.json"
    data = path.read_bytes()
    try:
        edit(folder, mutant.carry_out)
    except (KeyError, TypeError, AttributeError, ValueError):  # no longer of a form in which digests can be recomputed
        edit(folder, mutant.carry_out, reseal=False)
    accepted = code_of(folder) == ""
    changed = path.read_bytes()
    path.write_bytes(data)
    assert not accepted or content(json.loads(changed)) == content(json.loads(data)), mutant
    return accepted


def test_every_mutation_is_rejected_or_says_the_same(tmp_path: Path) -> None:
    """Every leaf edited, every key renamed, every list shortened, lengthened and reordered; digests recomputed."""
    folder = small().write(tmp_path / "small")
    found = mutants(statement_of(folder))
    accepted = [mutant for mutant in found if survives(folder, mutant)]
    assert len(found) > 250
    assert 0 < len(accepted) < len(found) // 10
    assert code_of(folder) == ""


@cache
def whole(folder: Path) -> tuple[Path, list[Mutant]]:
    """A certificate of every rule, and all its mutants."""
    written = job().write(folder / "job")
    return written, mutants(statement_of(written))


@given(st.data())
def test_mutation(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """The same, for any place in a certificate of every rule."""
    folder, found = whole(tmp_path_factory.getbasetemp())
    survives(folder, data.draw(st.sampled_from(found)))


JSON = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_arbitrary_json_never_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Anything in place of any part of a statement, or of all of it, is rejected by its code."""
    folder, _ = whole(tmp_path_factory.getbasetemp())
    path = folder / "certificate" / "cert.json"
    before = path.read_bytes()
    statement = json.loads(before)
    where, old = data.draw(st.sampled_from([((), None), *places(statement)]))
    new = data.draw(JSON)
    if where:
        holder = statement
        for key in where[:-1]:
            holder = holder[key]
        holder[where[-1]] = new
    path.write_bytes(canon(statement if where else new))
    code = code_of(folder)
    path.write_bytes(before)
    assert code or new == old


@given(JSON)
def test_roundtrip(value: Any) -> None:
    """Canonical bytes are read back as the value that was written, and written again as the same bytes."""
    try:
        data = encode(value)
    except ValueError:
        return
    assert json.loads(data) == value
    assert encode(json.loads(data)) == data == canon(value)


@pytest.mark.parametrize("build", [small, job])
def test_honest_accepted(build: Callable[[], Forge], tmp_path: Path) -> None:
    assert code_of(build().write(tmp_path / "honest")) == ""
