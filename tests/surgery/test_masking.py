"""Masking: exactly so many stay, the largest, and the lower index among equals."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surgdsl.surgery.masking import keep_largest

SCORES = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=5), elements=st.integers(0, 5).map(float))


@given(SCORES, st.data())
def test_the_kept_elements_are_the_first_by_score_and_then_by_index(scores: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, scores.size))
    order = sorted(range(scores.size), key=lambda place: (-scores.reshape(-1)[place], place))
    mask = keep_largest(scores, count)
    assert mask.shape == scores.shape
    assert sorted(order[:count]) == np.flatnonzero(mask).tolist()
