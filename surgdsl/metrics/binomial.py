"""Exact confidence limits of a share, by Clopper and Pearson (1934), in integers.

Limits are multiples of one millionth, and a comparison decides them, so that nobody has to trust a tail in floating
point: a first guess comes from the beta distribution, then the definition itself moves it to its place.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

from scipy.special import betaincinv

GRID = 10**6
"""Limits are multiples of 1/GRID."""
PRECISE = Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""Sixty digits, with exponents that no probability of ours leaves."""
TOO_NEAR = Decimal("1e-45")
"""A relative difference that sixty digits do not decide, after a million operations."""


def tail_at_most(hits: int, trials: int, numerator: int, risk: Fraction) -> bool:
    """Whether P(Bin(trials, p) ≤ hits) ≤ risk for p = numerator/GRID: both sides times GRID^trials are integers.

    >>> tail_at_most(0, 2, GRID // 2, Fraction(1, 4)), tail_at_most(0, 2, GRID // 2 - 1, Fraction(1, 4))
    (True, False)
    """
    rough = PRECISE.multiply(_rough(hits, trials, numerator), risk.denominator)
    if abs(rough - risk.numerator) > TOO_NEAR * risk.numerator:
        return rough < risk.numerator
    whole = GRID**trials
    if 2 * hits > trials:  # the other tail is shorter: at most n−h−1 misses, each with probability 1−p
        tail = whole - _tail(trials - hits - 1, trials, GRID - numerator)
    else:
        tail = _tail(hits, trials, numerator)
    return tail * risk.denominator <= risk.numerator * whole


def _rough(hits: int, trials: int, numerator: int) -> Decimal:
    """P(Bin(trials, numerator/GRID) ≤ hits) to some fifty digits: every term from the one before."""
    if numerator in (0, GRID):
        return Decimal(int(numerator == 0 or hits == trials))
    odds = PRECISE.divide(numerator, GRID - numerator)
    term = total = PRECISE.power(PRECISE.divide(GRID - numerator, GRID), trials)
    for i in range(hits):
        term = PRECISE.divide(PRECISE.multiply(PRECISE.multiply(term, trials - i), odds), i + 1)
        total = PRECISE.add(total, term)
    return total


def _tail(hits: int, trials: int, numerator: int) -> int:
    """Σ_{i≤hits} C(n, i)·k^i·r^(n−i) with r = GRID−k, by Horner's rule in r."""
    rest, total, term = GRID - numerator, 0, 1
    for i in range(hits + 1):
        total = total * rest + term
        term = term * (trials - i) * numerator // (i + 1)
    return total * rest ** (trials - hits)


def upper(hits: int, trials: int, risk: Fraction) -> Fraction:
    """The smallest multiple p of 1/GRID with P(Bin(trials, p) ≤ hits) ≤ risk; 1 where every trial hit.

    >>> upper(0, 1, Fraction(1, 20)), upper(3, 3, Fraction(1, 20))
    (Fraction(19, 20), Fraction(1, 1))
    """
    _guard(hits, trials, risk)
    if hits == trials:
        return Fraction(1)
    guess = round(float(betaincinv(hits + 1, trials - hits, 1 - float(risk))) * GRID)
    return Fraction(first(guess, lambda k: tail_at_most(hits, trials, k, risk)), GRID)


def lower(hits: int, trials: int, risk: Fraction) -> Fraction:
    """The largest multiple p of 1/GRID with P(Bin(trials, p) ≥ hits) ≤ risk; 0 where no trial hit.

    Misses are a share too: P(Bin(n, p) ≥ c) = P(Bin(n, 1−p) ≤ n−c).
    """
    _guard(hits, trials, risk)
    return 1 - upper(trials - hits, trials, risk)


def _guard(hits: int, trials: int, risk: Fraction) -> None:
    assert 0 <= hits <= trials
    assert trials > 0
    assert 0 < risk < 1


def first(guess: int, holds: Callable[[int], bool]) -> int:
    """The smallest k in 0 … GRID with `holds`, which stays true once it is and is true at GRID; sought from `guess`."""
    k = min(max(guess, 0), GRID)
    while not holds(k):
        k += 1
    while k and holds(k - 1):
        k -= 1
    return k
