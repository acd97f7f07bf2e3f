"""Loss: what a model loses on rows, each loss between 0 and 1, and how much a change added to it.

Losses are whole millionths, so that a mean is a rational that anyone adds up again.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.metrics.bounded import mean_limit

UNIT = 10**6
"""A loss of 1."""
NAME = "cross_entropy/8bit"
"""The loss of the library: cross-entropy in bits, at most 8 a row, divided by 8, rounded up."""
BITS = 8

Losses = NDArray[np.int64]


@frozen
class Lost:
    """Sums over rows, in millionths.

    >>> lost = Lost(rows=4, before=1_000_000, after=1_200_000)
    >>> lost.mean, lost.rise
    (Fraction(3, 10), Fraction(1, 20))
    """

    rows: int
    before: int
    after: int

    @property
    def mean(self) -> Fraction:
        """The mean loss after."""
        return Fraction(self.after, UNIT * self.rows)

    @property
    def rise(self) -> Fraction:
        """The mean loss after less the mean before."""
        return Fraction(self.after - self.before, UNIT * self.rows)

    def mean_bound(self, confidence: Fraction, candidates: int = 1) -> Fraction:
        """What the mean of the population exceeds with a probability of at most 1 − confidence, for all candidates."""
        return mean_limit(Fraction(self.after, UNIT), self.rows, (1 - confidence) / candidates)

    def rise_bound(self, confidence: Fraction, candidates: int = 1) -> Fraction:
        """The same of the rise: half of 1 + after − before lies between 0 and 1."""
        total = Fraction(UNIT * self.rows + self.after - self.before, 2 * UNIT)
        return 2 * mean_limit(total, self.rows, (1 - confidence) / candidates) - 1


def lost(before: Losses, after: Losses) -> Lost:
    """Add the rows up; both of shape [n], n ≥ 1, from 0 to 1000000."""
    assert before.shape == after.shape
    assert before.size
    assert min(before.min(), after.min()) >= 0
    assert max(before.max(), after.max()) <= UNIT
    return Lost(before.size, int(before.sum()), int(after.sum()))
