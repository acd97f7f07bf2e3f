"""Confidence limits of a mean of losses between 0 and 1, by Hoeffding (1963) and Bentkus (2004), on a grid.

The smaller of the two is a limit as well (Bates et al. 2021, Angelopoulos et al. 2021): Hoeffding's is the tighter one
where the sum of the losses is a few rows, Bentkus's, a binomial tail times e, elsewhere.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from scipy.special import rel_entr

from surgdsl.metrics.binomial import GRID, PRECISE, TOO_NEAR, first, upper

E_ABOVE = Fraction(2718281829, 10**9)
"""A rational above e."""


def mean_limit(total: Fraction, rows: int, risk: Fraction) -> Fraction:
    """What the mean of the population exceeds with a probability of at most `risk`, `total` being the sum of the rows.

    >>> mean_limit(Fraction(0), 1000, Fraction(1, 20)), mean_limit(Fraction(1000), 1000, Fraction(1, 20))
    (Fraction(187, 62500), Fraction(1, 1))
    """
    assert 0 <= total <= rows
    whole = math.ceil(total)
    if whole == rows:
        return Fraction(1)
    guess = _guess(whole / rows, rows, float(risk))
    hoeffding = Fraction(first(guess, lambda k: hoeffding_at_most(whole, rows, k, risk)), GRID)
    return min(hoeffding, upper(whole, rows, risk / E_ABOVE))


def hoeffding_at_most(whole: int, rows: int, numerator: int, risk: Fraction) -> bool:
    """Whether exp(−n·KL(c/n ‖ a)) ≤ risk for a = numerator/GRID above c/n; false below.

    Decided by logarithms of 60 digits, and where these are too near to one another, by whole numbers.
    """
    if numerator * rows <= whole * GRID:
        return False
    if numerator == GRID:
        return True
    rest = rows - whole
    tops = ((numerator * rows, whole), ((GRID - numerator) * rows, rest), (risk.denominator, 1))
    bottoms = ((GRID, rows), (whole, whole), (rest, rest), (risk.numerator, 1))
    gap = _logarithm(tops) - _logarithm(bottoms)
    if abs(gap) > TOO_NEAR:
        return gap < 0
    return math.prod(base**power for base, power in tops) <= math.prod(base**power for base, power in bottoms)


def _logarithm(powers: tuple[tuple[int, int], ...]) -> Decimal:
    parts = (PRECISE.multiply(power, PRECISE.ln(base)) for base, power in powers if power)
    return sum(parts, start=Decimal(0))


def _guess(share: float, rows: int, risk: float) -> int:
    """Where KL(share ‖ a) is −ln(risk)/n, by halving in floating point, in units of the grid."""
    low, high = share, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        apart = float(rel_entr(share, middle) + rel_entr(1 - share, 1 - middle))
        low, high = (middle, high) if apart * rows < -math.log(risk) else (low, middle)
    return round(high * GRID)
