"""The factor of a damped matrix: what it is, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.curvature.factor import curvature
from surgdsl.diagnostic import Refusal
from tests.curvature.cases import correlated


@given(st.integers(1, 12), st.integers(0, 9), st.sampled_from([0.0, 0.01, 1.0]))
def test_the_factor_is_upper_triangular_and_squares_to_the_matrix(inputs: int, seed: int, damping: float) -> None:
    _, gram = correlated(1, inputs, seed=seed)
    order = np.random.default_rng(seed).permutation(inputs)
    found = curvature(gram, damping, order)
    damped = gram + damping * np.diagonal(gram).mean() * np.eye(inputs)
    np.testing.assert_allclose(found.root @ found.root.T, damped[np.ix_(order, order)], rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(found.root, np.triu(found.root))
    np.testing.assert_array_equal(found.upper, np.triu(found.upper))
    np.testing.assert_allclose(found.inverse @ damped[np.ix_(order, order)], np.eye(inputs), atol=1e-8)
    assert (found.attempts, int(found.dead.sum())) == (1, 0)


def test_a_factorization_that_fails_doubles_the_damping_and_counts() -> None:
    gram = np.array([[1.0, 1.05], [1.05, 1.0]])  # its smaller eigenvalue is −0.05
    found = curvature(gram, 0.01)
    assert found.attempts == 4
    assert found.damping == pytest.approx(0.08)


def test_no_damping_at_all_that_fails_starts_small() -> None:
    found = curvature(np.ones((2, 2)), 0.0)
    assert 1 < found.attempts <= 3
    assert 0 < found.damping < 1e-6


def test_a_matrix_without_a_factor_is_an_error() -> None:
    with pytest.raises(Refusal, match="E0806") as refused:
        curvature(np.array([[1.0, 99.0], [99.0, 1.0]]), 0.01)
    assert refused.value.diagnostics[0].label == "no Cholesky factor with 0.01 of its mean diagonal, doubled 10 times"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_an_error(value: float) -> None:
    with pytest.raises(Refusal, match="E0806"):
        curvature(np.array([[1.0, 0.0], [0.0, value]]))


def test_inputs_that_are_never_on_are_dead_and_do_not_dilute_the_damping() -> None:
    found = curvature(np.diag([0.0, 2.0, 4.0]), 0.5)
    assert found.dead.tolist() == [True, False, False]
    assert found.damping == pytest.approx(1.5)
    np.testing.assert_allclose(np.diagonal(found.root) ** 2, [1.0, 3.5, 5.5])


def test_a_layer_that_reads_nothing_but_zeros_has_a_factor() -> None:
    assert curvature(np.zeros((3, 3))).dead.all()
