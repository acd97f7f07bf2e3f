"""Numpy and plain Python give the same columns, bit for bit, operation by operation."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.verifier.arrays import by_numpy, plain
from tests.verifier.encodings import Array

HOUSE = Path(__file__).resolve().parents[2]
LETTERS = {"B": 1, "H": 2, "I": 4, "Q": 8, "e": 2, "f": 4, "d": 8}
ODD = [0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 65504.0, 65520.0, 3.5e38]
FLOATS = st.sampled_from(ODD) | st.floats(-100, 100)
columns = st.lists(FLOATS, min_size=1, max_size=12)


def bits(values: Any) -> list[bytes]:
    """Floats as bits, whichever NaN being one NaN."""
    return [b"NaN" if math.isnan(value) else struct.pack("<d", value) for value in values]


@given(st.binary(max_size=64), st.sampled_from(sorted(LETTERS)))
def test_bytes_are_read_alike(raw: bytes, letter: str) -> None:
    raw = raw[: len(raw) // LETTERS[letter] * LETTERS[letter]]
    found, other = by_numpy.column(raw, letter).tolist(), plain.column(raw, letter)
    assert bits(found) == bits(other) if letter in "efd" else found == list(other)


@given(columns, st.sampled_from("efd"))
def test_floats_are_rounded_alike(values: list[float], letter: str) -> None:
    assert by_numpy.packed(by_numpy.numbers(values), letter) == plain.packed(plain.numbers(values), letter)
    held = by_numpy.each(by_numpy.single, by_numpy.numbers(values))
    assert bits(held) == bits(plain.each(plain.single, values))


@given(columns, st.data())
def test_functions_of_one_element(values: list[float], data: st.DataObject) -> None:
    others = data.draw(st.lists(FLOATS, min_size=len(values), max_size=len(values)))
    for name in ("div", "lesser", "greater"):
        found = by_numpy.each(getattr(by_numpy, name), *map(by_numpy.numbers, (values, others)))
        assert bits(found) == bits(plain.each(getattr(plain, name), values, others)), name
    assert bits(by_numpy.each(by_numpy.sqrt, by_numpy.numbers(values))) == bits(plain.each(plain.sqrt, values))
    for name in ("exp", "tanh", "erf"):
        small = [value for value in values if abs(value) < 700 or math.isinf(value)]
        found = by_numpy.each(getattr(by_numpy, name), by_numpy.numbers([*small, 1.0]))
        assert list(found) == pytest.approx(plain.each(getattr(plain, name), [*small, 1.0]), rel=1e-14), name
    halves = [round(2 * value) / 2 for value in values if abs(value) < 1e9]
    assert by_numpy.each(by_numpy.rint, by_numpy.numbers([*halves, 0.5])).tolist() == plain.each(round, [*halves, 0.5])


@pytest.mark.parametrize("kind", ["sum", "mean", "prod", "min", "max"])
@given(st.integers(1, 4), st.integers(1, 5), st.data())
def test_reductions(kind: str, rows: int, size: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(FLOATS, min_size=rows * size, max_size=rows * size))
    assert bits(by_numpy.fold(kind, by_numpy.numbers(values), size)) == bits(plain.fold(kind, values, size))


@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=4), max_size=3), st.integers(1, 5))
def test_places_and_items(lists: list[list[int]], item: int) -> None:
    found, other = by_numpy.places(lists), plain.places(lists)
    assert found.tolist() == other
    raw = bytes(index % 251 for index in range(item * (max(other) + 1)))
    assert by_numpy.gather(raw, item, found) == plain.gather(raw, item, other)
    size = max(other) + 1
    assert by_numpy.tally([found], size).tolist() == plain.tally([other], size)
    values = [float(index) for index in range(size)]
    assert by_numpy.take(by_numpy.numbers(values), found).tolist() == plain.take(values, other)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 9), st.data())
def test_cuts_and_layouts(shape: list[int], item: int, data: st.DataObject) -> None:
    size = math.prod(shape)
    kept = [
        data.draw(st.none() | st.lists(st.integers(0, extent - 1), min_size=1, unique=True).map(sorted))
        for extent in shape
    ]
    raw = bytes(index % 251 for index in range(size * item))
    assert bytes(by_numpy.choose(raw, item, shape, kept)) == plain.choose(raw, item, shape, kept)
    values = [float(index) for index in range(size)]
    steps = [math.prod(shape[dim + 1 :]) for dim in range(len(shape))]
    order = data.draw(st.permutations(range(len(shape))))
    extents, strides = ([*(row[dim] for dim in order), more] for row, more in ((shape, 3), (steps, 0)))
    found = by_numpy.lay(by_numpy.numbers(values), extents, strides)
    assert found.tolist() == plain.lay(values, extents, strides)


@given(st.integers(1, 8), st.data())
def test_codes_of_bits(width: int, data: st.DataObject) -> None:
    codes = bytes(data.draw(st.lists(st.integers(0, (1 << width) - 1), max_size=40)))
    packed = plain.pack(codes, width)
    assert packed == by_numpy.pack(codes, width)
    assert by_numpy.unpack(packed, width, len(codes)) == plain.unpack(packed, width, len(codes)) == codes


@given(st.binary(max_size=80), st.sampled_from([1, 2, 4, 8]), st.booleans(), st.data())
def test_elements_are_counted(raw: bytes, size: int, unsigned: bool, data: st.DataObject) -> None:
    raw = raw[: len(raw) // size * size]
    half = 1 << 8 * size - 1
    limit = data.draw(st.sampled_from([0, half - 1, half // 2]) | st.integers(1, half - 1))
    words = [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]
    words = words if unsigned else [word % half for word in words]
    expected = sum(word > 0 for word in words), sum(word >= limit for word in words) if limit else 0
    assert expected == by_numpy.scan(raw, size, unsigned, limit) == plain.scan(raw, size, unsigned, limit)


@given(st.binary(min_size=1, max_size=60).map(lambda raw: bytes(byte % 2 for byte in raw)), st.data())
def test_masks(mask: bytes, data: st.DataObject) -> None:
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(mask))] * 2)))
    found, other = by_numpy.kept(start, stop, mask), plain.kept(start, stop, mask)
    assert found.tolist() == list(other)
    values = [float(at) for at in other]
    assert by_numpy.put(len(mask), found, by_numpy.numbers(values)).tolist() == plain.put(len(mask), other, values)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9).map(sorted), columns)
def test_the_nearest_bound(bounds: list[float], values: list[float]) -> None:
    values = [value for value in values if not math.isnan(value)]
    found = by_numpy.nearest(by_numpy.numbers(bounds), by_numpy.numbers(values))
    assert found.tolist() == plain.nearest(bounds, values)


MATRICES: list[Callable[[np.random.Generator], Array]] = [
    lambda random: random.standard_normal((9, 5)),
    lambda random: random.standard_normal((4, 11)) * 1e-30,
    lambda random: random.standard_normal((6, 6)) * 1e150,
    lambda random: np.outer(random.standard_normal(7), random.standard_normal(5)),
    lambda _: np.zeros((3, 4)),
    lambda random: np.linalg.qr(random.standard_normal((8, 8)))[0] @ np.diag(10.0 ** -np.arange(8)),
]


@pytest.mark.parametrize("number", range(len(MATRICES)))
def test_singular_values_and_products(number: int) -> None:
    matrix = MATRICES[number](np.random.default_rng(number))
    flat = matrix.ravel().tolist()
    expected = by_numpy.singular(matrix.ravel(), len(matrix))
    found = plain.singular(flat, len(matrix))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * expected[0])
    product = by_numpy.dots(matrix.ravel(), matrix.ravel(), matrix.shape[1])
    np.testing.assert_allclose(
        plain.dots(flat, flat, matrix.shape[1]), product, rtol=1e-12, atol=1e-14 * expected[0] ** 2
    )


@pytest.mark.parametrize("name", ["test_accept", "test_lies", "test_grids", "test_meaning"])
def test_verdicts_are_the_same_without_numpy(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/verifier/{name}.py"]
    environment = {**os.environ, "SURG_WITHOUT_NUMPY": "1"}
    done = subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
