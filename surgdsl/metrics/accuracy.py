"""Accuracy: how many rows a model predicts rightly, and how much of that a change cost.

Counted pairwise, row by row: rows that both models get right say nothing about the difference, so the bound rests only
on rows that were lost and rows that were gained, and is far tighter than one made of two separate accuracies.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.metrics.binomial import lower, upper

Classes = NDArray[np.integer[Any]]


@frozen
class Paired:
    """Rows by what the two models make of them.

    >>> pair = Paired(rows=1000, before=950, lost=12, gained=4)
    >>> pair.after, pair.drop
    (942, Fraction(1, 125))
    """

    rows: int
    before: int
    """Right before."""
    lost: int
    """Right before, wrong after."""
    gained: int
    """Wrong before, right after."""

    @property
    def after(self) -> int:
        """Right after."""
        return self.before - self.lost + self.gained

    @property
    def drop(self) -> Fraction:
        """The share of rows right before less the share right after, of these rows."""
        return Fraction(self.lost - self.gained, self.rows)

    def least(self, confidence: Fraction, candidates: int = 1) -> Fraction:
        """What the accuracy after falls short of with a probability of at most 1 − confidence, for all candidates."""
        return lower(self.after, self.rows, (1 - confidence) / candidates)

    def bound(self, confidence: Fraction, candidates: int = 1) -> Fraction:
        """What the drop in the population of the rows exceeds with a probability of at most 1 − confidence.

        The union bound over two exact limits: lost ≤ upper and gained ≥ lower each hold but for half of the risk; and
        over the candidates that were compared on the rows.
        """
        risk = (1 - confidence) / candidates / 2
        return upper(self.lost, self.rows, risk) - lower(self.gained, self.rows, risk)


def paired(labels: Classes, before: Classes, after: Classes) -> Paired:
    """Count the rows of a comparison; all three of shape [n], n ≥ 1."""
    assert labels.shape == before.shape == after.shape
    assert labels.size
    was, is_ = before == labels, after == labels
    return Paired(
        rows=labels.size,
        before=int(np.count_nonzero(was)),
        lost=int(np.count_nonzero(was & ~is_)),
        gained=int(np.count_nonzero(is_ & ~was)),
    )
