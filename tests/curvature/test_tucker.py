"""Tucker-2: ranks, sizes, and losses against plain decompositions and least squares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.curvature.lowrank import whitened
from surgdsl.curvature.solution import Values, loss, relative_error
from surgdsl.curvature.tucker import ranks_for, size, tucker
from tests.curvature.cases import correlated


def unfolded(values: Values, channels: int) -> Values:
    return values.reshape(len(values), channels, -1).transpose(1, 0, 2).reshape(channels, -1)


def plain(weight: Values, channels: int, outputs: int, inputs: int) -> Values:
    """The truncated higher-order decomposition, which looks at the kernel alone."""
    left, _, _ = np.linalg.svd(weight, full_matrices=False)
    reduced = left[:, :outputs] @ left[:, :outputs].T @ weight
    sides, _, _ = np.linalg.svd(unfolded(reduced, channels), full_matrices=False)
    both = sides[:, :inputs] @ sides[:, :inputs].T @ unfolded(reduced, channels)
    return both.reshape(channels, len(weight), -1).transpose(1, 0, 2).reshape(weight.shape)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 20), st.data())
def test_both_ranks_are_what_was_asked_for_and_full_ones_lose_nothing(
    outputs: int, channels: int, seed: int, data: st.DataObject
) -> None:
    weight, gram = correlated(outputs, 4 * channels, seed=seed)
    wide, narrow = data.draw(st.integers(1, outputs)), data.draw(st.integers(1, channels))
    found = tucker(weight, gram, channels, wide, narrow)
    assert np.linalg.matrix_rank(found.values, tol=1e-7) <= wide
    assert np.linalg.matrix_rank(unfolded(found.values, channels), tol=1e-7) <= narrow
    if (wide, narrow) == (outputs, channels):
        np.testing.assert_array_equal(weight, found.values)
    if narrow == channels:
        np.testing.assert_allclose(found.values, whitened(weight, gram, wide).values, atol=1e-9)


@pytest.mark.parametrize(("outputs", "inputs"), [(12, 8), (24, 8), (12, 16), (6, 4)])
def test_what_the_layer_reads_is_worth_knowing(outputs: int, inputs: int) -> None:
    weight, gram = correlated(24, 144)
    found = tucker(weight, gram, 16, outputs, inputs)
    assert found.error <= 0.6 * relative_error(weight, plain(weight, 16, outputs, inputs), gram)


def test_no_small_change_of_the_kernel_over_its_mixtures_loses_less() -> None:
    weight, gram = correlated(6, 20)
    found = tucker(weight, gram, 5, 6, 2)
    sides, _, _ = np.linalg.svd(unfolded(found.values, 5), full_matrices=False)
    generator = np.random.default_rng(0)
    for _ in range(20):
        moved = sides[:, :2] @ generator.standard_normal((2, 24)) * 1e-3
        other = found.values + moved.reshape(5, 6, 4).transpose(1, 0, 2).reshape(6, 20)
        assert loss(other - weight, gram) >= loss(found.values - weight, gram) * (1 - 1e-9)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.floats(0.05, 0.95))
def test_ranks_for_a_share_take_no_more_than_it(outputs: int, channels: int, positions: int, share: float) -> None:
    shape = outputs, channels, positions
    most = int(share * outputs * channels * positions)
    found = ranks_for(shape, most)
    assert size(shape, *found) <= most or found == (1, 1)
    assert found[0] in range(1, outputs + 1)
    assert found[1] in range(1, channels + 1)
