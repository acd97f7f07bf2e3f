"""Codebooks: near the optimum that an exact search finds, and never worse than where they started."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, dense, with_mask
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.payload import Codebook, Masked
from surgdsl.surgery.codebook import inertia, kmeans, lloyd, on_line, quantize, rounded, starts

ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)


def optimum(values: NDArray[np.float32], entries: int) -> float:
    """The least squared error of at most `entries` real centres: all splits, in exact fractions."""
    exact = [Fraction(float(value)) for value in np.sort(values, axis=None)]
    sums, squares = [Fraction(0)], [Fraction(0)]
    for value in exact:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)

    def cost(start: int, stop: int) -> Fraction:
        return squares[stop] - squares[start] - (sums[stop] - sums[start]) ** 2 / (stop - start)

    best = [cost(0, stop) for stop in range(1, len(exact) + 1)]
    for _ in range(entries - 1):
        best = [
            min([best[stop - 1]] + [best[start - 1] + cost(start, stop) for start in range(1, stop)])
            for stop in range(1, len(exact) + 1)
        ]
    return float(best[-1])


@given(hnp.arrays(np.float32, st.integers(1, 12), elements=st.integers(-50, 50).map(float)), st.integers(1, 5))
def test_the_exact_optimum_on_few_values(values: NDArray[np.float32], entries: int) -> None:
    codebook, error = kmeans(values, entries)
    assert optimum(values, entries) == pytest.approx(error, rel=1e-5, abs=1e-9)
    assert inertia(np.sort(values), codebook) == error


SHAPES = ("gaussian", "two degrees of freedom", "Cauchy", "log-normal", "shifted", "two hills")


def sample(shape: str, count: int, seed: int) -> NDArray[np.float32]:
    draw = np.random.default_rng(seed)
    match shape:
        case "two degrees of freedom":
            return draw.standard_t(2, size=count).astype(np.float32)
        case "Cauchy":
            return draw.standard_t(1, size=count).astype(np.float32)
        case "log-normal":
            return np.exp(2 * draw.normal(size=count)).astype(np.float32)
        case "two hills":
            return (draw.normal(size=count) + 9 * draw.integers(0, 2, size=count)).astype(np.float32)
        case _:
            return (draw.normal(size=count) + (1000 if shape == "shifted" else 0)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1000, 1600])  # fewer and more than there are groups
def test_within_a_hundredth_of_the_optimum(shape: str, count: int) -> None:
    values = sample(shape, count, seed=count)
    best = fast_optimum(values, 16)
    assert best * (1 - 1e-6) <= kmeans(values, 16)[1] <= 1.01 * best


def fast_optimum(values: NDArray[np.float32], entries: int) -> float:
    """As `optimum`, in floats around the median, all splits of a length at once."""
    ordered = np.sort(values).astype(np.float64)
    ordered -= ordered[ordered.size // 2]
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    squares = np.concatenate([[0.0], np.cumsum(ordered**2)])
    ranks: NDArray[np.float64] = np.arange(ordered.size + 1, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = ranks[1:, None] - ranks[None, :-1]
        cost = squares[1:, None] - squares[None, :-1] - (sums[1:, None] - sums[None, :-1]) ** 2 / lengths
    cost = np.where(lengths > 0, cost, np.inf)
    best = cost[:, 0]
    for _ in range(entries - 1):
        best = np.minimum(best, np.concatenate([[np.inf], np.min(cost[1:, 1:] + best[None, :-1], axis=1)]))
    return float(best[-1])


@given(hnp.arrays(np.float32, st.integers(1, 60), elements=ANY), st.integers(1, 8))
def test_any_finite_values_give_a_rising_codebook_no_worse_than_its_starts(
    values: NDArray[np.float32], entries: int
) -> None:
    codebook, error = kmeans(values, entries)
    assert 1 <= codebook.size <= entries
    assert np.isfinite(codebook).all()
    assert (np.diff(codebook) > 0).all()
    assert not np.signbit(codebook[codebook == 0]).any()
    ordered = np.sort(values)
    if np.unique(values).size <= entries:
        assert error == 0
        return
    for start in starts(on_line(ordered), entries):
        assert error <= inertia(ordered, rounded(start))
        assert error <= inertia(ordered, rounded(lloyd(on_line(ordered), start)))


@given(hnp.arrays(np.float32, st.integers(1, 40), elements=ANY), st.integers(1, 4))
def test_the_error_is_that_of_the_decoded_weight(values: NDArray[np.float32], bits: int) -> None:
    weight = quantize(dense(values), bits)
    error = ((decode(weight).astype(np.float64) - values) ** 2).sum()
    assert kmeans(values, 1 << bits)[1] == pytest.approx(error, rel=1e-9)


def test_an_outlier_does_not_erase_small_values() -> None:
    values = np.array([-3e38, 1e-3, 2e-3, 1.0, 1.5, 3e38], dtype=np.float32)
    assert kmeans(values, 4)[0].tolist() == pytest.approx([-3e38, 1.5e-3, 1.25, 3e38], rel=1e-6)


def test_the_order_of_the_values_does_not_matter() -> None:
    values = np.random.default_rng(3).normal(size=500).astype(np.float32)
    first, second = kmeans(values, 8), kmeans(values[::-1].reshape(20, 25), 8)
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]


def test_only_kept_elements_shape_the_codebook() -> None:
    values = np.array([[0.0, 5.0], [0.0, 7.0]], dtype=np.float32)
    weight = quantize(with_mask(dense(values), values > 0), 1)
    assert weight.encoding == Masked(Codebook(1))
    assert weight.parts["codebook"].tolist() == [5.0, 7.0]
    assert decode(weight).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.array([np.nan], dtype=np.float32), "E0506"),
        (np.array([1.0]), "E0505"),
        (np.array([1]), "E0505"),
        (np.zeros((0, 3), dtype=np.float32), "E0505"),
    ],
)
def test_what_has_no_codebook_is_refused(array: NDArray[Any], code: str) -> None:
    with pytest.raises(Refusal, match=code):
        quantize(dense(array), 4)
