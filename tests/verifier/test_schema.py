"""The notation of the closed schema, and what a certificate that leaves it is told."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier.reject import Reject
from surgdsl.verifier.schema import SCHEMA, WORDS, Schema, conform

TEXT = """
# a comment
pair = (integer, "x" | "y")
pairs = [pair] 1..2
shared = {a: -1..7, b?: pairs}   # behind it too
thing = {...shared, kind: "thing"}
  | {...shared, kind: "other", c: thing}
"""
GOOD: list[tuple[str, Any]] = [
    ("pair", [0, "x"]),
    ("pairs", [[0, "x"], [1, "y"]]),
    ("thing", {"a": -1, "kind": "thing"}),
    ("thing", {"a": 7, "b": [[5, "y"]], "kind": "other", "c": {"a": 0, "kind": "thing"}}),
]
BAD: list[tuple[str, Any, str, str]] = [
    ("pair", [0, "z"], "V03", "top[1] is not one of x, y"),
    ("pair", [0], "V03", "top is not a list of 2"),
    ("pair", [True, "x"], "V03", "top[0] is not of the form integer"),
    ("pairs", [], "V03", "top is not a list of at least 1 items"),
    ("pairs", [[0, "x"]] * 3, "V20", "top has more than 2 items"),
    ("shared", {"a": 8}, "V03", "top.a is not an integer in -1..7"),
    ("shared", {"a": 0, "A": 0}, "V03", "top has the unknown field A"),
    ("shared", {"b": [[0, "x"]]}, "V03", "top lacks a"),
    ("shared", [], "V03", "top is not an object"),
    ("thing", {"a": 0, "kind": "other", "c": {"a": 9, "kind": "thing"}}, "V03", "top.c.a is not an integer in -1..7"),
    ("thing", {"a": 0, "b": [[0, "x"]] * 3, "kind": "thing"}, "V20", "top.b has more than 2 items"),
]


@pytest.mark.parametrize(("word", "value"), GOOD)
def test_what_has_the_form_passes(word: str, value: Any) -> None:
    Schema(TEXT).checks[word](value, "top")


@pytest.mark.parametrize(("word", "value", "code", "reason"), BAD)
def test_what_has_another_form_is_told_where(word: str, value: Any, code: str, reason: str) -> None:
    with pytest.raises(Reject) as refused:
        Schema(TEXT).checks[word](value, "top")
    assert (code, reason) == (refused.value.code, refused.value.message)


def test_every_word_of_the_schema_is_known_and_used() -> None:
    text = (Path(__file__).parents[2] / "surgdsl" / "verifier" / "schema.txt").read_text(encoding="utf-8")
    body = re.sub(r'#.*|"[^"]*"| /\S+/|[\w]+\??:|-?\d+\.\.[\d]*', " ", text)
    used = set(re.findall(r"[\w/-]+", re.sub(r"^\S+ = ", " ", body, flags=re.MULTILINE)))
    assert used <= SCHEMA.checks.keys()
    steps = {word for word in SCHEMA.checks if word.endswith("/1")}
    assert SCHEMA.checks.keys() - used - steps == {"statement", "graph", "log", "envelope", "stored"}
    assert len(steps) == 8
    assert used >= WORDS.keys()


def test_a_large_graph_is_read_quickly() -> None:
    node = {
        "attributes": [["dim", [1, -1]], ["eps", {"float": (0.5).hex()}]],
        "op": "aten.x",
        "sources": [0],
        "targets": [1],
    }
    graph = {
        "inputs": [],
        "operations": [node] * 5000,
        "outputs": [],
        "wires": [{"dtype": "F32", "shape": [1, "B"]}] * 5000,
    }
    value = json.loads(json.dumps(graph))
    started = time.process_time()
    conform("graph", value, "graph")
    assert time.process_time() - started < 2
