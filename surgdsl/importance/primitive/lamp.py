"""LAMP: the square of a weight over the sum of all squares in its layer that are no smaller.

Among the weights of one layer it ranks as magnitude does; its worth is that it can be compared between layers, since
the largest weight of each scores 1, so that no layer is emptied (Lee, Park, Mo, Ahn, Shin 2021, equation 4). Of an axis
that is cut, the squares of everything that goes with an index are added up first.
"""

from __future__ import annotations

import numpy as np

from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive
from surgdsl.importance.ranking import Scores


def squares(asked: Asked) -> list[Tensor]:
    """The square of each element."""
    return [one.seen.tensor(weight**2) for one, weight in zip(asked.slices, asked.weights(), strict=True)]


def lamp(scores: Scores) -> Scores:
    """u ↦ s(u) / Σ { s(v) : s(v) ≥ s(u) }; 0 where s(u) is 0.

    >>> lamp(np.array([1.0, 4.0, 0.0, 4.0])).round(3).tolist()
    [0.111, 0.5, 0.0, 0.5]
    """
    rising = np.sort(scores, axis=None)
    above = np.cumsum(rising[::-1])[::-1]
    total = above[np.searchsorted(rising, scores, side="left")]
    return np.divide(scores, total, out=np.zeros_like(scores), where=scores > 0)


LAMP = Primitive("lamp", squares, over=lamp)
