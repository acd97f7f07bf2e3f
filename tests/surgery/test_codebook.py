"""Codebooks: the optimum where values are few, near it where they are many, never below what is said to be least."""

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
from surgdsl.surgery import codebook as codebooks
from surgdsl.surgery.codebook import kmeans, quantize
from surgdsl.surgery.partition import Line, cheapest, partition, splice

ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)


def inertia(values: NDArray[np.float32], codebook: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """The sum of squared distances to the nearest entry, element by element."""
    apart = np.abs(values.reshape(-1, 1).astype(np.float64) - codebook.astype(np.float64)).min(axis=1)
    return float(weights @ apart**2)


def optimum(values: NDArray[np.float32], entries: int, weights: NDArray[np.float64]) -> float:
    """The least squared error of at most `entries` real centres: all splits, in exact fractions."""
    order = np.argsort(values)
    exact = [Fraction(float(value)) for value in values[order]]
    mass, sums, squares = [Fraction(0)], [Fraction(0)], [Fraction(0)]
    for value, weight in zip(exact, map(Fraction, weights[order].tolist()), strict=True):
        mass.append(mass[-1] + weight)
        sums.append(sums[-1] + weight * value)
        squares.append(squares[-1] + weight * value * value)

    def cost(start: int, stop: int) -> Fraction:
        spread = (sums[stop] - sums[start]) ** 2 / (mass[stop] - mass[start])
        return squares[stop] - squares[start] - spread

    best = [cost(0, stop) for stop in range(1, len(exact) + 1)]
    for _ in range(entries - 1):
        best = [
            min([best[stop - 1]] + [best[start - 1] + cost(start, stop) for start in range(1, stop)])
            for stop in range(1, len(exact) + 1)
        ]
    return float(best[-1])


FEW = hnp.arrays(np.float32, st.integers(1, 12), elements=st.integers(-50, 50).map(float))


@given(FEW, st.integers(1, 5))
def test_the_exact_optimum_on_few_values(values: NDArray[np.float32], entries: int) -> None:
    fit, ones = kmeans(values, entries), np.ones(values.size)
    assert optimum(values, entries, ones) == pytest.approx(fit.error, rel=1e-5, abs=1e-9)
    assert fit.least <= optimum(values, entries, ones) * (1 + 1e-12) + 1e-12
    assert inertia(values, fit.codebook, ones) == pytest.approx(fit.error, rel=1e-12, abs=1e-12)


@given(FEW, st.integers(1, 5), st.data())
def test_weights_count_elements_several_times(values: NDArray[np.float32], entries: int, data: st.DataObject) -> None:
    times = data.draw(hnp.arrays(np.int64, values.size, elements=st.integers(1, 4)))
    fit, repeated = kmeans(values, entries, times.astype(float)), kmeans(np.repeat(values, times), entries)
    assert optimum(values, entries, times.astype(float)) == pytest.approx(fit.error, rel=1e-5, abs=1e-9)
    assert repeated.error == pytest.approx(fit.error, rel=1e-9, abs=1e-12)
    assert repeated.least == pytest.approx(fit.least, rel=1e-9, abs=1e-12)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Few points with weights; many of them tied, at even distances."""
    points = np.array(sorted(draw(st.sets(st.integers(-20, 20), min_size=2, max_size=14))), dtype=np.float64)
    return Line.of(points, draw(hnp.arrays(np.float64, points.size, elements=st.integers(1, 3).map(float))))


def least(line: Line, runs: int) -> float:
    """By all cuts of the line into so many runs."""
    count = line.points.size
    best = [0.0] + [np.inf] * count
    for _ in range(runs):
        best = [np.inf] + [
            min(best[start] + float(line.cost(np.array(start), np.array(stop))) for start in range(stop))
            for stop in range(1, count + 1)
        ]
    return best[count]


@given(lines(), st.integers(1, 14), st.floats(1e-3, 1e3))
def test_a_partition_is_the_best_of_all(line: Line, runs: int, price: float) -> None:
    runs = min(runs, line.points.size)
    found = partition(line, runs, price)
    assert found.path.edges == runs
    assert least(line, runs) == pytest.approx(found.path.cost, rel=1e-9, abs=1e-9)
    assert found.least <= found.path.cost * (1 + 1e-12) + 1e-9


@given(lines(), st.integers(2, 14), st.floats(1e-3, 1e3), st.integers(1, 3))
def test_a_shorter_path_is_cut_and_the_bound_still_holds(line: Line, runs: int, price: float, short: int) -> None:
    runs = min(runs, line.points.size)
    found = partition(line, runs, price, short)
    assert found.path.edges == runs
    assert found.least * (1 - 1e-12) - 1e-9 <= least(line, runs) <= found.path.cost * (1 + 1e-12) + 1e-9


@given(lines(), st.floats(1e-3, 1e3))
def test_the_cheapest_path_at_a_price(line: Line, price: float) -> None:
    _, total = cheapest(line, price)
    costs = [least(line, runs) + price * runs for runs in range(1, line.points.size + 1)]
    assert min(costs) == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_paths_are_spliced_where_one_edge_holds_the_other() -> None:
    few, many = np.array([0, 4, 9, 12]), np.array([0, 2, 3, 5, 7, 8, 12])
    assert splice(few, many, 4).tolist() == [0, 2, 4, 9, 12]
    assert splice(few, many, 5).tolist() == [0, 2, 3, 5, 9, 12]


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
@pytest.mark.parametrize("entries", [2, 16])
def test_the_optimum_of_some_hundred_values(shape: str, entries: int) -> None:
    values = sample(shape, 1200, seed=entries)
    fit, best = kmeans(values, entries), fast_optimum(values, entries)
    assert best == pytest.approx(fit.error, rel=1e-5)
    assert best == pytest.approx(fit.least, rel=1e-6)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins from three hundred values on, so that what they lose can be seen."""
    for name, value in (("EXACT", 300), ("BINS", 256), ("FINE", 16), ("ENDS", 16)):
        monkeypatch.setattr(codebooks, name, value)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("entries", [2, 16])
def test_bins_bound_the_optimum_from_both_sides(shape: str, entries: int) -> None:
    values = sample(shape, 1500, seed=entries)
    fit, best = kmeans(values, entries), fast_optimum(values, entries)
    assert fit.least <= best * (1 + 1e-9)
    assert best * (1 - 1e-6) <= fit.error <= 1.02 * best
    assert fit.least >= 0.9 * best
    assert inertia(values, fit.codebook, np.ones(values.size)) == pytest.approx(fit.error, rel=1e-9)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("shape", SHAPES)
def test_bins_count_weights(shape: str) -> None:
    values = sample(shape, 900, seed=5)
    times = np.random.default_rng(6).integers(1, 4, size=values.size)
    fit, best = kmeans(values, 8, times.astype(float)), fast_optimum(np.repeat(values, times), 8)
    assert fit.least <= best * (1 + 1e-9)
    assert best * (1 - 1e-6) <= fit.error <= 1.02 * best
    assert inertia(values, fit.codebook, times.astype(float)) == pytest.approx(fit.error, rel=1e-9)


@pytest.mark.usefixtures("coarse")
def test_bins_of_values_that_repeat() -> None:
    values = np.round(sample("gaussian", 5000, seed=8), 2)
    assert 300 < np.unique(values).size < 800
    fit, best = kmeans(values, 16), fast_optimum(values, 16)
    assert fit.least <= best * (1 + 1e-9) <= fit.error * (1 + 2e-9)


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


@given(hnp.arrays(np.float32, st.integers(1, 60), elements=ANY), st.integers(1, 8), st.integers(0, 9))
def test_any_finite_values_give_a_rising_codebook_no_worse_than_lloyd(
    values: NDArray[np.float32], entries: int, seed: int
) -> None:
    fit = kmeans(values, entries)
    assert 1 <= fit.codebook.size <= entries
    assert np.isfinite(fit.codebook).all()
    assert (np.diff(fit.codebook) > 0).all()
    assert not np.signbit(fit.codebook[fit.codebook == 0]).any()
    assert 0 <= fit.least <= fit.error
    if np.unique(values).size <= entries:
        assert fit.error == 0
        return
    ones, start = np.ones(values.size), np.random.default_rng(seed).choice(values, entries)
    rounding = values.size * (float(np.abs(values).max()) * 2.0**-23) ** 2  # of entries to float32
    assert fit.error <= inertia(values, lloyd(values, start), ones) * (1 + 1e-9) + rounding


def lloyd(values: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Twenty rounds from anywhere, the textbook way."""
    for _ in range(20):
        centres = np.unique(centres)
        nearest = np.argmin(np.abs(values[:, None].astype(np.float64) - centres), axis=1)
        centres = np.array([values[nearest == one].astype(np.float64).mean() for one in np.unique(nearest)], np.float32)
    return np.unique(centres)


@given(hnp.arrays(np.float32, st.integers(1, 40), elements=ANY), st.integers(1, 4))
def test_the_error_is_that_of_the_decoded_weight(values: NDArray[np.float32], bits: int) -> None:
    weight, fit = quantize(dense(values), bits)
    error = ((decode(weight).astype(np.float64) - values) ** 2).sum()
    assert fit.error == pytest.approx(error, rel=1e-9)


def test_an_outlier_does_not_erase_small_values() -> None:
    values = np.array([-3e38, 1e-3, 2e-3, 1.0, 1.5, 3e38], dtype=np.float32)
    assert kmeans(values, 4).codebook.tolist() == pytest.approx([-3e38, 1.5e-3, 1.25, 3e38], rel=1e-6)


def test_the_order_of_the_values_does_not_matter() -> None:
    values = np.random.default_rng(3).normal(size=500).astype(np.float32)
    first, second = kmeans(values, 8), kmeans(values[::-1].reshape(20, 25), 8)
    assert first.codebook.tobytes() == second.codebook.tobytes()
    assert (first.error, first.least) == (second.error, second.least)


def test_only_kept_elements_shape_the_codebook() -> None:
    values = np.array([[0.0, 5.0], [0.0, 7.0]], dtype=np.float32)
    weight, fit = quantize(with_mask(dense(values), values > 0), 1)
    assert (fit.error, fit.least) == (0, 0)
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
