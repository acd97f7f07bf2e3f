"""Grids whose scales are shared by groups: their codes are recomputed, and a cut may not tear a group apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.encodings import Array, Weight, bits, grouped
from tests.verifier.forge import Forge


def on_grid(f: Forge, base: str, weight: Weight, **lies: Any) -> None:
    """The step that quantizes a weight so."""
    told = {name: weight.encoding[name] for name in ("axis", "bits", "group")} | lies
    if weight.encoding["kind"] == "symmetric":
        told |= {"symmetric": True} if "symmetric" not in lies else {}
    arguments = {name: value for name, value in told.items() if value is not None}
    s.recode(f, "round", "quantize-affine/1", "size/1", arguments, base, weight)


def wide() -> Forge:
    """Layers that are large enough for scales to pay."""
    f = Forge()
    x = s.same(f, "relu", s.linear(f, f.input("x", ("B", 8)), "fc1", 8))
    f.begin(("y", s.linear(f, x, "fc2", 8)), B=1)
    return f


def values(f: Forge, base: str = "fc2.weight") -> Array:
    return f.weight(f.named(base)).decoded


FORMS = [(4, 0, 4, True), (3, 1, 3, True), (2, -1, 16, False), (8, 0, 8, False)]


@pytest.mark.parametrize(("width", "axis", "group", "symmetric"), FORMS)
def test_groups_are_accepted(width: int, axis: int, group: int, symmetric: bool, tmp_path: Path) -> None:
    f = wide()
    on_grid(f, "fc2.weight", grouped("fc2.weight", values(f), width, axis, group, symmetric=symmetric))
    code, line = verdict(f.write(tmp_path / "job"))
    assert code == 0, line


def cut(f: Forge, rows: list[int]) -> None:
    """Keep some of the neurons between the layers."""
    first, second = f.find("linear.default"), f.find("linear.default", 1)
    wires = [f.ops[first]["targets"][0], f.ops[f.find("relu.default")]["targets"][0]]
    kept: s.Kept = {wire: {1: rows} for wire in wires}
    kept |= {wire: {0: rows} for wire in f.ops[first]["sources"][1:]} | {f.ops[second]["sources"][1]: {1: rows}}
    s.prune(f, kept, rows, [int(index in rows) for index in range(8)])


def quantized_and_cut(rows: list[int]) -> Forge:
    f = wide()
    for base in ("fc1.weight", "fc2.weight"):
        on_grid(f, base, grouped(base, values(f, base), 4, 0, 4))
    cut(f, rows)
    return f


def test_a_cut_along_whole_groups_keeps_their_scales(tmp_path: Path) -> None:
    code, line = verdict(quantized_and_cut([4, 5, 6, 7]).write(tmp_path / "job"))
    assert code == 0, line


def test_a_cut_that_tears_groups_apart_is_refused(tmp_path: Path) -> None:
    assert code_of(quantized_and_cut([0, 1, 2, 5]).write(tmp_path / "job")) == "V15"


def nudged(f: Forge) -> None:
    """A code is one off, in the last group."""
    weight = grouped("fc2.weight", values(f), 4, 0, 4)
    role, name, dtype, shape, data = weight.parts[0]
    weight.parts[0] = (role, name, dtype, shape, data[:-1] + bytes([data[-1] ^ 0x10]))
    on_grid(f, "fc2.weight", weight)


def exchanged(f: Forge) -> None:
    """The scales of two groups are exchanged after the codes were made."""
    weight = grouped("fc2.weight", values(f), 4, 0, 4)
    role, name, dtype, shape, data = weight.parts[1]
    scale = np.frombuffer(data, "<f2").reshape(shape)[:, ::-1]
    weight.parts[1] = (role, name, dtype, shape, scale.tobytes())
    on_grid(f, "fc2.weight", weight)


def other_way(f: Forge) -> None:
    """Codes of groups along the other axis."""
    weight, other = (grouped("fc2.weight", values(f), 4, axis, 4) for axis in (0, 1))
    weight.parts[0] = other.parts[0]
    on_grid(f, "fc2.weight", weight)


def off_middle(f: Forge) -> None:
    """A symmetric grid whose zero is one lower."""
    weight = grouped("fc2.weight", values(f), 4, 0, 4)
    codes = np.unpackbits(np.frombuffer(weight.parts[0][4], "u1"), bitorder="little").reshape(-1, 4) @ [1, 2, 4, 8]
    role, name, dtype, shape, _ = weight.parts[0]
    weight.parts[0] = (role, name, dtype, shape, bits(np.maximum(codes - 1, 0), 4).tobytes())
    on_grid(f, "fc2.weight", weight)


def stated(**lies: Any) -> Callable[[Forge], None]:
    return lambda f: on_grid(f, "fc2.weight", grouped("fc2.weight", values(f), 4, 0, 4), **lies)


def impossible(least: str) -> Callable[[Forge], None]:
    """A codebook that claims to be better than any can be."""

    def lie(f: Forge) -> None:
        weight = s.codebook("fc2.weight", values(f), 2)
        s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2, "least": least}, "fc2.weight", weight)

    return lie


LIES: list[tuple[str, str, Callable[[Forge], None]]] = [
    ("a code that is not the nearest", "V15", nudged),
    ("scales exchanged", "V15", exchanged),
    ("groups along the other axis", "V15", other_way),
    ("another middle", "V15", off_middle),
    ("another group stated", "V14", stated(group=8)),
    ("no group stated", "V14", stated(group=None)),
    ("not said to be symmetric", "V14", stated(symmetric=None)),
    ("another axis stated", "V14", stated(axis=1)),
    ("a group of no number", "V03", stated(group="4")),
    ("an error below the least", "V15", impossible((1e9).hex())),
    ("an infinite least error", "V03", impossible("inf")),
    ("a negative least error", "V03", impossible((-1.0).hex())),
]


@pytest.mark.parametrize(("expected", "lie"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_false_grid_is_refused(expected: str, lie: Callable[[Forge], None], tmp_path: Path) -> None:
    f = wide()
    lie(f)
    assert code_of(f.write(tmp_path / "lie")) == expected


def test_the_share_of_the_least_error_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from surgdsl.verifier.main import main

    f = wide()
    impossible((1.0).hex())(f)
    assert main([str(f.write(tmp_path / "job"))]) == 0
    assert "times the least possible (attested)" in capsys.readouterr().out
