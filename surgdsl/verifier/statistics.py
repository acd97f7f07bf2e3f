"""The paired bound on a drop of accuracy: two one-sided Clopper–Pearson bounds, in integers only.

With b rows lost and c rows won of n, the drop is at most CPhi(b; n, α/2) − CPlo(c; n, α/2) with confidence 1 − α.
"""

from __future__ import annotations

from fractions import Fraction

UNIT = 10**6


def at_most(successes: int, rows: int, p: int) -> int:
    """P(Bin(rows, p/UNIT) ≤ successes) · UNIT^rows, exactly.

    >>> at_most(0, 1, 250_000), at_most(1, 1, 250_000)
    (750000, 1000000)
    """
    if successes < 0:
        return 0
    if 2 * successes > rows:
        return UNIT**rows - at_most(rows - successes - 1, rows, UNIT - p)
    choose, power, found = 1, 1, 0
    for k in range(successes + 1):  # Horner in 1 − p
        found = found * (UNIT - p) + choose * power
        choose, power = choose * (rows - k) // (k + 1), power * p
    return found * (UNIT - p) ** (rows - successes)


def highest(successes: int, rows: int, beta: Fraction) -> int:
    """The smallest p, in units, with P(Bin(rows, p) ≤ successes) ≤ beta; UNIT when every row is a success.

    >>> highest(0, 10, Fraction(1, 20))        # 1 − 0.05^(1/10) = 0.25886…
    258866
    """
    if successes == rows:
        return UNIT
    low, high, limit = 0, UNIT, beta.numerator * UNIT**rows
    while high - low > 1:
        middle = (low + high) // 2
        if at_most(successes, rows, middle) * beta.denominator <= limit:
            high = middle
        else:
            low = middle
    return high


def lowest(successes: int, rows: int, beta: Fraction) -> int:
    """The largest p, in units, with P(Bin(rows, p) ≥ successes) ≤ beta: the mirror image of `highest`."""
    return UNIT - highest(rows - successes, rows, beta)


def drop(lost: int, won: int, rows: int, confidence: Fraction) -> Fraction:
    """The upper bound of the drop at a confidence."""
    beta = (1 - confidence) / 2
    return Fraction(highest(lost, rows, beta) - lowest(won, rows, beta), UNIT)
