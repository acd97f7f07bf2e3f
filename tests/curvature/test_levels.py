"""Levels: the sweep onto any values is GPTQ where they are a grid, and keeps zeros and codebooks where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.curvature.grid import gptq, on_grid, ranged
from surgdsl.curvature.levels import fixed, in_codebook, keeping
from surgdsl.curvature.solution import relative_error
from tests.curvature.cases import correlated

ENTRIES = np.array([-1.7, -0.6, -0.1, 0.2, 0.9, 2.0])


@pytest.mark.parametrize("order", ["activation", "given"])
@pytest.mark.parametrize("group", [0, 5])
def test_on_a_grid_it_is_gptq(order: str, group: int) -> None:
    weight, gram = correlated(6, 33)
    grid = ranged(weight, 3, group)
    assert order in ("activation", "given")
    expected = gptq(weight, gram, grid, order)
    np.testing.assert_allclose(fixed(weight, gram, on_grid(grid), order).values, expected.values, atol=1e-12)


@given(st.integers(0, 20))
def test_every_value_is_an_entry_of_the_codebook(seed: int) -> None:
    weight, gram = correlated(4, 17, seed=seed)
    found = fixed(weight, gram, in_codebook(ENTRIES))
    assert set(np.unique(found.values)) <= set(ENTRIES)
    nearest = ENTRIES[np.argmin(np.abs(weight[:, :, None] - ENTRIES), axis=2)]
    assert found.error < relative_error(weight, nearest, gram)


def test_the_nearest_entry_and_the_lower_among_equals() -> None:
    nearest = in_codebook(np.array([-1.0, 0.0, 2.0]))
    assert nearest(0, np.array([-9.0, -0.5, -0.4, 1.0, 1.1, 9.0])).tolist() == [-1.0, -1.0, 0.0, 0.0, 2.0, 2.0]


@given(st.integers(0, 20))
def test_zeros_stay_and_are_made_up_for(seed: int) -> None:
    weight, gram = correlated(4, 17, seed=seed)
    kept = np.random.default_rng(seed).random(weight.shape) < 0.6
    masked = np.where(kept, weight, 0.0)
    grid = ranged(masked, 4)
    found = fixed(masked, gram, keeping(on_grid(grid), kept))
    assert not found.values[~kept].any()
    np.testing.assert_array_equal(found.values, grid.nearest(found.values))
    assert found.error < relative_error(masked, grid.nearest(masked), gram)
