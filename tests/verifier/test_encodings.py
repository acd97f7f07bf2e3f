"""Encodings that are invalid in themselves, in a model as it comes in: no rule is asked, the weight is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import surgeries as s
from tests.verifier.asking import code_of
from tests.verifier.encodings import DTYPES, Array, Weight, affine, bits, codebook, dense, grouped, nearest
from tests.verifier.forge import Forge

VALUES = s.noise(2, 3)
MASK = np.array([[True, False, True], [True, True, False]])
TWICE = {"inner": {"kind": "dense"}, "kind": "masked"}
NONE = np.zeros(0, dtype=np.int64)
REPEATED = [0, 0, 1, 2, 3]
BOOK = np.array([-1, 0, 1], dtype=np.float32)


def holding(weight: Weight, shape: tuple[int, ...] = (2, 3)) -> Forge:
    """A linear whose weight is stored like this."""
    f = Forge()
    weight.decoded = np.resize(weight.decoded, shape)
    w = f.param(weight)
    f.begin(("y", f.op("linear.default", [f.input("x", ("B", 3)), w], ("B", 2), bias={"none": True})), B=1)
    return f


def part(weight: Weight, role: str, change: Callable[[Array], Array]) -> Weight:
    """The weight with the bytes of one part changed, the shape made to fit."""
    for at, (name_of, name, dtype, shape, data) in enumerate(weight.parts):
        if name_of == role:
            array = change(np.frombuffer(data, {"U8": "u1", "F16": "<f2", "F32": "<f4"}[dtype]).reshape(shape))
            weight.parts[at] = (name_of, name, DTYPES[array.dtype.name], array.shape, array.tobytes())
    return weight


def encoded(weight: Weight, **fields: Any) -> Weight:
    weight.encoding = {**weight.encoding, **fields}
    return weight


def book(values: list[float], codes: list[int] | None = None, width: int = 2) -> Weight:
    array = np.array(values, dtype=np.float32)
    return codebook("w", VALUES, width, book=array, codes=np.array(codes or [0] * 6))


FINE: list[Callable[[], Weight]] = [
    lambda: dense("w", VALUES),
    lambda: dense("w", VALUES, MASK),
    lambda: dense("w", VALUES, np.zeros((2, 3), dtype=bool)),
    lambda: codebook("w", VALUES, 2, book=BOOK),
    lambda: codebook("w", VALUES, 2, MASK, BOOK),
    lambda: codebook("w", VALUES, 8, book=BOOK),
    lambda: affine("w", VALUES, 5),
    lambda: affine("w", VALUES, 3, 1),
    lambda: grouped("w", VALUES, 4, 0, 2),
    lambda: grouped("w", VALUES, 4, 1, 3, symmetric=False),
    lambda: grouped("w", VALUES, 2, -1, 4),
    lambda: grouped("w", VALUES, 2, -1, 4, np.ones((1, 2), dtype=np.float32)),
]


@pytest.mark.parametrize("build", FINE)
def test_a_valid_encoding_is_accepted(build: Callable[[], Weight], tmp_path: Path) -> None:
    assert code_of(holding(build()).write(tmp_path / "fine")) == ""


WRONG: list[tuple[str, str, Callable[[], Weight]]] = [
    ("a code beyond the codebook", "V15", lambda: book([-1, 0, 1], [0, 1, 2, 3, 0, 0])),
    ("a codebook without dimensions", "V09", lambda: part(book([1]), "codebook", lambda a: a.reshape(()))),
    ("a codebook that falls", "V15", lambda: book([1, 0])),
    ("a codebook that repeats", "V15", lambda: book([0, 0, 1])),
    ("a codebook with an infinity", "V15", lambda: book([0, float("inf")])),
    ("a codebook with NaN", "V15", lambda: book([0, float("nan"), 1])),
    ("a codebook larger than its codes reach", "V15", lambda: book([0, 1, 2], width=1)),
    ("a codebook of nothing", "V15", lambda: codebook("w", VALUES, 2, ~(MASK | ~MASK), BOOK, NONE)),
    ("padding bits behind the codes", "V15", lambda: part(book([-1, 0, 1]), "codes", lambda a: a | 0x80)),
    ("padding bits behind the mask", "V15", lambda: part(dense("w", VALUES, MASK), "mask", lambda a: a | 0x40)),
    ("a mask that keeps more", "V15", lambda: part(dense("w", VALUES, MASK), "values", lambda a: a[1:])),
    ("a mask that keeps less", "V15", lambda: part(dense("w", VALUES, MASK), "values", lambda a: a[REPEATED])),
    ("a mask of another size", "V09", lambda: part(dense("w", VALUES, MASK), "mask", lambda a: np.append(a, a[:1]))),
    ("codes of another length", "V09", lambda: part(book([-1, 0, 1]), "codes", lambda a: a[:1])),
    ("a scale of zero", "V15", lambda: part(affine("w", VALUES, 5), "scale", lambda a: a * np.float32(0))),
    ("an infinite scale", "V15", lambda: part(affine("w", VALUES, 5), "scale", lambda a: a + np.float32(np.inf))),
    ("a scale that is NaN", "V15", lambda: part(affine("w", VALUES, 5), "scale", lambda a: a * np.float32(np.nan))),
    ("a scale too many", "V09", lambda: part(affine("w", VALUES, 5, 1), "scale", lambda a: np.append(a, a[:1]))),
    ("an axis that is not there", "V09", lambda: encoded(affine("w", VALUES, 5), axis=2)),
    ("one scale for two groups", "V09", lambda: part(grouped("w", VALUES, 4, 0, 3), "scale", lambda a: a[:1])),
    ("groups of another size", "V09", lambda: encoded(grouped("w", VALUES, 4, 0, 2), group=3)),
    ("groups of nothing", "V03", lambda: encoded(grouped("w", VALUES, 4, 0, 2), group=0)),
    ("a zero point too many", "V09", lambda: encoded(grouped("w", VALUES, 4, 0, 2, symmetric=False), kind="symmetric")),
    ("a grid without its zero points", "V09", lambda: encoded(grouped("w", VALUES, 4, 0, 2), kind="affine")),
    ("a narrow scale that is infinite", "V15", lambda: grouped("w", VALUES, 4, 0, 2, np.full((2, 2), np.inf, "<f2"))),
    ("a narrow scale of zero", "V15", lambda: part(grouped("w", VALUES, 4, 0, 2), "scale", np.zeros_like)),
    ("a narrow scale without groups", "V09", lambda: part(affine("w", VALUES, 5), "scale", lambda a: a.astype("<f2"))),
    ("nine bits", "V03", lambda: encoded(affine("w", VALUES, 5), bits=9)),
    ("an unknown kind", "V03", lambda: encoded(affine("w", VALUES, 5), kind="ternary")),
    ("a mask inside a mask", "V03", lambda: encoded(dense("w", VALUES, MASK), inner=TWICE)),
    ("an encoding with a second truth", "V03", lambda: encoded(dense("w", VALUES), bits=4)),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "build"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_an_invalid_encoding_is_refused(expected: str, build: Callable[[], Weight], tmp_path: Path) -> None:
    assert code_of(holding(build()).write(tmp_path / "wrong")) == expected


def test_parts_must_be_named_after_their_base(tmp_path: Path) -> None:
    weight = codebook("w", VALUES, 2, book=BOOK)
    role, _, dtype, shape, data = weight.parts[1]
    weight.parts[1] = (role, "v.codebook", dtype, shape, data)
    assert code_of(holding(weight).write(tmp_path / "one")) == "V09"
    weight = codebook("w", VALUES, 2, book=BOOK)
    weight.parts.reverse()
    assert code_of(holding(weight).write(tmp_path / "two")) == "V09"


def test_names_may_not_meet_up_to_case(tmp_path: Path) -> None:
    f = Forge()
    x = f.input("x", ("B", 3))
    y = f.op("linear.default", [x, f.param(dense("w", VALUES)), f.param(dense("W", s.noise(2)))], ("B", 2))
    f.begin(("y", y), B=1)
    assert code_of(f.write(tmp_path / "lie")) == "V12"


def test_codes_are_packed_from_the_least_significant_bit(tmp_path: Path) -> None:
    """Golden: six codes of three bits are 18 bits in three bytes."""
    codes = nearest(np.arange(8, dtype=np.float32), np.array([[5, 1, 7], [0, 2, 6]], dtype=np.float32))
    assert bits(codes, 3).tolist() == [0b11001101, 0b00100001, 0b00000011]
    weight = codebook("w", VALUES, 3, book=np.arange(8, dtype=np.float32), codes=codes)
    assert code_of(holding(weight).write(tmp_path / "fine")) == ""
