"""Bounds are what the page defines, to the millionth: against scipy, against fractions, and against the compiler's."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.metrics.binomial import lower, upper
from surgdsl.metrics.bounded import mean_limit
from surgdsl.verifier import claims
from surgdsl.verifier.statistics import ABOVE_E, UNIT, highest, lowest, mean
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of
from tests.verifier.test_promises import losses

SCIPY: Any = scipy.stats  # its stubs leave types open
risks = st.fractions(Fraction(1, 10**6), Fraction(999, 1000), max_denominator=10**6)
hits_of_rows = st.integers(1, 400).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))
totals = st.integers(1, 60).flatmap(lambda rows: st.tuples(st.integers(0, rows * UNIT), st.just(rows)))


@given(hits_of_rows, risks)
@settings(deadline=None)
def test_a_bound_of_a_share_is_a_quantile_of_the_beta_distribution(counts: tuple[int, int], risk: Fraction) -> None:
    hits, rows = counts
    high = 1.0 if hits == rows else float(SCIPY.beta.ppf(1 - float(risk), hits + 1, rows - hits))
    low = 0.0 if hits == 0 else float(SCIPY.beta.ppf(float(risk), hits, rows - hits + 1))
    assert highest(hits, rows, risk) == pytest.approx(math.ceil(high * UNIT - 1e-3), abs=1)
    assert lowest(hits, rows, risk) == pytest.approx(math.floor(low * UNIT + 1e-3), abs=1)


@given(hits_of_rows)
@settings(deadline=None)
def test_both_bounds_are_the_exact_interval_of_scipy(counts: tuple[int, int]) -> None:
    hits, rows = counts
    interval: Any = SCIPY.binomtest(hits, rows).proportion_ci(0.95, "exact")
    assert lowest(hits, rows, Fraction(1, 40)) / UNIT == pytest.approx(interval.low, abs=1.5e-6)
    assert highest(hits, rows, Fraction(1, 40)) / UNIT == pytest.approx(interval.high, abs=1.5e-6)


def within(total: Fraction, rows: int, risk: Fraction, a: Fraction) -> bool:
    """Whether one of the p-values of the page is at most the risk, in fractions."""
    count = math.ceil(total)
    tail = sum(math.comb(rows, i) * a**i * (1 - a) ** (rows - i) for i in range(count + 1))
    if ABOVE_E * tail <= risk:
        return True
    if a * rows <= count:
        return False
    below = (a * rows / count) ** count if count else Fraction(1)
    return below * ((1 - a) * rows / (rows - count)) ** (rows - count) <= risk


@given(totals, risks)
@settings(deadline=None)
def test_a_bound_of_a_mean_is_the_least_that_a_p_value_admits(sums: tuple[int, int], risk: Fraction) -> None:
    total, rows = Fraction(sums[0], UNIT), sums[1]
    found = mean(total, rows, risk)
    assert total <= Fraction(found * rows, UNIT)
    if math.ceil(total) == rows:
        assert found == UNIT
        return
    assert within(total, rows, risk, Fraction(found, UNIT))
    assert not within(total, rows, risk, Fraction(found - 1, UNIT))


@given(st.integers(1, 3000), st.data(), risks)
@settings(deadline=None)
def test_the_compiler_computes_the_same_bounds(rows: int, data: st.DataObject, risk: Fraction) -> None:
    hits = data.draw(st.integers(0, rows))
    total = data.draw(st.fractions(0, rows, max_denominator=UNIT))
    assert Fraction(highest(hits, rows, risk), UNIT) == upper(hits, rows, risk)
    assert Fraction(lowest(hits, rows, risk), UNIT) == lower(hits, rows, risk)
    assert Fraction(mean(total, rows, risk), UNIT) == mean_limit(total, rows, risk)


@given(hits_of_rows, risks, risks)
@settings(deadline=None)
def test_less_risk_and_more_hits_give_higher_bounds(counts: tuple[int, int], one: Fraction, other: Fraction) -> None:
    hits, rows = counts
    least, most = sorted((one, other))
    assert highest(hits, rows, most) <= highest(hits, rows, least)
    assert lowest(hits, rows, least) <= lowest(hits, rows, most)
    assert mean(Fraction(hits), rows, most) <= mean(Fraction(hits), rows, least)
    if hits < rows:
        assert highest(hits, rows, one) <= highest(hits + 1, rows, one)
        assert mean(Fraction(hits), rows, one) <= mean(Fraction(hits + 1), rows, one)


@pytest.mark.parametrize(("hits", "rows", "risk", "bound"), [(0, 1, "1/2", 500_000), (1, 2, "1/4", 866_026)])
def test_where_the_leading_bits_agree_whole_numbers_decide(hits: int, rows: int, risk: str, bound: int) -> None:
    """P(Bin(1, 1/2) ≤ 0) is 1/2 exactly, which no approximation tells from a little more."""
    assert highest(hits, rows, Fraction(risk)) == bound


def test_a_mean_of_half_of_nothing_meets_hoeffding_exactly() -> None:
    assert mean(Fraction(0), 1, Fraction(1, 2)) == 500_000  # (1 − a) ≤ 1/2


@pytest.mark.parametrize("candidates", [1, 4, 1000])
def test_a_risk_is_shared_by_all_candidates(candidates: int) -> None:
    rows = [[i, 0, 0, int(i < 7)] for i in range(100)]
    log = claims.summed({"data": {"name": "test"}, "kind": "predictions", "rows": rows})
    claim = {"confidence": "19/20", "candidates": candidates, "measure": "accuracy"}
    assert claims.bound(claim, log) == Fraction(lowest(93, 100, Fraction(1, 20 * candidates)), UNIT)
    claim["measure"] = "accuracyDrop"
    drop = highest(7, 100, Fraction(1, 40 * candidates)) - lowest(0, 100, Fraction(1, 40 * candidates))
    assert claims.bound(claim, log) == Fraction(drop, UNIT)


PREDICTED = [[i, i % 3, i % 3, (i + (i == 4)) % 3] for i in range(40)]
LOST = [[i, 100_000, 120_000 + i] for i in range(40)]
BOUNDS = [
    ("accuracy", ">=", "0", 1),
    ("accuracyDrop", "<=", "1", -1),
    ("loss", "<=", "1", -1),
    ("lossRise", "<=", "1", -1),
]


@pytest.mark.parametrize(("measure", "relation", "limit", "better"), BOUNDS)
@pytest.mark.parametrize("forged", [-1, 0, 1])
def test_a_bound_forged_by_a_millionth_is_refused(
    tmp_path: Path, measure: str, relation: str, limit: str, better: int, forged: int
) -> None:
    rows = PREDICTED if measure.startswith("accuracy") else LOST
    log = {"data": {"name": "test"}, "kind": claims.KINDS[measure], "loss": "l", "rows": rows}
    bound = claims.bound({"confidence": "19/20", "candidates": 1, "measure": measure}, claims.summed(log))
    f = s.mlp()
    s.recover(f)
    evidence = s.log(f, rows) if measure.startswith("accuracy") else losses(f, rows)
    stated = str(bound + Fraction(forged * better, UNIT))
    f.claims = [s.measured(evidence, limit, measure=measure, relation=relation, confidence="19/20", bound=stated)]
    assert code_of(f.write(tmp_path / "job")) == ("V17" if forged > 0 else "")


def test_two_hundred_thousand_rows_take_seconds() -> None:
    start = time.process_time()
    assert highest(10_000, 200_000, Fraction(1, 40)) == 50_965
    assert mean(Fraction(10_000), 200_000, Fraction(1, 20)) == 51_028
    assert time.process_time() - start < 20
