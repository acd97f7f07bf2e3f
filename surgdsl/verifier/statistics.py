"""Confidence bounds of shares and of means of bounded losses, in integers only.

Clopper and Pearson (1934) for a share, Hoeffding (1963) and Bentkus (2004) for a mean. Their p-values are products of
powers, compared by leading bits, and exactly where those agree, which short rationals only do over few rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

UNIT = 10**6
BITS = 320
ABOVE_E = Fraction(2718281829, 10**9)
Powers = list[tuple[int, int]]


def leading(powers: Powers) -> tuple[int, int]:
    """A product of powers as mantissa and binary exponent, too small by less than 2^-250 of it, or exact if short."""
    found, shift = 1, 0
    for base, exponent in powers:
        part, by = 1, 0
        for bit in f"{exponent:b}":
            part, by = part * part * (base if bit == "1" else 1), 2 * by
            cut = max(0, part.bit_length() - BITS)
            part, by = part >> cut, by + cut
        found, shift = found * part, shift + by
    return found, shift


def at_most(left: Powers, right: Powers, exactly: Callable[[], bool]) -> bool:
    """Whether one product is at most the other; `exactly` is asked where their leading bits agree."""
    (one, up), (other, down) = leading(left), leading(right)
    one, other = one << max(0, up - down), other << max(0, down - up)
    if one + (one >> 250) < other or other + (other >> 250) < one:
        return one < other
    return exactly()


def smallest(holds: Callable[[int], bool]) -> int:
    """The smallest number of units for which something holds that stays true once it is, and is true of UNIT."""
    low, high = 0, UNIT
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def highest(hits: int, rows: int, beta: Fraction) -> int:
    """The smallest p, in units, with P(Bin(rows, p) ≤ hits) ≤ beta; UNIT when every row is a hit.

    >>> highest(0, 10, Fraction(1, 20))        # 1 − 0.05^(1/10) = 0.25886…
    258866
    """
    ways = math.comb(rows, hits)
    top, bottom = beta.as_integer_ratio()

    def holds(p: int) -> bool:
        terms = 1 << BITS  # the tail divided by its last term: 1 + (hits q)/((rows − hits + 1) p) (1 + …)
        for k in range(1, hits + 1):
            terms = (1 << BITS) + terms * k * (UNIT - p) // ((rows - k + 1) * p)
        left = [(ways, 1), (p, hits), (UNIT - p, rows - hits), (terms, 1), (bottom, 1)]
        return at_most(left, [(UNIT, rows), (1 << BITS, 1), (top, 1)], lambda: exactly(p))

    def exactly(p: int) -> bool:
        tail = sum(math.comb(rows, k) * p**k * (UNIT - p) ** (rows - k) for k in range(hits + 1))
        return tail * bottom <= top * UNIT**rows

    return UNIT if hits == rows else smallest(holds)


def lowest(hits: int, rows: int, beta: Fraction) -> int:
    """The largest p, in units, with P(Bin(rows, p) ≥ hits) ≤ beta: the mirror image of `highest`."""
    return UNIT - highest(rows - hits, rows, beta)


def mean(total: Fraction, rows: int, beta: Fraction) -> int:
    """The bound, in units, of a mean of losses in [0, 1] whose sum over the rows is `total`: the smaller of the two."""
    count = math.ceil(total)
    top, bottom = beta.as_integer_ratio()

    def holds(a: int) -> bool:
        left = [(a * rows, count), ((UNIT - a) * rows, rows - count), (bottom, 1)]
        right = [(UNIT, rows), (count, count), (rows - count, rows - count), (top, 1)]
        return a * rows > count * UNIT and at_most(left, right, lambda: product(left) <= product(right))

    return UNIT if count == rows else min(smallest(holds), highest(count, rows, beta / ABOVE_E))


def product(powers: Powers) -> int:
    """A product of powers, in full."""
    return math.prod(base**exponent for base, exponent in powers)
