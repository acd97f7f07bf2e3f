"""The table of operators: whatever arguments stand in a graph, an operation is typed or rejected, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier.net import Operation, Sort, parse_operation
from surgdsl.verifier.operations import CATALOGUE, call_of, check_type, macs, related
from surgdsl.verifier.operations.letters import Sets, Shape
from surgdsl.verifier.reject import Reject

Kept = tuple[int, ...]
HOUSE = Path(__file__).resolve().parents[2]
TABLE = HOUSE / "surgdsl" / "verifier" / "operations" / "operators.txt"
DTYPES = ("F32", "F32", "F32", "I64", "BOOL", "F16")
FLOATS = [{"float": text} for text in ((0.5).hex(), "inf", "-inf", (1e-300).hex(), (2.0).hex(), (0.0).hex())]
EQUATIONS = ("ij,jk->ik", "bij,bjk->bik", "...i,...j->...ij", "ii->i", "a,b", "", "i j , j k -> i k", "*,*->*")
TEXTS = ("none", "same", "constant", "constant", *EQUATIONS)


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
        "flag": chance.random() < 0.5, "off": False, "text": chance.choice(TEXTS),
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
        key = key.partition("=")[2] or key.rstrip("!")
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
        try:
            _, sorts, _ = call_of(operation, wires)
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


RARE = (
    "lstm", "gru", "rnn_tanh", "rnn_relu", "conv", "conv_transpose", "max_pool", "avg_pool", "bilinear", "gather",
    "im2col", "col2im", "slice_scatter", "index_put", "transformers", "rms_norm",
)  # fmt: skip
"""Calls of so many conditions that none fits by chance; tests/cli and tests/verifier/test_typing.py have them."""


def test_the_page_holds_the_table() -> None:
    page = (HOUSE / "docs" / "operators.md").read_text(encoding="utf-8")
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert "\n".join(rows).strip() in page


def cut(name: str, attributes: dict[str, Any], sorts: tuple[list[Shape], list[Shape]], kept: list[Sets]) -> bool:
    """Whether an operation and its restriction are related; attributes and shapes are given before and after."""
    (before, after), operations = sorts, list[Operation]()
    sides = [{f"w{at}": Sort("F32", shape) for at, shape in enumerate(shapes)} for shapes in (before, after)]
    for number, wires in enumerate(sides):
        given: dict[str, Any] = {k: v[number] if isinstance(v, tuple) else v for k, v in attributes.items()}
        count = given.pop("count", 1)
        raw: dict[str, Any] = {"op": f"aten.{name}", "attributes": [[k, v] for k, v in sorted(given.items())]}
        raw |= {"sources": list(wires)[:count], "targets": list(wires)[count:]}
        operations.append(parse_operation(raw, wires, ""))
        check_type(operations[-1], wires)
    return related(operations[0], operations[1], (sides[0], sides[1]), {f"w{at}": row for at, row in enumerate(kept)})


@pytest.mark.parametrize(
    ("whole", "parts", "agree"),
    [
        ((0, 3, 4), [(0,), (1, 2)], True),
        ((0, 3, 4), [(0,), (0, 2)], False),
        ((0, 1, 4), [(0, 1), (2,)], True),
        ((0, 3, 4), [(1,), (1, 2)], False),
    ],
)
def test_pieces_keep_what_the_whole_keeps(whole: Kept, parts: list[Kept], agree: bool) -> None:
    sizes = [len(part) for part in parts]
    shapes: list[Shape] = [(len(whole),), *((size,) for size in sizes)]
    attributes = {"split_sizes": ([2, 3], sizes), "dim": 0}
    kept: list[Sets] = [(whole,), *((part,) for part in parts)]
    assert cut("split_with_sizes.default", attributes, ([(5,), (2,), (3,)], shapes), kept) is agree


@pytest.mark.parametrize(("start", "agree"), [(1, True), (0, False)])
def test_a_slice_starts_where_it_started(start: int, agree: bool) -> None:
    attributes = {"dim": 0, "start": (2, start), "end": (5, start + 2), "step": 1}
    assert cut("slice.Tensor", attributes, ([(6,), (3,)], [(4,), (2,)]), [((1, 2, 4, 5),), ((0, 2),)]) is agree


def test_a_dimension_without_end_is_not_listed() -> None:
    attributes = {"dim": 0, "start": (0, 0), "end": (2**36, 2**36), "step": 1}
    shapes: list[Shape] = [(2**36 + 1,), (2**36,)]
    with pytest.raises(Reject, match="V20"):
        cut("slice.Tensor", attributes, (shapes, shapes), [((1, 2),), (None,)])


GATES = tuple(8 * gate + unit for gate in range(4) for unit in (1, 2, 5))


@pytest.mark.parametrize(("rows", "agree"), [(GATES, True), (tuple(sorted({*GATES, 3} - {1})), False)])
def test_every_gate_keeps_the_same_units(rows: Kept, agree: bool) -> None:
    attributes: dict[str, Any] = {
        "batch_first": True, "bidirectional": False, "dropout": {"float": (0.0).hex()}, "has_biases": False,
        "hx": {"tensors": 2}, "num_layers": 1, "params": {"tensors": 2}, "train": False, "count": 5,
    }  # fmt: skip
    units = (1, 2, 5)
    shapes: list[list[Shape]] = [
        [("B", 4, 6), (1, "B", n), (1, "B", n), (4 * n, 6), (4 * n, n), ("B", 4, n), (1, "B", n), (1, "B", n)]
        for n in (8, 3)
    ]
    state: Sets = (None, None, units)
    kept: list[Sets] = [(None,) * 3, state, state, (rows, None), (GATES, units), state, state, state]
    assert cut("lstm.input", attributes, (shapes[0], shapes[1]), kept) is agree


@pytest.mark.parametrize(
    ("scale", "width", "agree"),
    [(None, (0, 2), False), (0.5, (0, 2), True), (1 / 2**0.5, (0, 2), False), (None, None, True), (0.5, None, True)],
)
def test_attention_keeps_its_scale(scale: float | None, width: Kept | None, agree: bool) -> None:
    """1/√4 of the width that it had."""
    written = {"none": True} if scale is None else {"float": scale.hex()}
    attributes: dict[str, Any] = {
        "attn_mask": {"none": True}, "dropout_p": {"float": (0.0).hex()}, "enable_gqa": False, "is_causal": False,
        "scale": ({"none": True}, written), "count": 3,
    }  # fmt: skip
    narrow = len(width or range(4))
    sides: list[list[Shape]] = [[("B", 2, e), ("B", 3, e), ("B", 3, 4), ("B", 2, 4)] for e in (4, narrow)]
    kept: list[Sets] = [(None, None, width), (None, None, width), (None,) * 3, (None,) * 3]
    assert cut("scaled_dot_product_attention.default", attributes, (sides[0], sides[1]), kept) is agree


@pytest.mark.parametrize(("queries", "agree"), [((0, 2), True), ((1, 2), True), ((0, 1), False)])
def test_heads_of_queries_stay_with_their_group(queries: Kept, agree: bool) -> None:
    attributes: dict[str, Any] = {
        "attn_mask": {"none": True}, "dropout_p": {"float": (0.0).hex()}, "enable_gqa": True, "is_causal": True,
        "scale": {"none": True}, "count": 3,
    }  # fmt: skip
    sides: list[list[Shape]] = [[("B", h, 3, 4), ("B", 2, 3, 4), ("B", 2, 3, 4), ("B", h, 3, 4)] for h in (4, 2)]
    kept: list[Sets] = [(None, queries, None, None), (None,) * 4, (None,) * 4, (None, queries, None, None)]
    assert cut("scaled_dot_product_attention.default", attributes, (sides[0], sides[1]), kept) is agree


@pytest.mark.parametrize(("kept", "groups", "agree"), [((2, 3), 1, True), ((0, 3), 1, False), ((2, 3), 2, False)])
def test_groups_of_a_norm_are_kept_whole(kept: Kept, groups: int, agree: bool) -> None:
    attributes: dict[str, Any] = {
        "cudnn_enabled": False, "eps": {"float": (0.5).hex()}, "num_groups": (3, groups), "count": 3,
    }  # fmt: skip
    sides: list[list[Shape]] = [[("B", c), (c,), (c,), ("B", c)] for c in (6, 2)]
    sets: list[Sets] = [(None, kept), (kept,), (kept,), (None, kept)]
    assert cut("group_norm.default", attributes, (sides[0], sides[1]), sets) is agree
