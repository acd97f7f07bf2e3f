"""The paired bound is the one that the certificate defines, and it covers what it says it covers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr, bdtrc

from surgdsl.metrics.accuracy import Paired, paired
from surgdsl.metrics.binomial import GRID, lower, tail_at_most, upper

RISKS = st.sampled_from([Fraction(1, 40), Fraction(1, 20), Fraction(1, 200), Fraction(1, 3), Fraction(99, 100)])


def at_most(hits: int, trials: int, share: Fraction) -> Fraction:
    """P(Bin(trials, share) ≤ hits), term by term."""
    return sum(
        (math.comb(trials, i) * share**i * (1 - share) ** (trials - i) for i in range(hits + 1)), start=Fraction(0)
    )


@given(st.integers(1, 15), st.data(), RISKS)
def test_limits_are_those_of_the_definition(trials: int, data: st.DataObject, risk: Fraction) -> None:
    hits = data.draw(st.integers(0, trials))
    above, below = upper(hits, trials, risk), lower(hits, trials, risk)
    assert (above * GRID).denominator == (below * GRID).denominator == 1
    step = Fraction(1, GRID)
    if hits < trials:
        assert at_most(hits, trials, above) <= risk
        assert above == 0 or at_most(hits, trials, above - step) > risk
    else:
        assert above == 1
    if hits:
        assert 1 - at_most(hits - 1, trials, below) <= risk
        assert below == 1 or 1 - at_most(hits - 1, trials, below + step) > risk
    else:
        assert below == 0


@given(st.integers(1, 12), st.data(), st.integers(0, GRID), RISKS)
def test_the_tail_is_exact(trials: int, data: st.DataObject, numerator: int, risk: Fraction) -> None:
    hits = data.draw(st.integers(0, trials - 1))
    expected = at_most(hits, trials, Fraction(numerator, GRID)) <= risk
    assert expected == tail_at_most(hits, trials, numerator, risk)


@pytest.mark.parametrize(
    ("hits", "trials"), [(0, 1000), (7, 1000), (500, 1000), (993, 1000), (150, 10000), (9990, 10000)]
)
def test_limits_agree_with_the_floating_point_tail(hits: int, trials: int) -> None:
    above, below = float(upper(hits, trials, Fraction(1, 40))), float(lower(hits, trials, Fraction(1, 40)))
    assert bdtr(hits, trials, above) <= 0.025 + 1e-9
    assert bdtr(hits, trials, above - 2 / GRID) > 0.025
    assert bdtrc(hits - 1, trials, below) <= 0.025 + 1e-9 or hits == 0
    assert bdtrc(hits - 1, trials, below + 2 / GRID) > 0.025


def test_rows_are_counted_in_pairs() -> None:
    labels = np.array([0, 1, 2, 3, 4, 5])
    pair = paired(labels, np.array([0, 1, 2, 0, 0, 0]), np.array([0, 1, 0, 3, 0, 5]))
    assert pair == Paired(rows=6, before=3, lost=1, gained=2)
    assert pair.after == 4
    assert pair.drop == Fraction(-1, 6)


def test_the_bound_is_upper_of_lost_less_lower_of_gained() -> None:
    pair = Paired(rows=1000, before=950, lost=12, gained=4)
    assert pair.bound(Fraction(95, 100)) == upper(12, 1000, Fraction(1, 40)) - lower(4, 1000, Fraction(1, 40))
    assert pair.drop < pair.bound(Fraction(90, 100)) < pair.bound(Fraction(99, 100))


def test_the_bound_covers_the_true_drop_as_often_as_it_says() -> None:
    draw, confidence = np.random.default_rng(5), Fraction(9, 10)
    lost_share, gained_share, rows = 0.03, 0.01, 400
    shares = [lost_share, gained_share, 1 - lost_share - gained_share]
    counts: list[tuple[int, int]] = [(int(b), int(c)) for b, c, _ in draw.multinomial(rows, shares, size=300)]
    bounds = {(b, c): Paired(rows, rows - c, b, c).bound(confidence) for b, c in set(counts)}
    covered = sum(float(bounds[pair]) >= lost_share - gained_share for pair in counts)
    assert covered >= 0.9 * len(counts)
