"""The bound of a mean is the one that the certificate defines, and it covers what it says it covers."""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction

import numpy as np
import pytest

from surgdsl.metrics.binomial import GRID, upper
from surgdsl.metrics.bounded import E_ABOVE, hoeffding_at_most, mean_limit
from surgdsl.metrics.loss import Lost, lost

RISK = Fraction(1, 20)


def divergence(share: float, other: float) -> float:
    """KL of two coins, in nats."""
    first = share * math.log(share / other) if share else 0.0
    return first + ((1 - share) * math.log((1 - share) / (1 - other)) if share < 1 else 0.0)


@pytest.mark.parametrize(("whole", "rows"), [(0, 10), (3, 10), (9, 10), (50, 1000), (500, 1000), (40, 20000)])
def test_hoeffding_is_the_divergence_of_two_coins(whole: int, rows: int) -> None:
    grid = range(whole * GRID // rows + 1, GRID)
    found = grid[bisect_left(grid, 1, key=lambda k: hoeffding_at_most(whole, rows, k, RISK))]
    assert math.exp(-rows * divergence(whole / rows, found / GRID)) <= float(RISK) * (1 + 1e-9)
    assert math.exp(-rows * divergence(whole / rows, (found - 1) / GRID)) > float(RISK) * (1 - 1e-9)


def test_nothing_at_or_below_the_mean_is_a_bound() -> None:
    assert not hoeffding_at_most(50, 100, GRID // 2, RISK)
    assert hoeffding_at_most(50, 100, GRID, RISK)


def test_few_losses_are_bounded_by_hoeffding_and_many_by_bentkus() -> None:
    few, many = mean_limit(Fraction(1), 1000, RISK), mean_limit(Fraction(500), 1000, RISK)
    assert many == upper(500, 1000, RISK / E_ABOVE)
    assert not hoeffding_at_most(500, 1000, int(many * GRID), RISK)
    assert few < upper(1, 1000, RISK / E_ABOVE) < Fraction(6, 1000)


def test_a_sum_counts_as_the_next_whole_number_of_rows() -> None:
    assert mean_limit(Fraction(7), 100, RISK) == mean_limit(Fraction(61, 10), 100, RISK)
    assert mean_limit(Fraction(61, 10), 100, RISK) > mean_limit(Fraction(6), 100, RISK)


def test_the_bounds_cover_the_true_mean_and_the_true_rise_as_often_as_they_say() -> None:
    draw, confidence = np.random.default_rng(3), Fraction(8, 10)
    covered = [0, 0]
    for _ in range(200):
        before = draw.beta(1, 9, size=150)
        after = np.minimum(1, before + draw.beta(1, 19, size=150))
        made = lost(*(np.ceil(one * GRID).astype(np.int64) for one in (before, after)))
        covered[0] += made.mean_bound(confidence) >= Fraction(149, 1000)  # the true mean is a little less than 0.15
        covered[1] += made.rise_bound(confidence) >= Fraction(1, 20)
    assert min(covered) >= 160


def test_candidates_share_the_risk() -> None:
    made = Lost(rows=300, before=40 * GRID, after=50 * GRID)
    assert made.mean_bound(Fraction(19, 20), 5) == made.mean_bound(Fraction(99, 100))
    assert made.rise_bound(Fraction(19, 20), 5) == made.rise_bound(Fraction(99, 100))
    assert made.rise < made.rise_bound(Fraction(19, 20)) < made.rise_bound(Fraction(19, 20), 2)
