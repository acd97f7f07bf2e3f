"""Whole columns removed, against enumeration and least squares."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.curvature.solution import Values, relative_error
from surgdsl.curvature.structured import structured, without
from tests.curvature.cases import correlated, isotropic, least_squares


def removed(weight: Values, gram: Values, columns: list[int]) -> float:
    kept = np.ones(weight.shape, dtype=bool)
    kept[:, columns] = False
    return relative_error(weight, least_squares(weight, gram, kept), gram)


@given(st.integers(0, 30), st.sampled_from([1, 2, 3]))
def test_the_first_group_to_go_is_the_one_that_costs_least(seed: int, size: int) -> None:
    weight, gram = correlated(4, 12, seed=seed)
    groups = np.random.default_rng(seed).permutation(12).reshape(-1, size)
    losses = [removed(weight, gram, group.tolist()) for group in groups]
    found = structured(weight, gram, groups, 1, damping=0.0)
    assert (int(np.argmin(losses)),) == found.removed
    np.testing.assert_allclose(found.scores / np.vdot(weight @ gram, weight), losses, rtol=1e-5, atol=1e-9)


@settings(max_examples=25)
@given(st.integers(0, 60), st.integers(1, 8))
def test_with_exchanges_it_is_close_to_the_best_of_all_choices(seed: int, count: int) -> None:
    weight, gram = correlated(5, 12, seed=seed)
    groups = np.arange(12)[:, None]
    best = min(removed(weight, gram, list(chosen)) for chosen in combinations(range(12), count))
    greedy = structured(weight, gram, groups, count, damping=0.0)
    better = structured(weight, gram, groups, count, damping=0.0, swaps=20)
    assert best * (1 - 1e-6) <= better.error <= greedy.error * (1 + 1e-6)
    assert better.error <= 1.05 * best


@given(st.integers(0, 9), st.integers(0, 4), st.integers(0, 3))
def test_columns_of_removed_groups_are_zero_and_all_others_refitted(seed: int, count: int, swaps: int) -> None:
    weight, gram = correlated(3, 10, seed=seed)
    groups = np.arange(8).reshape(4, 2)
    found = structured(weight, gram, groups, count, swaps=swaps)
    gone = groups[list(found.removed)].reshape(-1)
    assert count == len(set(found.removed))
    assert not found.values[:, gone].any()
    np.testing.assert_allclose(found.values, without(weight, gram, gone).values, atol=1e-9)


def test_without_is_the_least_squares() -> None:
    weight, gram = correlated(6, 9)
    kept = np.ones((6, 9), dtype=bool)
    kept[:, [0, 4]] = False
    found = without(weight, gram, np.array([4, 0]), damping=0.0)
    np.testing.assert_allclose(found.values, least_squares(weight, gram, kept), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(without(weight, gram, np.zeros(0, dtype=np.intp)).values, weight)


def test_what_reads_dead_inputs_goes_first() -> None:
    weight, gram = correlated(3, 6)
    gram[4], gram[:, 4] = 0.0, 0.0
    found = structured(weight, gram, np.arange(6)[:, None], 1)
    assert (found.removed, found.dead) == ((4,), 1)
    assert found.error == pytest.approx(0.0, abs=1e-9)


def test_compensation_pays_where_inputs_are_correlated() -> None:
    weight, gram = correlated(64, 128, 2048)
    smallest = np.argsort(np.square(weight).sum(axis=0))[:32]
    plain = weight.copy()
    plain[:, smallest] = 0.0
    found = structured(weight, gram, np.arange(128)[:, None], 32)
    assert found.error <= 0.005 * relative_error(weight, plain, gram)


def test_compensation_cannot_pay_where_they_are_not() -> None:
    weight, gram = isotropic(64, 128, 2048)
    smallest = np.argsort(np.square(weight).sum(axis=0))[:32]
    plain = weight.copy()
    plain[:, smallest] = 0.0
    found = structured(weight, gram, np.arange(128)[:, None], 32)
    assert found.error == pytest.approx(relative_error(weight, plain, gram), rel=0.1)
