"""Bounds of shares and of mean losses in the browser's verifier, against whole integers and against scipy."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.stats import beta as beta_distribution
from scipy.stats import binom

from tests.browser.engine import evaluate

MILLION = 10**6
ABOVE_E = Fraction(2718281829, 10**9)
SCRIPT = """async (base, cases) => {
  const { upperShare, lowerShare, upperMean } = await import(base + "statistics.js");
  const { rational } = await import(base + "rational.js");
  return cases.map(([s, n, share]) => [upperShare, lowerShare, upperMean].map((bound) => bound(s, n, rational(share))));
}"""

Case = tuple[int, int, Fraction]


def drawn(seed: int, sizes: Sequence[int], shares: Sequence[int]) -> list[Case]:
    """Return a case for each number of rows: how many of them, and one over one of the shares."""
    rng = np.random.default_rng(seed)
    return [(int(rng.integers(0, n + 1)), n, Fraction(1, shares[int(rng.integers(len(shares)))])) for n in sizes]


def bounds(cases: list[Case]) -> list[list[int]]:
    return evaluate(SCRIPT, [[s, n, str(share)] for s, n, share in cases])


def smallest(enough: Callable[[int], bool]) -> int:
    low, high = 0, MILLION
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high


def below(s: int, n: int, j: int) -> Fraction:
    """Return P(Bin(n, j / 10^6) <= s), exactly."""
    return Fraction(sum(math.comb(n, i) * j**i * (MILLION - j) ** (n - i) for i in range(s + 1)), MILLION**n)


def hoeffding(c: int, n: int, j: int) -> Fraction:
    """Return p_H of section 6, exactly; 1 where it does not apply."""
    a = Fraction(j, MILLION)
    if a * n <= c:
        return Fraction(1)
    return (a * n / c if c else Fraction(1)) ** c * ((1 - a) * n / (n - c)) ** (n - c)


def test_small_bounds_are_those_of_whole_integers() -> None:
    cases = drawn(6, [1, 2, 3, 5, 8, 13, 21, 34] * 3, [2, 20, 40, 2000, 10**8])
    for (s, n, share), found in zip(cases, bounds(cases), strict=True):
        upper = MILLION if s == n else smallest(lambda j, s=s, n=n, share=share: below(s, n, j) <= share)
        lower = 0 if s == 0 else MILLION - smallest(lambda j, s=s, n=n, share=share: below(n - s, n, j) <= share)
        mean = MILLION
        if s < n:
            bentkus = smallest(lambda j, s=s, n=n, share=share: ABOVE_E * below(s, n, j) <= share)
            mean = min(bentkus, smallest(lambda j, s=s, n=n, share=share: hoeffding(s, n, j) <= share))
        assert [upper, lower, mean] == found, (s, n, share)


def test_a_share_that_is_met_exactly_counts() -> None:
    # P(Bin(1, p) <= 0) = 1 - p and P(Bin(2, p) <= 1) = 1 - p^2: millionths meet these shares without rest.
    found = bounds([(0, 1, Fraction(1, 40)), (1, 2, Fraction(16, 25)), (1, 2, Fraction(639999, 10**6))])
    assert [upper for upper, _, _ in found] == [975000, 600000, 600001]


def test_large_bounds_are_those_of_scipy() -> None:
    cases = drawn(7, [1000, 20000, 200000] * 4, [10, 40, 4000])
    for (s, n, share), (upper, lower, _) in zip(cases, bounds(cases), strict=True):
        above = float(beta_distribution.ppf(1 - float(share), s + 1, n - s))
        under = float(beta_distribution.ppf(float(share), s, n - s + 1))
        assert -1e-3 < upper - above * MILLION < 1 + 1e-3
        assert -1e-3 < under * MILLION - lower < 1 + 1e-3


def test_a_large_mean_is_bounded_by_the_better_of_two_tails() -> None:
    cases = [
        (1234, 50000, Fraction(1, 20)),
        (40, 60000, Fraction(1, 10**6)),
        (150000, 200000, Fraction(1, 40)),
        (0, 9999, Fraction(1, 9)),
    ]

    def reached(c: int, n: int, share: float, j: int) -> bool:
        a = j / MILLION
        logarithm = (c * math.log(a * n / c) if c else 0) + (n - c) * math.log((1 - a) * n / (n - c))
        return bool(float(ABOVE_E) * binom.cdf(c, n, a) <= share or (a * n > c and logarithm <= math.log(share)))

    for (c, n, share), (_, _, mean) in zip(cases, bounds(cases), strict=True):
        assert [reached(c, n, float(share), j) for j in (mean - 1, mean)] == [False, True]


def test_bounds_move_with_the_rows_and_the_confidence() -> None:
    rows = bounds([(s, 500, Fraction(1, 20)) for s in range(0, 501, 25)])
    shares = bounds([(40, 500, Fraction(1, 10**k)) for k in range(1, 20)])
    for earlier, later in pairwise(rows):
        assert all(a < b for a, b in zip(earlier, later, strict=True))
    assert sorted(upper for upper, _, _ in shares) == [upper for upper, _, _ in shares]
