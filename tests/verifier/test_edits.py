"""The statement edited, every hash recomputed: only the check of the thing itself can catch it, by its own code."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.asking import code_of, edit
from tests.verifier.forge import canon, sha

Statement = dict[str, Any]


def steps(statement: Statement) -> list[Any]:
    return statement["predicate"]["steps"]


def renumber(statement: Statement) -> None:
    for index, step in enumerate(steps(statement)):
        step["index"] = index


def forged(metric: int, side: str, by: int) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        row = steps(statement)[2][side][metric]
        row["value"] = str(int(row["value"]) + by)

    return change


def relinked(order: list[int]) -> Callable[[Statement], None]:
    """Other steps in other places, with every link between neighbours repaired too."""

    def change(statement: Statement) -> None:
        old = steps(statement)
        statement["predicate"]["steps"] = [dict(old[at]) for at in order]
        renumber(statement)
        rows = steps(statement)
        for before, after in pairwise(rows):
            after["graphBefore"], after["manifestBefore"], after["before"] = (
                before[k] for k in ("graphAfter", "manifestAfter", "after")
            )

    return change


def put(value: Any, *path: Any) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        at: Any = statement["predicate"]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value(at[path[-1]]) if callable(value) else value

    return change


def widened(wires: list[Any]) -> list[Any]:
    return [{**wire, "shape": [*wire["shape"][:-1], 9]} if "B" in wire["shape"] else wire for wire in wires]


def doubled(rows: list[Any]) -> list[Any]:
    return [*rows, *rows]


def drop_step(statement: Statement) -> None:
    del steps(statement)[3]
    renumber(statement)


def repeat_step(statement: Statement) -> None:
    steps(statement).insert(3, dict(steps(statement)[3]))
    renumber(statement)


def swap_steps(statement: Statement) -> None:
    rows = steps(statement)
    rows[4], rows[5] = rows[5], rows[4]
    renumber(statement)


def twice(statement: Statement) -> None:
    rows = steps(statement)[0]["match"]["wires"]
    rows[0][1] = rows[1][1]


def on_deleted(operations: list[Any]) -> list[Any]:
    return [{**operation, "sources": ["l1" for _ in operation["sources"]]} for operation in operations]


def other_keep(statement: Statement) -> None:
    put([0, 1], "steps", 0, "arguments", "keep")(statement)
    put(["9", "9", "1", "1"], "steps", 0, "arguments", "scores")(statement)


def other_subject(statement: Statement) -> None:
    statement["subject"][0]["digest"]["surgManifestV1"] = "0" * 64


ZERO = {"apply": "div", "terms": [{"number": "1"}, {"number": "0"}]}
EDITS: list[tuple[str, str, Callable[[Statement], None]]] = [
    ("a metric after, forged low", "V13", forged(0, "after", -1)),
    ("a metric before, forged high", "V13", forged(2, "before", 1)),
    ("a forged size", "V13", forged(3, "after", -8)),
    ("a rise that nobody announced", "V13", put(["size/1"], "steps", 3, "mayRaise")),
    ("a step removed", "V06", drop_step),
    ("a step removed and the links repaired", "V13", relinked([0, 1, 2, 3, 4, 6])),
    ("a step repeated", "V06", repeat_step),
    ("a step repeated and the links repaired", "V11", relinked([0, 1, 2, 3, 3, 4, 5, 6])),
    ("two steps swapped", "V06", swap_steps),
    ("steps of two names swapped, links repaired", "V14", relinked([0, 1, 3, 2, 4, 5, 6])),
    ("an index that repeats", "V05", put(0, "steps", 1, "index")),
    ("the last step cut off", "V06", lambda st: steps(st).pop() and None),
    ("a graph digest of a state", "V06", put("0" * 64, "steps", 2, "graphAfter")),
    ("a manifest digest of the input", "V06", put("0" * 64, "input", "manifest")),
    ("an output digest", "V06", put("0" * 64, "output", "graph")),
    ("a rule under another name", "V14", put("mask/1", "steps", 1, "rule")),
    ("a rule that is not listed", "V14", put("recover/2", "steps", 1, "rule")),
    ("a step that nobody asked for", "V14", put([], "obligations")),
    ("a reduce step that names another metric", "V14", put("macs/1", "steps", 0, "reduces")),
    ("an output shape on the boundary", "V16", put(["B", 4], "boundary", "outputs", 0, "shape")),
    ("two interfaces of one name", "V03", put(doubled, "interfaces")),
    ("facts out of order", "V03", put([["b", ""], ["a", ""]], "facts")),
    ("an interface that is not there", "V16", put(["B", 4], "interfaces", 0, "outputs", 0, "shape")),
    ("a weight's wire in L of another shape", "V09", put([4, 9], "steps", 0, "left", "wires", 0, "shape")),
    ("a wire in L of another shape", "V11", put(widened, "steps", 0, "left", "wires")),
    ("a match that is not injective", "V11", twice),
    ("a match that is not total", "V11", lambda st: steps(st)[0]["match"]["operations"].pop() and None),
    ("local ids out of order", "V10", put("l99", "steps", 0, "left", "wires", 0, "id")),
    ("an operation of R on a deleted wire", "V10", put(on_deleted, "steps", 2, "right", "operations")),
    ("an unsorted index list", "V14", put([2, 0], "steps", 0, "arguments", "indices", 0)),
    ("a repeated index", "V14", put([0, 0], "steps", 0, "arguments", "indices", 0)),
    ("an index out of range", "V14", put([0, 4], "steps", 0, "arguments", "indices", 0)),
    ("a keep that the scores do not choose", "V14", put(["1", "9", "9", "1"], "steps", 0, "arguments", "scores")),
    ("a keep that is nothing kept", "V14", other_keep),
    ("an argument that the rule does not have", "V03", put("x", "steps", 0, "arguments", "extra")),
    ("an unknown field", "V03", put(1, "metric")),
    ("an unknown field with another case", "V02", put(1, "Metrics")),
    ("another _type", "V03", lambda st: st.update({"_type": "https://in-toto.io/Statement/v2"})),
    ("_type further down", "V03", lambda st: st["predicate"].update({"_type": "x"})),
    ("another metric", "V03", put("params/2", "metrics", 2)),
    ("true for one", "V03", put(True, "steps", 1, "index")),
    ("an inflated binding", "V03", put([["B", 1], ["C", 1]], "binding")),
    ("macs at another binding", "V13", put([["B", 2]], "binding")),
    ("a claim that does not hold", "V18", put("1/100", "claims", 0, "counted", "right", "terms", 0, "number")),
    ("a claim that divides by zero", "V18", put(ZERO, "claims", 0, "counted", "right")),
    ("a claim that is not strict", "V18", put("<", "claims", 2, "measured", "relation")),
    ("a bound forged low", "V17", put("1/10", "claims", 3, "measured", "bound")),
    ("a confidence beyond the evidence", "V17", put("999/1000", "claims", 3, "measured", "confidence")),
    ("a confidence of one", "V18", put("1", "claims", 3, "measured", "confidence")),
    ("a limit that the bound passes", "V18", put("1/6", "claims", 3, "measured", "limit")),
    ("a rational that is not in lowest terms", "V03", put("2/80", "claims", 2, "measured", "limit")),
    ("a subject that is another model", "V06", other_subject),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "change"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_an_edit_of_the_statement_with_all_hashes_recomputed(
    expected: str, change: Callable[[Statement], None], folder: Path
) -> None:
    assert code_of(edit(folder, change)) == expected


@pytest.mark.parametrize("path", [("seal",), ("head",), ("steps", 2, "chain")])
def test_a_digest_that_was_not_recomputed(path: tuple[Any, ...], folder: Path) -> None:
    change = put("0" * 64, *path)
    assert code_of(edit(folder, change, reseal=False)) == "V04"


@pytest.mark.parametrize("path", [("head",), ("steps", 6, "chain")])
def test_a_chain_that_is_wrong_under_a_right_seal(path: tuple[Any, ...], folder: Path) -> None:
    def change(statement: Statement) -> None:
        put("0" * 64, *path)(statement)
        statement["predicate"].pop("seal")
        statement["predicate"]["seal"] = sha(b"surg-seal-v1\0" + canon(statement))

    assert code_of(edit(folder, change, reseal=False)) == "V05"
