"""Low rank: the loss is what was left out, and nothing of that rank does better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.curvature.lowrank import rank_for, saves, spectrum, svd, whitened
from surgdsl.curvature.solution import Values, loss
from tests.curvature.cases import correlated, isotropic


def by_cholesky(weight: Values, gram: Values, rank: int) -> Values:
    """SVD-LLM as its paper has it."""
    lower = np.linalg.cholesky(gram)
    left, sigma, right = np.linalg.svd(weight @ lower, full_matrices=False)
    return np.asarray((left[:, :rank] * sigma[:rank]) @ np.linalg.solve(lower.T, right[:rank].T).T, dtype=np.float64)


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_loss_is_the_sum_of_what_was_left_out(outputs: int, inputs: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, min(outputs, inputs)))
    weight, gram = correlated(outputs, inputs, seed=outputs)
    found = whitened(weight, gram, rank)
    whole = loss(weight, gram)
    assert loss(found.values - weight, gram) == pytest.approx(found.discarded, rel=1e-8, abs=1e-10 * whole)
    assert spectrum(weight, gram)[rank] == pytest.approx(found.discarded, rel=1e-8, abs=1e-10 * whole)
    assert np.linalg.matrix_rank(found.values) <= rank
    np.testing.assert_allclose(found.left.T @ found.left, np.eye(rank), atol=1e-9)
    np.testing.assert_allclose(found.values, by_cholesky(weight, gram, rank), atol=1e-6 * np.abs(weight).max())


def test_no_other_matrix_of_that_rank_loses_less() -> None:
    weight, gram = correlated(7, 9)
    generator, found = np.random.default_rng(1), whitened(weight, gram, 3)
    for scale in (1e-3, 1e-2, 0.1):
        left = found.left + scale * generator.standard_normal(found.left.shape)
        right = found.right + scale * generator.standard_normal(found.right.shape)
        assert loss(left @ right - weight, gram) > found.discarded


def test_fewer_rows_than_inputs_are_enough() -> None:
    weight, gram = correlated(9, 20, rows=5)
    for one in (weight, np.vstack([weight, weight[::-1], weight * 2 + 1])):
        found = whitened(one, gram, 5)
        assert found.error < 1e-12
        assert np.linalg.matrix_rank(found.values) == 5


def test_without_data_it_is_the_decomposition_of_the_weight() -> None:
    weight, _ = correlated(6, 8)
    found = svd(weight, np.eye(8), 2)
    np.testing.assert_allclose(found.values, whitened(weight, np.eye(8), 2).values, atol=1e-9)
    assert loss(found.values - weight, np.eye(8)) == pytest.approx(found.discarded)


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.01, 0.99))
def test_a_rank_for_a_share_takes_no_more_than_it(outputs: int, inputs: int, share: float) -> None:
    rank = rank_for(outputs, inputs, share)
    assert rank == 1 or rank * (outputs + inputs) <= share * outputs * inputs
    assert (rank + 1) * (outputs + inputs) > share * outputs * inputs
    assert saves(outputs, inputs, rank) == (rank * outputs + rank * inputs < outputs * inputs)


def test_knowing_what_is_read_pays_where_inputs_are_correlated() -> None:
    weight, gram = correlated(64, 128, 2048)
    assert whitened(weight, gram, 32).error <= 0.05 * svd(weight, gram, 32).error
    weight, gram = isotropic(64, 128, 2048)
    assert whitened(weight, gram, 32).error == pytest.approx(svd(weight, gram, 32).error, rel=0.1)
