"""Zeros with compensation, against plain loops, enumeration and least squares."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.curvature.exact import exact_obs
from surgdsl.curvature.pattern import Few, Pattern, Share, Tiles, largest
from surgdsl.curvature.solution import Values, relative_error
from surgdsl.curvature.sparse import masked, refit, sparsegpt
from tests.curvature.cases import correlated, isotropic, least_squares

PATTERNS: tuple[Pattern, ...] = (
    Share(300, "layer"), Share(300, "row"), Share(300, "block"), Few(2, 4), Few(3, 5), Few(1, 40), Tiles(12, 4, 3),
)  # fmt: skip


def plain(weight: Values, gram: Values, pattern: Pattern, damping: float) -> Values:
    """SparseGPT column by column, as the paper has it."""
    values, columns = weight.copy(), weight.shape[1]
    inverse = np.linalg.inv(gram + damping * np.diagonal(gram).mean() * np.eye(columns))
    upper = np.linalg.cholesky(inverse).T
    kept = np.ones(weight.shape, dtype=bool)
    for place in range(columns):
        width = pattern.width(columns)
        if place % width == 0:
            end = min(columns, place + width)
            kept[:, place:end] = pattern.kept((values / np.diagonal(upper))[:, place:end] ** 2, place, columns)
        fixed = values[:, place] * kept[:, place]
        error = (values[:, place] - fixed) / upper[place, place]
        values[:, place:] -= np.outer(error, upper[place, place:])
        values[:, place] = fixed
    return values


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
@pytest.mark.parametrize("inputs", [50, 131])
def test_blocked_sparsegpt_is_the_plain_one(pattern: Pattern, inputs: int) -> None:
    weight, gram = correlated(10, inputs)
    found = sparsegpt(weight, gram, pattern, 0.01, descents=0)
    np.testing.assert_allclose(found.values, plain(weight, gram, pattern, 0.01), atol=1e-9)
    np.testing.assert_array_equal(found.values[~found.kept], 0.0)
    np.testing.assert_array_equal(found.kept, found.values != 0.0)


@given(st.integers(0, 60), st.sampled_from(["layer", "row", "block"]), st.integers(0, 5))
def test_a_share_keeps_exactly_its_count(count: int, scope: str, seed: int) -> None:
    weight, gram = correlated(4, 15, seed=seed)
    found = sparsegpt(weight, gram, Share(count, scope))  # pyright: ignore[reportArgumentType]
    assert found.kept.sum() == count


@given(st.integers(1, 4), st.integers(4, 9), st.integers(1, 20))
def test_every_run_of_an_n_of_m_pattern_has_at_most_n(few: int, of: int, columns: int) -> None:
    kept = Few(few, of).kept(np.random.default_rng(columns).random((3, columns)), 0, columns)
    runs = [kept[:, start : start + of].sum(axis=1) for start in range(0, columns, of)]
    assert all((run == min(few, of, columns - place * of)).all() for place, run in enumerate(runs))


def test_the_largest_stay_and_among_equals_the_first() -> None:
    scores = np.random.default_rng(0).integers(0, 4, (6, 9)).astype(float)
    for count in range(10):
        expected = [sorted(range(9), key=lambda place: (-row[place], place))[:count] for row in scores]
        assert [sorted(one) for one in expected] == [np.flatnonzero(row).tolist() for row in largest(scores, count)]


@given(st.integers(1, 11), st.integers(0, 20))
def test_removing_one_element_is_the_best_of_all_removals(inputs: int, seed: int) -> None:
    weight, gram = correlated(2, inputs, seed=seed)
    found = exact_obs(weight, gram, weight.size - 1, damping=0.0)
    losses = []
    for place in range(weight.size):
        kept = np.ones(weight.size, dtype=bool)
        kept[place] = False
        losses.append(relative_error(weight, least_squares(weight, gram, kept.reshape(weight.shape)), gram))
    assert found.error == pytest.approx(min(losses), rel=1e-6, abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 40))
def test_exact_obs_is_close_to_the_best_of_all_masks(seed: int) -> None:
    weight, gram = correlated(1, 12, seed=seed)
    found = exact_obs(weight, gram, 8, damping=0.0)
    best = np.inf
    for chosen in combinations(range(12), 8):
        kept = np.zeros((1, 12), dtype=bool)
        kept[0, list(chosen)] = True
        best = min(best, relative_error(weight, least_squares(weight, gram, kept), gram))
    assert best * (1 - 1e-9) <= found.error <= best * 2.5


def test_a_row_is_worked_on_in_parts_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, gram = correlated(9, 20)
    whole = exact_obs(weight, gram, 80)
    monkeypatch.setattr("surgdsl.curvature.exact.MEMORY", 2 * 8 * 20 * 20)
    np.testing.assert_array_equal(whole.values, exact_obs(weight, gram, 80).values)


@given(st.integers(1, 11), st.integers(0, 9))
def test_a_refit_is_the_least_squares(inputs: int, seed: int) -> None:
    weight, gram = correlated(5, inputs, seed=seed)
    kept = np.random.default_rng(seed).random(weight.shape) < 0.6
    np.testing.assert_allclose(
        refit(weight, gram, kept, 0.0).values, least_squares(weight, gram, kept), rtol=1e-5, atol=1e-8
    )


def test_a_sweep_over_zeros_that_come_first_is_the_least_squares() -> None:
    weight, gram = correlated(5, 40)
    kept = np.tile(np.arange(40) >= 15, (5, 1))
    np.testing.assert_allclose(
        masked(weight, gram, kept, descents=0).values, refit(weight, gram, kept).values, atol=1e-8
    )


@given(st.integers(0, 9), st.integers(0, 3))
def test_descents_lower_the_loss_down_to_the_least_squares(seed: int, times: int) -> None:
    weight, gram = correlated(4, 24, seed=seed)
    fewer = sparsegpt(weight, gram, Share(48), descents=times)
    more = sparsegpt(weight, gram, Share(48), descents=times + 1)
    np.testing.assert_array_equal(fewer.kept, more.kept)
    np.testing.assert_array_equal(more.values[~more.kept], 0.0)
    assert refit(weight, gram, more.kept, 0.0).error * (1 - 1e-9) <= more.error <= fewer.error * (1 + 1e-9)


def test_what_reads_dead_inputs_is_zero() -> None:
    weight, gram = correlated(3, 8)
    gram[2], gram[:, 2] = 0.0, 0.0
    for found in (sparsegpt(weight, gram, Share(24)), refit(weight, gram, np.ones((3, 8), dtype=bool))):
        assert not found.values[:, 2].any()
        assert (found.dead, found.error) == (1, pytest.approx(0.0, abs=1e-3))


def test_compensation_pays_where_inputs_are_correlated() -> None:
    weight, gram = correlated(64, 128, 2048)
    half = weight.size // 2
    magnitude = relative_error(weight, weight * largest(np.abs(weight).reshape(1, -1), half).reshape(64, 128), gram)
    two_of_four = relative_error(weight, weight * Few(2, 4).kept(np.abs(weight), 0, 128), gram)
    swept, exact = sparsegpt(weight, gram, Share(half, "block"), descents=0).error, exact_obs(weight, gram, half).error
    assert exact <= swept <= 0.05 * magnitude
    assert sparsegpt(weight, gram, Few(2, 4), descents=0).error <= 0.07 * two_of_four


def test_compensation_cannot_pay_where_they_are_not() -> None:
    weight, gram = isotropic(64, 128, 2048)
    half = weight.size // 2
    magnitude = relative_error(weight, weight * largest(np.abs(weight).reshape(1, -1), half).reshape(64, 128), gram)
    assert sparsegpt(weight, gram, Share(half, "block")).error == pytest.approx(magnitude, rel=0.1)
    assert exact_obs(weight, gram, half).error == pytest.approx(magnitude, rel=0.1)
