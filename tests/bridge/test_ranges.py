"""Ranges: counts that do not depend on batches, and grids that are as good as their method says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from surgdsl.bridge.ranges import BINS, Grid, Histogram, chosen, grid

FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)
SHARE = Fraction(999, 1000)


def streamed(values: torch.Tensor, size: int) -> Histogram:
    found = Histogram()
    for part in values.split(size):
        found.take(part)
    return found


def error(found: Grid, values: NDArray[np.float64]) -> float:
    return float(np.mean((found.rounded(values) - values) ** 2))


@given(st.lists(FLOATS, min_size=1, max_size=60), st.integers(1, 7))
def test_counts_do_not_depend_on_batches(values: list[float], size: int) -> None:
    whole, parts = streamed(torch.tensor(values), len(values)), streamed(torch.tensor(values), size)
    assert (whole.exponent, whole.low, whole.high) == (parts.exponent, parts.low, parts.high)
    assert np.array_equal(whole.counts, parts.counts)
    assert whole.counts.sum() == len(values)


@given(st.lists(FLOATS, min_size=1, max_size=60))
def test_every_value_lies_in_its_bin(values: list[float]) -> None:
    found = streamed(torch.tensor(values), 8)
    width = 2.0**found.exponent
    expected = np.zeros(BINS, dtype=np.int64)
    for value in torch.tensor(values).tolist():
        expected[min(int(np.floor(value / width)) + BINS // 2, BINS - 1)] += 1
    assert np.array_equal(expected, found.counts)


@given(FLOATS, FLOATS, st.integers(2, 8))
def test_a_grid_has_zero_and_covers_its_range(one: float, other: float, bits: int) -> None:
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    found = grid(min(one, other), max(one, other), bits)
    assert found.scale > 0
    assert 0 <= found.zero < 1 << bits
    assert found.rounded(np.zeros(1)).tolist() == [0.0]
    ends = np.array([low, high])
    if high - low > 1e-30:
        assert np.all(np.abs(found.rounded(ends) - ends) <= found.scale * (1 + 1e-6))


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_torch_rounds_as_the_grid_says(method: str, bits: int) -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(bits))
    found = chosen(streamed(values, 512), bits, method, SHARE)
    made = torch.fake_quantize_per_tensor_affine(values, found.scale, found.zero, 0, (1 << bits) - 1)
    apart = np.abs(made.double().numpy() - found.rounded(values.double().numpy()))
    assert np.mean(apart > 1e-6) < 1e-3  # ties that float32 and float64 see differently


@pytest.mark.parametrize("bits", [3, 4, 8])
@pytest.mark.parametrize("tail", ["normal", "heavy", "positive"])
def test_least_squares_is_near_a_search_over_all_ranges(bits: int, tail: str) -> None:
    draw = np.random.default_rng(bits)
    values = {
        "normal": draw.normal(size=6_000), "heavy": draw.standard_t(2, size=6_000),
        "positive": np.maximum(draw.normal(size=6_000), 0),
    }[tail].astype(np.float32).astype(np.float64)  # fmt: skip
    seen = streamed(torch.from_numpy(values), 1000)
    found = chosen(seen, bits, "mse", SHARE)
    ends = np.geomspace(1, 1 / 2000, 90)
    best = min(
        error(grid(seen.low * a, seen.high * b, bits), values) for a in ends for b in ends[:: 1 + 3 * (bits > 4)]
    )
    assert error(found, values) <= 1.02 * best
    assert error(found, values) <= error(chosen(seen, bits, "minmax", SHARE), values)


def test_a_percentile_leaves_out_what_it_says() -> None:
    values = torch.linspace(-1, 3, 10_001)
    found = chosen(streamed(values, 999), 8, "percentile", Fraction(9, 10))
    assert found == grid(-0.8, 2.8, 8) or abs(found.scale - 3.6 / 255) < 1e-4
    everything = chosen(streamed(values, 999), 8, "percentile", Fraction(1))
    assert everything == chosen(streamed(values, 999), 8, "minmax", SHARE)


def test_an_outlier_moves_the_extremes_and_not_the_quantiles() -> None:
    values = torch.randn(50_000, generator=torch.Generator().manual_seed(1))
    with_one = torch.cat([values, torch.tensor([1000.0])])
    before, after = (chosen(streamed(one, 4096), 8, "percentile", SHARE) for one in (values, with_one))
    assert after.scale < 1.1 * before.scale
    assert chosen(streamed(with_one, 4096), 8, "minmax", SHARE).scale > 100 * before.scale


def test_what_is_not_finite_is_told() -> None:
    assert not streamed(torch.tensor([1.0, float("nan"), 2.0]), 2).finite
    assert not streamed(torch.tensor([1.0, float("inf")]), 2).finite
    assert streamed(torch.tensor([1.0, 2.0]), 2).finite


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_a_wire_of_zeros_has_a_grid(method: str) -> None:
    assert chosen(streamed(torch.zeros(10), 3), 8, method, SHARE) == Grid(1.0, 0, 8)
