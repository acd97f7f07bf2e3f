"""Cuts that fit in every shape and digest, and are no cuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, reason_of
from tests.verifier.conftest import KEEP, SCORES, cut
from tests.verifier.encodings import codebook, dense
from tests.verifier.forge import Forge

Made = dict[str, Any]
Remake = Callable[[Forge, Made], Made]


def is_op(made: Made, name: str) -> bool:
    return name in made["raw"]["op"]


def base(f: Forge, made: Made) -> str:
    return f.weights[made["key"]].base if "key" in made else ""


def other_operation(_: Forge, made: Made) -> Made:
    return {**made, "raw": {**made["raw"], "op": "aten.tanh.default"}} if is_op(made, "relu") else made


def other_attribute(_: Forge, made: Made) -> Made:
    if not is_op(made, "batch_norm"):
        return made
    rows = [[key, {"float": (0.5).hex()} if key == "eps" else value] for key, value in made["raw"]["attributes"]]
    return {**made, "raw": {**made["raw"], "attributes": rows}}


def statistics_swapped(_: Forge, made: Made) -> Made:
    """The norm reads its mean where its weight was."""
    if not is_op(made, "batch_norm"):
        return made
    x, weight, bias, mean, var = made["sources"]
    return {**made, "sources": [x, mean, bias, weight, var]}


def renamed(f: Forge, made: Made) -> Made:
    if base(f, made) != "bn.bias":
        return made
    return f.param_op(dense("bn.shift", f.weights[made["key"]].decoded), "parameter", made["targets"][0])


def other_role(f: Forge, made: Made) -> Made:
    if base(f, made) != "bn.bias":
        return made
    return f.param_op(f.weights[made["key"]], "buffer", made["targets"][0])


def encoded(f: Forge, made: Made) -> Made:
    if base(f, made) != "conv1.weight":
        return made
    return f.param_op(codebook("conv1.weight", f.weights[made["key"]].decoded, 2), "parameter", made["targets"][0])


REMADE: list[tuple[str, str, Remake]] = [
    ("a cut that does nothing else", "", lambda _, made: made),
    ("another operation", "V14: `aten.relu.default` becomes another", other_operation),
    ("another attribute", "V14: `aten.batch_norm.default` changes an attribute", other_attribute),
    (
        "other wires",
        "V14: R has not one wire for each that shrinks and one operation for each of L, wired alike",
        statistics_swapped,
    ),
    ("another name", "V14: `bn.bias` changes its name", renamed),
    ("another role", "V14: `bn.bias` changes its name or its role", other_role),
    ("another encoding", "V14: `conv1.weight` changes its encoding", encoded),
]


@pytest.mark.parametrize(("expected", "remake"), [row[1:] for row in REMADE], ids=[row[0] for row in REMADE])
def test_a_cut_that_changes_more(expected: str, remake: Remake, tmp_path: Path) -> None:
    f = s.cnn()
    s.prune(f, cut(f), KEEP, SCORES, remake=lambda made: remake(f, made))
    folder = f.write(tmp_path / "lie")
    assert code_of(folder) == expected[:3]
    if expected:
        assert expected[5:] in reason_of(folder)


Arguments = dict[str, Any]


def longer(arguments: Arguments) -> None:
    """It says that three channels stay, and two do."""
    arguments.update(keep=[0, 1, 2], indices=[[0, 1, 2]], scores=["9", "9", "9", "1"])


def on_the_edge(arguments: Arguments) -> None:
    """A kept set on a wire of K."""
    wires = {row[0] for row in arguments["kept"]}
    spare = next(f"l{at}" for at in range(99) if f"l{at}" not in wires)
    arguments["kept"].append([spare, 0, 0])


RECORDED: list[tuple[str, Callable[[Arguments], object]]] = [
    ("does not shrink to its kept sets", longer),
    ("has no place or stands there twice", on_the_edge),
    ("has no place or stands there twice", lambda a: a["kept"].append(a["kept"][0])),
    ("has no place or stands there twice", lambda a: a["kept"][0].__setitem__(1, 7)),
    ("has no place or stands there twice", lambda a: a["kept"][0].__setitem__(2, 5)),
    ("does not shrink", lambda a: a["kept"].pop()),
    ("is used nowhere", lambda a: a["indices"].append([1])),
    ("is not strictly rising", lambda a: a.update(indices=[[2, 0]])),
    ("is not a proper part", lambda a: a.update(indices=[[0, 4]])),
    ("is not a proper part", lambda a: a.update(indices=[[0, 1, 2, 3]])),
    ("largest scores", lambda a: a.update(scores=["1", "2", "3", "4"])),
    ("largest scores", lambda a: a.update(scores=["9", "9", "9", "9"])),
    ("no kept set", lambda a: a.update(keep=[0], scores=["9", "1", "1", "1"])),
    ("no kept set", lambda a: a.update(keep=[0, 2], scores=["9", "1", "9", "1", "1"])),
]


@pytest.mark.parametrize(("expected", "change"), RECORDED)
def test_a_record_that_is_not_of_the_cut(expected: str, change: Callable[[Arguments], object], tmp_path: Path) -> None:
    def apply(arguments: Arguments) -> None:
        change(arguments)

    f = s.cnn()
    s.prune(f, cut(f), KEEP, SCORES, arguments=apply)
    folder = f.write(tmp_path / "lie")
    assert code_of(folder) == "V14"
    assert expected in reason_of(folder)


class Doubling(Forge):
    """Puts a second relu behind each relu of R: harmless to every shape, and no cut."""

    def rewrite(
        self,
        step: str,
        rule: str,
        reduces: str,
        arguments: Any,
        left: Sequence[str],
        glue: Sequence[str],
        wires: dict[str, tuple[str, tuple[Any, ...]]],
        right: Sequence[Made],
    ) -> None:
        relu = next(made for made in right if is_op(made, "relu"))
        (target,) = relu["targets"]
        more = {**relu, "sources": [target], "targets": ["extra"]}
        moved = [{**made, "sources": ["extra"]} if made["sources"] == [target] else made for made in right]
        super().rewrite(step, rule, reduces, arguments, left, glue, {**wires, "extra": wires[target]}, [*moved, more])


def test_r_has_one_operation_for_each_of_l(tmp_path: Path) -> None:
    f = Doubling()
    vars(f).update(vars(s.cnn()))
    s.prune(f, cut(f), KEEP, SCORES)
    folder = f.write(tmp_path / "lie")
    assert code_of(folder) == "V14"
    assert "one operation for each" in reason_of(folder)
