"""Ranges: which interval of the values on a wire a grid of a few integers should cover.

Values are streamed once into a histogram whose bins are powers of two wide and centred on zero. Where a value lies
outside, the range doubles and bins fall together in pairs, exactly: the counts do not depend on how rows fall into
batches.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from attrs import define, field, frozen
from numpy.typing import NDArray

BINS = 1 << 14
"""Bins of a histogram, half of them below zero: a grid of 8 bits has 64 of them in each of its steps."""
OCTAVE, CANDIDATES = 12, 144
"""How far an end of a range may shrink: candidates for each halving, and candidates in all (down to 2^−12)."""


@define(eq=False)
class Histogram:
    """Counts of values in bins of width 2^`exponent`, from −BINS/2 to BINS/2 of them, and the exact extremes."""

    exponent: int = -1074
    counts: NDArray[np.int64] = field(factory=lambda: np.zeros(BINS, dtype=np.int64))
    low: float = 0.0
    high: float = 0.0
    finite: bool = True

    def take(self, values: torch.Tensor) -> None:
        """Take in the values of a batch."""
        flat = values.detach().to("cpu", torch.float64).reshape(-1)
        if not flat.numel():
            return
        low, high = float(flat.min()), float(flat.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            self.finite = False
            return
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._grow(max(-low, high))
        where = torch.floor(flat * math.ldexp(1.0, -self.exponent)).to(torch.int64).clamp_(-BINS // 2, BINS // 2 - 1)
        self.counts += np.bincount((where + BINS // 2).numpy(), minlength=BINS)

    def _grow(self, largest: float) -> None:
        """Widen the bins until `largest` lies in the last one."""
        wanted = math.frexp(largest)[1] - (BINS // 2).bit_length() + 1 if largest > 0 else self.exponent
        steps = max(wanted, -1000) - self.exponent
        if steps <= 0:
            return
        occupied = np.flatnonzero(self.counts)
        merged = np.zeros(BINS, dtype=np.int64)
        np.add.at(merged, ((occupied - BINS // 2) >> min(steps, 62)) + BINS // 2, self.counts[occupied])
        self.counts, self.exponent = merged, self.exponent + steps

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        return np.ldexp(np.arange(BINS) - BINS / 2 + 0.5, self.exponent)


@frozen
class Grid:
    """``scale · (q − zero)`` for integers q from 0 to 2^bits − 1; `scale` is a float32."""

    scale: float
    zero: int
    bits: int

    def rounded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Every value as the grid gives it back, ties to even."""
        codes = np.clip(np.rint(values / self.scale) + self.zero, 0, (1 << self.bits) - 1)
        return self.scale * (codes - self.zero)


def grid(low: float, high: float, bits: int) -> Grid:
    """The grid that covers `low` to `high`, and zero exactly (Jacob et al. 2018, equation 1 and section 3).

    >>> grid(-1.0, 3.0, 2), grid(0.5, 3.0, 2), grid(0.0, 0.0, 8)
    (Grid(scale=1.3333333730697632, zero=1, bits=2), Grid(scale=1.0, zero=0, bits=2), Grid(scale=1.0, zero=0, bits=8))
    """
    low, high, top = min(low, 0.0), max(high, 0.0), (1 << bits) - 1
    step = float(np.float32((high - low) / top))
    if not 0 < step < math.inf:
        step = 1.0 if high == low else float(np.finfo(np.float32).tiny)
    return Grid(step, int(np.clip(np.rint(-low / step), 0, top)), bits)


def chosen(seen: Histogram, bits: int, method: str, share: Fraction) -> Grid:
    """The grid for the values of a wire.

    Args:
        seen: what was streamed.
        bits: 2 to 8.
        method: ``minmax``; ``percentile``, which leaves out 1 − `share` of the values, half of them at each end; or
            ``mse``, the least mean squared error among ranges that shrink end by end (Banner et al. 2019 minimise the
            same error under an assumed density; here it is the measured one).
        share: for ``percentile``.
    """
    match method:
        case "percentile":
            return grid(*_percentile(seen, share), bits)
        case "mse":
            return _least_squares(seen, bits)
        case _:
            return grid(seen.low, seen.high, bits)


def _percentile(seen: Histogram, share: Fraction) -> tuple[float, float]:
    """The outer edges of the bins in which the quantiles lie, no further out than the extremes."""
    total = int(seen.counts.sum())
    least = math.floor(total * (1 - share) / 2)
    reached = np.cumsum(seen.counts)
    first = int(np.searchsorted(reached, least, side="right"))
    last = int(np.searchsorted(reached, total - least, side="left"))
    edges = [math.ldexp(place - BINS // 2, seen.exponent) for place in (min(first, BINS), min(last + 1, BINS))]
    return max(seen.low, edges[0]), min(seen.high, edges[1])


def _least_squares(seen: Histogram, bits: int) -> Grid:
    """Both ends shrink together first, then each by itself for as long as the error falls."""
    occupied = np.flatnonzero(seen.counts)
    values, counts = seen.centres[occupied], seen.counts[occupied].astype(np.float64)

    def covering(pair: tuple[int, int]) -> Grid:
        low, high = (end * 2.0 ** (-place / OCTAVE) for end, place in zip((seen.low, seen.high), pair, strict=True))
        return grid(low, high, bits)

    def error(pair: tuple[int, int]) -> float:
        return float(np.sum(counts * (covering(pair).rounded(values) - values) ** 2))

    known = {(place, place): error((place, place)) for place in range(CANDIDATES)}
    best = min(known, key=lambda pair: known[pair])
    while True:
        near = [(place, best[1]) for place in range(CANDIDATES)] + [(best[0], place) for place in range(CANDIDATES)]
        known |= {pair: error(pair) for pair in near if pair not in known}
        after = min((best, *near), key=lambda pair: known[pair])
        if known[after] >= known[best]:
            return covering(best)
        best = after
