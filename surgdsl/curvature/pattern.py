"""Patterns: how many of the elements of a weight may stay, and within which tiles the choice is made.

Counts are exact, and among equal scores the lower row-major index stays, so that a mask depends on nothing but scores.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from attrs import frozen

from surgdsl.curvature.solution import Mask, Values

BLOCK = 128
"""How many columns a solver takes together, as GPTQ and SparseGPT do."""


class Pattern(Protocol):
    """Which elements stay, decided for some columns at a time."""

    def width(self, columns: int) -> int:
        """How many columns are decided together."""
        ...

    def kept(self, scores: Values, start: int, columns: int) -> Mask:
        """What stays of the columns from `start` on.

        Args:
            scores: float64[o, w], of at most `width` columns; the largest stay.
            start: the first of them.
            columns: how many the weight has in all.
        """
        ...


def largest(scores: Values, count: int) -> Mask:
    """The `count` largest of each row; among equals the lower index.

    >>> largest(np.array([[1.0, 3.0, 1.0, 2.0]]), 3).tolist()
    [[True, True, False, True]]

    Args:
        scores: float64[n, w], none of them NaN.
        count: 0 to w.
    """
    if count == 0:
        return np.zeros(scores.shape, dtype=np.bool_)
    least = np.partition(scores, scores.shape[1] - count, axis=1)[:, scores.shape[1] - count, None]
    above, equal = scores > least, scores == least
    room = count - above.sum(axis=1, keepdims=True)
    return above | (equal & (np.cumsum(equal, axis=1) <= room))


@frozen
class Share:
    """Exactly `count` elements of the weight stay, wherever they lie.

    `scope` is what competes: the whole ``layer``, every ``row`` with a like count (which differ by one at most), or
    every ``block`` of columns, as SparseGPT does it, so that a solver sees what it has changed already.

    >>> Share(3, "row").kept(np.arange(8.0).reshape(2, 4), 0, 4).tolist()
    [[False, False, True, True], [False, False, False, True]]
    """

    count: int
    scope: Literal["layer", "row", "block"] = "layer"

    def width(self, columns: int) -> int:
        return BLOCK if self.scope == "block" else columns

    def kept(self, scores: Values, start: int, columns: int) -> Mask:
        rows, wide = scores.shape
        if self.scope == "row":
            each, more = divmod(self.count, rows)
            return np.concatenate([largest(scores[:more], each + bool(more)), largest(scores[more:], each)])
        before, after = (self.count * place // columns for place in (start, start + wide))
        return largest(scores.reshape(1, -1), after - before).reshape(scores.shape)


@frozen
class Few:
    """At most `count` of every `of` neighbours in a row stay, as in 2:4 sparsity.

    >>> Few(1, 2).kept(np.array([[3.0, 1.0, 2.0, 2.0, 0.0]]), 0, 5).tolist()
    [[True, False, True, False, True]]
    """

    count: int
    of: int

    def width(self, columns: int) -> int:
        del columns
        return self.of

    def kept(self, scores: Values, start: int, columns: int) -> Mask:
        del start, columns
        (rows, wide), count = scores.shape, min(self.count, self.of)
        if wide % self.of == 0:
            return largest(scores.reshape(-1, self.of), count).reshape(scores.shape)
        padded = np.full((rows, -wide % self.of + wide), -np.inf)
        padded[:, :wide] = scores
        chosen = largest(padded.reshape(-1, self.of), count).reshape(rows, -1)[:, :wide]
        return chosen & (scores > -np.inf)


@frozen
class Tiles:
    """Exactly `count` tiles of `height` rows and `wide` columns stay; tiles at the edges may be smaller.

    >>> Tiles(1, 2, 1).kept(np.array([[1.0, 0.0], [1.0, 3.0]]), 0, 2).tolist()
    [[False, True], [False, True]]
    """

    count: int
    height: int
    wide: int

    def width(self, columns: int) -> int:
        return columns

    def kept(self, scores: Values, start: int, columns: int) -> Mask:
        del start, columns
        rows = np.add.reduceat(scores, np.arange(0, scores.shape[0], self.height), axis=0)
        tiles = np.add.reduceat(rows, np.arange(0, scores.shape[1], self.wide), axis=1)
        chosen = largest(tiles.reshape(1, -1), self.count).reshape(tiles.shape)
        whole = np.repeat(np.repeat(chosen, self.height, axis=0), self.wide, axis=1)
        return whole[: scores.shape[0], : scores.shape[1]]
