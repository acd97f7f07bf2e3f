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


GRIDS = st.builds(Affine, st.integers(2, 8), st.integers(-1, 1), st.integers(0, 9), st.booleans())
MATRICES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=ORDINARY)


def error(array: np.ndarray, grid: Affine, clip: str) -> float:
    return float(((decode(quantize(dense(array), grid, clip)).astype(np.float64) - array) ** 2).sum())


@given(MATRICES, GRIDS)
def test_clipping_is_never_worse_than_the_range(array: np.ndarray, grid: Affine) -> None:
    noise = float(np.spacing(np.abs(array).max())) ** 2 * array.size
    assert error(array, grid, "mse") <= error(array, grid, "range") * (1 + 1e-5) + noise


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("symmetric", [False, True])
def test_clipping_is_near_the_best_of_all_scales_and_zero_points(bits: int, symmetric: bool) -> None:
    draw = np.random.default_rng(bits)
    for array in (draw.normal(size=(1, 200)), draw.standard_t(3, size=(1, 200)), draw.exponential(size=(1, 200))):
        row = array.astype(np.float32)
        wide, top, best = float(np.abs(row).max()), (1 << bits) - 1, np.inf
        for zero in [1 << (bits - 1)] if symmetric else range(top + 1):
            for scale in np.geomspace(wide / top / 30, 2 * wide / top, 400 if symmetric or bits < 8 else 40):
                steps = np.clip(np.rint(row / scale), -zero, top - zero)
                best = min(best, float(((row - steps * scale) ** 2).sum()))
        assert error(row, Affine(bits, 0, symmetric=symmetric), "mse") <= 1.15 * best


@given(MATRICES, GRIDS)
def test_the_scale_of_a_row_depends_on_that_row_alone(array: np.ndarray, grid: Affine) -> None:
    grid = Affine(grid.bits, 0, grid.group, grid.symmetric)
    whole, one = quantize(dense(array), grid, "mse"), quantize(dense(array[:1]), grid, "mse")
    if whole.parts["scale"].dtype == one.parts["scale"].dtype:
        assert np.array_equal(whole.parts["scale"][:1], one.parts["scale"])


@given(MATRICES, st.integers(2, 8))
def test_a_symmetric_range_holds_every_element(array: np.ndarray, bits: int) -> None:
    weight = quantize(dense(array), Affine(bits, 0, symmetric=True))
    assert "zero" not in weight.parts
    for scale, before, after in zip(weight.parts["scale"], array, decode(weight), strict=True):
        assert np.abs(before.astype(np.float64) - after).max() <= float(scale) * (0.5 + 1e-4)


def test_scales_of_groups_are_halves_where_these_suffice() -> None:
    array = np.array([[1.0, 2.0, 3.0, -4.0]], dtype=np.float32)
    assert quantize(dense(array), Affine(4, 0, 2)).parts["scale"].dtype == np.float16
    assert quantize(dense(array), Affine(4, 0)).parts["scale"].dtype == np.float32
    for factor in (np.float32(1e-6), np.float32(1e8)):
        assert quantize(dense(array * factor), Affine(4, 0, 2)).parts["scale"].dtype == np.float32


@pytest.mark.parametrize(("array", "code"), [(np.array([np.inf], dtype=np.float32), "E0506"), (np.array([1]), "E0505")])
def test_what_has_no_scale_is_refused(array: np.ndarray, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        quantize(dense(array), Affine(4, -1))
