"""Rules and matches that are no double pushout, one fault each; structure is judged before the schema of any rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, edit, verdict
from tests.verifier.encodings import dense
from tests.verifier.forge import Forge

SORT = ("F32", ("B", 2))


class Paper(Forge):
    """A forge that records a rewrite and does not perform it: what comes after is not reached."""

    def glue_together(
        self, left: Sequence[str], gone: list[str], wires: dict[str, Any], right: Sequence[dict[str, Any]], index: int
    ) -> None:
        """The state stays."""

    def at(self, name: str) -> str:
        return self.find(name)

    def out(self, name: str) -> str:
        return self.ops[self.at(name)]["targets"][0]

    def record(
        self, left: Sequence[str], glue: Sequence[str], new: Sequence[str], right: Sequence[dict[str, Any]]
    ) -> None:
        self.rewrite("thin", "mask/1", "nnz/1", {"keep": "1"}, left, glue, dict.fromkeys(new, SORT), right)

    def like(self, name: str, source: str, target: str) -> dict[str, Any]:
        old = self.ops[self.at(name)]
        return {"raw": old["raw"], "sources": [source, *old["sources"][1:]], "targets": [target]}


def paper() -> Paper:
    """x → linear → relu → tanh → y."""
    f = Paper()
    x = f.input("x", ("B", 2))
    y = f.op("linear.default", [x, f.param(dense("w", s.noise(2, 2)))], ("B", 2), bias={"none": True})
    y = s.same(f, "tanh", s.same(f, "relu", y))
    f.begin(("y", y), B=1)
    return f


RELU, TANH, LINEAR = "relu.default", "tanh.default", "linear.default"


def interface(f: Paper) -> None:
    mid = f.out(RELU)
    f.record([f.at(TANH)], [mid], ["n"], [f.like(TANH, mid, "n")])


def dangling(f: Paper) -> None:
    mid = f.out(LINEAR)
    f.record([f.at(RELU)], [mid], ["n"], [f.like(RELU, mid, "n")])


def loses(f: Paper) -> None:
    f.record([f.at(RELU)], [f.out(LINEAR), f.out(RELU)], [], [])


def gains(f: Paper) -> None:
    made = f.like(RELU, f.out(LINEAR), f.out(RELU))
    f.record([f.at(RELU)], [f.out(LINEAR), f.out(RELU)], [], [made, made])


def unproduced(f: Paper) -> None:
    f.record([f.at(RELU)], [f.out(LINEAR), f.out(RELU)], ["n"], [f.like(RELU, f.out(LINEAR), f.out(RELU))])


def produced_twice(f: Paper) -> None:
    made = [f.like(RELU, f.out(LINEAR), wire) for wire in ("n", "n", f.out(RELU))]
    f.record([f.at(RELU)], [f.out(LINEAR), f.out(RELU)], ["n"], made)


def twice(f: Paper) -> None:
    f.record([f.at(RELU)] * 2, [f.out(LINEAR), f.out(RELU)], [], [f.like(RELU, f.out(LINEAR), f.out(RELU))])


def round_and_round(f: Paper) -> None:
    """Every gluing condition holds, and the net that results has a cycle."""
    a, b, c = (f.out(name) for name in (LINEAR, RELU, TANH))
    f.record([f.at(RELU), f.at(TANH)], [a, b, c], [], [f.like(RELU, c, b), f.like(TANH, b, c)])


def useless(f: Paper) -> None:
    """What is created is needed by nobody."""
    a, b = f.out(LINEAR), f.out(RELU)
    f.record([f.at(RELU)], [a, b], ["n"], [f.like(RELU, a, b), f.like(TANH, b, "n")])


def ill_typed(f: Paper) -> None:
    right = [f.like(RELU, f.out(LINEAR), "n"), f.like(TANH, "n", f.out(RELU))]
    wide = {"n": ("F32", ("B", 3))}
    f.rewrite("fold", "mask/1", "nnz/1", {"keep": "1"}, [f.at(RELU)], [f.out(LINEAR), f.out(RELU)], wide, right)


def in_name_only(f: Paper) -> None:
    a, b = f.out(LINEAR), f.out(RELU)
    f.record([f.at(RELU)], [a, b], [], [f.like(TANH, a, b)])


FAULTS: list[tuple[str, str, Callable[[Paper], None]]] = [
    ("an output would be deleted", "V11: interface", interface),
    ("a reader would dangle", "V11: dangling", dangling),
    ("K loses a producer", "V11: K loses", loses),
    ("K gains a producer", "V11: K loses or gains", gains),
    ("a created wire is never produced", "V11: a created", unproduced),
    ("a created wire is produced twice", "V11: a created", produced_twice),
    ("one operation matched twice", "V11: the match is not injective", twice),
    ("a cycle results", "V12: the net has a cycle", round_and_round),
    ("a dead operation results", "V12: an operation is needed by no output", useless),
    ("a created operation is ill-typed", "V09: the target", ill_typed),
    ("a rule in name only", "V14: the rule takes a param", in_name_only),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_what_is_no_pushout_is_refused(expected: str, fault: Callable[[Paper], None], tmp_path: Path) -> None:
    f = paper()
    fault(f)
    line = verdict(f.write(tmp_path / "lie"))[1]
    assert f"{line['code']}: {line['reason'].partition(': ')[2]}".startswith(expected)


def first(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def apply(statement: dict[str, Any]) -> None:
        change(statement["predicate"]["steps"][0])

    return apply


def deleted(step: dict[str, Any]) -> str:
    return next(wire["id"] for wire in step["left"]["wires"] if wire["id"] not in step["glue"]["wires"])


def relu(step: dict[str, Any]) -> dict[str, Any]:
    return next(op for op in step["left"]["operations"] if "relu" in op["op"])


def crossed(step: dict[str, Any]) -> None:
    rows = step["match"]["operations"]
    rows[0][1], rows[1][1] = rows[1][1], rows[0][1]


FORMS: list[tuple[str, str, Callable[[dict[str, Any]], object]]] = [
    ("K names a wire that L lacks", "V10", lambda step: step["glue"]["wires"].append("l99")),
    ("K names a wire twice", "V10", lambda step: step["glue"]["wires"].append(step["glue"]["wires"][-1])),
    ("K out of order", "V10", lambda step: step["glue"]["wires"].reverse()),
    ("K names an operation", "V10", lambda step: step["glue"]["operations"].append("l0")),
    ("R numbered from one", "V10", lambda step: step["right"]["wires"][0].update(id="r9")),
    ("R names a wire of L∖K", "V10", lambda step: step["right"]["operations"][0].update(targets=[deleted(step)])),
    ("L names a wire of R", "V10", lambda step: step["left"]["operations"][0].update(sources=["r0"])),
    ("a match out of order", "V11", lambda step: step["match"]["wires"].reverse()),
    ("a match into nowhere", "V11", lambda step: step["match"]["wires"][0].__setitem__(1, "w99")),
    ("operations matched crosswise", "V11", crossed),
    ("L labelled otherwise", "V11", lambda step: relu(step).update(op="aten.tanh.default")),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "change"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_rule_or_match_that_is_malformed_is_refused(
    expected: str, change: Callable[[dict[str, Any]], object], folder: Path
) -> None:
    assert code_of(edit(folder, first(change))) == expected


def test_a_rule_for_one_weight_takes_one(tmp_path: Path) -> None:
    f = s.mlp()
    ids = [f.named(name) for name in ("fc1.weight", "fc2.weight")]
    made = [dense(f.weight(i).base, f.weight(i).decoded, np.abs(f.weight(i).decoded) > 0.5) for i in ids]
    wires = [f.ops[i]["targets"][0] for i in ids]
    right = [f.param_op(weight, "parameter", wire) for weight, wire in zip(made, wires, strict=True)]
    f.rewrite("sparse", "mask/1", "nnz/1", {"keep": "1"}, ids, wires, {}, right)
    assert code_of(f.write(tmp_path / "lie")) == "V14"


def test_a_linear_with_three_dimensions_is_not_folded(tmp_path: Path) -> None:
    """The norm's channels are then the second dimension, not the features."""
    f = Forge()
    x = f.input("x", ("B", 4, 5))
    f.begin(("y", s.norm(f, s.linear(f, x, "fc", 4), "bn")), B=1)
    declaring.fold(f, declaring.LINEAR_FOLD, "linear.default")
    assert code_of(f.write(tmp_path / "lie")) == "V14"


def test_a_fold_swallows_nothing_else(tmp_path: Path) -> None:
    """The relu behind the norm vanishes with it."""
    f = s.cnn()
    relu = f.find("relu.default")
    declaring.fold(f, swallow=[relu], moved={"y": f.ops[relu]["targets"][0]})
    assert code_of(f.write(tmp_path / "lie")) == "V14"


def test_an_encoded_weight_is_not_folded(tmp_path: Path) -> None:
    f = s.cnn()
    s.quantize(f, "conv1.weight", 3)
    declaring.fold(f)
    assert code_of(f.write(tmp_path / "lie")) == "V14"
