"""GPTQ against a plain loop, its closed-form loss, and rounding to nearest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.curvature.factor import curvature
from surgdsl.curvature.grid import Grid, gptq, ranged
from surgdsl.curvature.levels import Order
from surgdsl.curvature.solution import Values, loss, relative_error
from tests.curvature.cases import correlated, isotropic


def plain(weight: Values, gram: Values, grid: Grid, order: list[int]) -> tuple[Values, float]:
    """GPTQ column by column, and the sum of its squared errors."""
    values, total = weight[:, order].copy(), 0.0
    upper = np.linalg.cholesky(curvature(gram, 0.01, np.array(order)).inverse).T
    for place, column in enumerate(order):
        alone = Grid(grid.bits, grid.scale, grid.zero, grid.group[[column]])
        fixed = alone.nearest(values[:, [place]])[:, 0]
        error = (values[:, place] - fixed) / upper[place, place]
        values[:, place:] -= np.outer(error, upper[place, place:])
        values[:, place] = fixed
        total += float(error @ error)
    return values[:, np.argsort(order)], total


@pytest.mark.parametrize("order", ["activation", "given"])
@pytest.mark.parametrize(("inputs", "group"), [(7, 0), (50, 8), (133, 0)])
def test_blocked_gptq_is_the_plain_one_and_its_loss_is_known(order: Order, inputs: int, group: int) -> None:
    weight, gram = correlated(6, inputs)
    grid = ranged(weight, 3, group)
    taken = np.argsort(-np.diagonal(gram)).tolist() if order == "activation" else list(range(inputs))
    expected, total = plain(weight, gram, grid, taken)
    found = gptq(weight, gram, grid, order, descents=0)
    np.testing.assert_allclose(found.values, expected, atol=1e-9)
    damped = gram + found.damping * np.eye(inputs)
    assert loss(found.values - weight, damped) == pytest.approx(total, rel=1e-8)


@given(st.integers(0, 9), st.integers(1, 4), st.integers(0, 3))
def test_descents_only_lower_the_loss_and_end_where_no_element_alone_can(seed: int, bits: int, times: int) -> None:
    weight, gram = correlated(3, 9, seed=seed)
    grid = ranged(weight, bits)
    fewer, more = (gptq(weight, gram, grid, descents=count) for count in (times, times + 1))
    assert more.error <= fewer.error * (1 + 1e-9)
    settled = gptq(weight, gram, grid, descents=60).values
    for column in range(9):
        for code in range(1 << bits):
            other = settled.copy()
            other[:, column] = (code - grid.zero[:, 0]) * grid.scale[:, 0]
            assert (np.einsum("od,de,oe->o", other - weight, gram, other - weight) * (1 + 1e-9) + 1e-9
                    >= np.einsum("od,de,oe->o", settled - weight, gram, settled - weight)).all()  # fmt: skip


@given(st.integers(1, 8), st.booleans(), st.integers(0, 5), st.integers(0, 5))
def test_what_is_rounded_lies_on_the_grid(bits: int, symmetric: bool, group: int, seed: int) -> None:
    weight, gram = correlated(3, 11, seed=seed)
    grid = ranged(weight, bits, group, symmetric=symmetric)
    found = gptq(weight, gram, grid).values
    np.testing.assert_array_equal(found, grid.nearest(found))
    codes = found / grid.scale[:, grid.group] + grid.zero[:, grid.group]
    assert codes.min() > -1e-9
    assert codes.max() < (1 << bits) - 1 + 1e-9


def test_the_nearest_value_is_the_nearest_of_all() -> None:
    weight, _ = correlated(4, 9)
    grid = ranged(weight, 2)
    every = grid.scale[:, :, None] * (np.arange(4.0) - grid.zero[:, :, None])  # [o, 1, codes]
    far = np.abs(weight[:, :, None] - every).min(axis=2)
    np.testing.assert_allclose(np.abs(grid.nearest(weight) - weight), far, atol=1e-12)


def test_one_scale_may_serve_all_rows() -> None:
    weight, gram = correlated(4, 9)
    grid = ranged(weight.reshape(1, -1), 4)
    one = Grid(4, grid.scale, grid.zero, np.zeros(9, dtype=np.intp))
    many = Grid(4, np.repeat(grid.scale, 4, axis=0), np.repeat(grid.zero, 4, axis=0), np.zeros(9, dtype=np.intp))
    np.testing.assert_array_equal(gptq(weight, gram, one).values, gptq(weight, gram, many).values)


@pytest.mark.parametrize("bits", [4, 3, 2])
def test_compensation_pays_where_inputs_are_correlated(bits: int) -> None:
    given_order, by_activation = [], []
    for seed in range(5):
        weight, gram = correlated(64, 128, 2048, seed)
        grid = ranged(weight, bits)
        nearest = relative_error(weight, grid.nearest(weight), gram)
        given_order.append(gptq(weight, gram, grid, "given").error / nearest)
        by_activation.append(gptq(weight, gram, grid).error / nearest)
    assert np.median(given_order) <= 0.25
    assert np.median(by_activation) <= 0.15


@pytest.mark.parametrize("bits", [4, 3, 2])
def test_compensation_cannot_pay_where_they_are_not(bits: int) -> None:
    weight, gram = isotropic(64, 128, 2048)
    grid = ranged(weight, bits)
    nearest = relative_error(weight, grid.nearest(weight), gram)
    assert gptq(weight, gram, grid).error == pytest.approx(nearest, rel=0.1)
