"""Affine scales: they cover the range of each channel, and zero stays zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surgdsl.bridge.encoding import decode, dense, with_mask
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.payload import Affine, Masked
from surgdsl.surgery.affine import quantize, scales

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)
ORDINARY = st.floats(-(2**20), 2**20, width=32)
ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)


def channels(array: np.ndarray, axis: int) -> list[np.ndarray]:
    return [array] if axis < 0 else [np.take(array, index, axis=axis) for index in range(array.shape[axis])]


@given(hnp.arrays(np.float32, SHAPES, elements=ANY), st.integers(1, 8), st.data())
def test_scales_of_any_finite_values_are_finite_and_positive(array: np.ndarray, bits: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-1, array.ndim - 1))
    scale, zero = scales(array, Affine(bits, axis))
    assert zero is not None
    assert scale.shape == zero.shape == (len(channels(array, axis)),)
    assert np.isfinite(scale).all()
    assert (scale > 0).all()
    assert (zero < 1 << bits).all()


@given(hnp.arrays(np.float32, SHAPES, elements=ORDINARY), st.integers(1, 8), st.data())
def test_the_error_is_at_most_one_step(array: np.ndarray, bits: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-1, array.ndim - 1))
    weight = quantize(dense(array), Affine(bits, axis))
    for scale, before, after in zip(
        weight.parts["scale"], channels(array, axis), channels(decode(weight), axis), strict=True
    ):
        # half a step from rounding the element, half a step from rounding the zero point, and the rounding of float32
        assert np.abs(before.astype(np.float64) - after).max() <= float(scale) * (1 + 1e-4)


@given(hnp.arrays(np.float32, SHAPES, elements=ORDINARY), st.integers(1, 8))
def test_zero_is_exact(array: np.ndarray, bits: int) -> None:
    array.reshape(-1)[0] = 0
    assert decode(quantize(dense(array), Affine(bits, -1))).reshape(-1)[0] == 0


def test_the_scale_and_zero_point_of_a_known_range() -> None:
    scale, zero = scales(np.array([[-1.0, 2.0], [3.0, 6.0], [-4.0, -2.0], [0.0, 0.0]], dtype=np.float32), Affine(4, 0))
    assert zero is not None
    assert scale.tolist() == [np.float32(3 / 15), np.float32(6 / 15), np.float32(4 / 15), 1.0]
    assert zero.tolist() == [5, 0, 15, 0]


def test_masked_elements_do_not_widen_the_range() -> None:
    array = np.array([100.0, 1.0, 2.0, -1.0], dtype=np.float32)
    weight = quantize(with_mask(dense(array), np.array([False, True, True, True])), Affine(2, -1))
    assert weight.encoding == Masked(Affine(2, -1))
    assert weight.parts["scale"].tolist() == [1.0]
    assert decode(weight).tolist() == [0.0, 1.0, 2.0, -1.0]


@pytest.mark.parametrize(("array", "code"), [(np.array([np.inf], dtype=np.float32), "E0506"), (np.array([1]), "E0505")])
def test_what_has_no_scale_is_refused(array: np.ndarray, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        quantize(dense(array), Affine(4, -1))
