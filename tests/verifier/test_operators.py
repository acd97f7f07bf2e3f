"""The table of operators: whatever arguments stand in a graph, an operation is typed or rejected, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier.net import Sort, parse_operation
from surgdsl.verifier.operations import CATALOGUE, check_type, macs, related
from surgdsl.verifier.reject import Reject

HOUSE = Path(__file__).resolve().parents[2]
TABLE = HOUSE / "surgdsl" / "verifier" / "operations" / "operators.txt"
DTYPES = ("F32", "F32", "F32", "I64", "BOOL", "F16")
FLOATS = [{"float": text} for text in ((0.5).hex(), "inf", "-inf", (1e-300).hex(), (2.0).hex(), (0.0).hex())]
EQUATIONS = ("ij,jk->ik", "bij,bjk->bik", "...i,...j->...ij", "ii->i", "a,b", "", "i j , j k -> i k", "*,*->*")


def value(chance: random.Random, kind: str) -> Any:
    """A value of a kind, or now and then of another."""
    base = kind.rstrip("?")
    if chance.random() < 0.03:
        return chance.choice([{"none": True}, 1, "x", [], [[1]], {"extent": "B"}, {"tensors": 1}, True, *FLOATS])
    if base != kind and chance.random() < 0.3:
        return {"none": True}
    size: list[Any] = [chance.randint(-2, 6), chance.randint(1, 4), {"extent": "B"}, {"extent": "2*B+1"}]
    one: dict[str, Any] = {
        "int": chance.randint(-3, 6), "size": chance.choice(size), "number": chance.choice([2, *FLOATS]),
        "flag": chance.random() < 0.5, "off": False, "text": chance.choice(["none", "same", "tanh", *EQUATIONS]),
        "dtype": "torch.float32", "none": {"none": True}, "any": {"none": True}, "dims": chance.randint(-3, 3),
    }  # fmt: skip
    one["operand"] = chance.choice([one["size"], one["number"]])
    if base in one:
        return one[base]
    return [value(chance, base[:-1]) for _ in range(chance.randint(0, 4))]


def drawn(chance: random.Random, name: str) -> tuple[Any, dict[str, Sort]]:
    """An operation with random sources, attributes and targets."""
    attributes, wires, sources = dict[str, Any](), dict[str, Sort](), list[str]()
    rank, plain = chance.randint(0, 5), chance.random() < 0.5
    for item in CATALOGUE[name].schema.split():
        key, _, kind = item.partition(":")
        key = key.partition("=")[2] or key
        if kind:
            attributes[key] = value(chance, kind)
            continue
        mark, key = ("", key) if key[-1].isalnum() else (key[-1], key[:-1])
        count = 1
        if mark in ("?", "/") and mark and chance.random() < 0.3:
            attributes[key], count = {"none": True} if mark == "?" else value(chance, "operand"), 0
        if mark == "*":
            count = chance.randint(0, 3)
            attributes[key] = {"tensors": count}
        if mark == "%":
            attributes[key] = [chance.choice([{"none": True}, {"tensors": 1}]) for _ in range(chance.randint(0, 3))]
            count = sum("tensors" in item for item in attributes[key])
        for _ in range(count):
            sources.append(f"x{len(sources)}")
            depth = rank if chance.random() < 0.6 else chance.randint(0, 4)
            shape = tuple(4 if plain else chance.choice([1, 2, 4, "B", "2*B"]) for _ in range(depth))
            wires[sources[-1]] = Sort("F32" if plain else chance.choice(DTYPES), shape)
    targets = [f"y{at}" for at in range(chance.choice([1, 1, 1, 2, 3]))]
    wires |= {target: Sort("F32", (4,)) for target in targets}
    raw = {"op": name, "attributes": [[k, v] for k, v in sorted(attributes.items())], "sources": sources}
    return parse_operation({**raw, "targets": targets}, wires, ""), wires


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_arguments_break_it(name: str) -> None:
    """What is typed is also counted, and related to itself when nothing is cut."""
    chance, typed = random.Random(name), 0  # noqa: S311 - it only has to repeat
    for _ in range(400):
        operation, wires = drawn(chance, name)
        signature = CATALOGUE[name]
        try:
            sorts = signature.type(signature.bind(operation, wires))
        except Reject:
            continue
        made = wires | {f"y{at}": sort for at, sort in enumerate(sorts)}
        raw = {**operation.raw, "sources": operation.sources, "targets": [f"y{at}" for at in range(len(sorts))]}
        whole = parse_operation(raw, made, "")
        check_type(whole, made)
        typed += 1
        assert macs(whole, made, {"B": 3}) >= 0
        assert related(whole, whole, (made, made), {wire: (None,) * len(sort.shape) for wire, sort in made.items()})
    assert typed > 0 or name.removeprefix("aten.").split(".")[0].rstrip("123d") in RARE


RARE = ("lstm", "gru", "rnn_tanh", "rnn_relu", "conv", "conv_transpose", "max_pool", "avg_pool", "bilinear", "gather")
"""Calls of so many conditions that none fits by chance; tests/cli and tests/verifier/test_typing.py have them."""


def test_the_page_holds_the_table() -> None:
    page = (HOUSE / "docs" / "operators.md").read_text(encoding="utf-8")
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert "\n".join(rows).strip() in page
