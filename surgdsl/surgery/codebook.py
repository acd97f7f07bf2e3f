"""Codebooks: k values that stand for all elements of a weight with the least squared error (one-dimensional k-means).

Up to EXACT different values the optimum is exact (`partition`). Beyond, values are gathered into bins. Moving the mass
of a bin to its edges, its mean kept, adds a known amount to the sum of squares and can only help a codebook beside it
(Jensen: a squared distance to the nearest entry is x² less a convex function), so the exact optimum of the edges, less
that amount, is a lower bound on every codebook. From that optimum Lloyd's iteration (1957) goes on with all values.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import stored, thresholds, with_codebook
from surgdsl.bridge.weight import Weight
from surgdsl.surgery.partition import Exact, Line, Optimum, Places, partition

Values = NDArray[np.float32]

EXACT = 1 << 16
"""So many different values, all that half precision has, are solved exactly."""
BINS, FINE = 1 << 12, 1 << 6
"""How many bins there are at least, and for each entry: the gap of the bound falls with the square of both."""
ENDS = 1 << 9
"""So many of the smallest and of the largest elements lie in no common bin: tails are long and thin."""
SHORT = 128
"""One entry in so many may be found by cutting the worst run in two, where bins cost exactness anyway."""
STEPS = 12
RUN = 1 << 17
"""Elements that are summed at a time."""


@frozen(eq=False)
class Fit:
    """A codebook, its error, and a lower bound on that of any codebook with as many entries."""

    codebook: Values
    """float32[k], strictly rising."""
    error: float
    """Σ weight·(element − nearest entry)²."""
    least: float


def quantize(weight: Weight, bits: int) -> tuple[Weight, Fit]:
    """The weight with a codebook of at most 2^bits entries, and how good it is over the stored elements.

    Raises:
        Refusal: E0505 and E0506, as `with_codebook`.
    """
    found = fitted(weight, bits)
    return with_codebook(weight, found.codebook, bits), found


def fitted(weight: Weight, bits: int, importance: Exact | None = None) -> Fit:
    """The codebook of the stored elements of a weight; of a single zero where it can have none.

    Args:
        weight: any weight.
        bits: of a code.
        importance: positive, one for each stored element; all alike where it is left out.
    """
    values = stored(weight)
    if values.dtype == np.float32 and values.size and np.isfinite(values).all():
        return kmeans(values, 1 << bits, importance)
    return Fit(np.zeros(1, dtype=np.float32), 0.0, 0.0)


def kmeans(values: Values, entries: int, importance: Exact | None = None) -> Fit:
    """At most `entries` rising values with the least sum of squared distances from each element to its nearest one.

    Deterministic. The optimum, but for the rounding of entries to float32, where at most EXACT values differ.

    Args:
        values: float32 of any shape, finite, at least one element.
        entries: how many values the codebook may have, at least 1.
        importance: float64 of as many elements, positive: what each squared distance is multiplied by.
    """
    sample = _Sample.of(values, importance)
    bins = _Bins.of(sample, _edges(sample, entries))
    if not bins.excess and bins.mass.size - 1 <= entries:
        return Fit(sample.values[bins.bounds[:-1]] + np.float32(0), 0.0, 0.0)  # −0.0 + 0.0 is 0.0
    found = bins.optimum(entries, _price(sample, entries), entries // SHORT if bins.excess else 0)
    starts = found.path.bounds
    centres = bins.line.means(starts) + bins.origin
    fits = [rounded(one) for one in (centres, bins.lloyd(centres))]
    errors = [bins.error(one) for one in fits]
    best = int(np.argmin(errors))
    return Fit(fits[best], errors[best], min(max(0.0, found.least - bins.excess), errors[best]))


@frozen(eq=False)
class _Sample:
    """Elements in rising order, with their weights."""

    values: Values
    weights: Exact | None

    @classmethod
    def of(cls, values: Values, importance: Exact | None) -> _Sample:
        if importance is None:
            return cls(np.sort(values, axis=None), None)
        order = np.argsort(values, axis=None, kind="stable")
        return cls(values.reshape(-1)[order], importance.reshape(-1)[order])

    def moments(self, start: int, stop: int, origin: float) -> tuple[float, float]:
        """Σ weight and Σ weight·(value − origin) of the elements from `start` to before `stop`."""
        apart = self.values[start:stop] - origin
        if self.weights is None:
            return float(stop - start), float(apart.sum())
        return float(self.weights[start:stop].sum()), float(self.weights[start:stop] @ apart)


def _edges(sample: _Sample, entries: int) -> Places:
    """Where bins of neighbours begin and end: a value each, or as many as are dense; equal values lie in one bin."""
    changes, size = sample.values[1:] != sample.values[:-1], sample.values.size
    if np.count_nonzero(changes) < EXACT:
        return np.concatenate([[0], np.flatnonzero(changes) + 1, [size]])
    count = max(BINS, FINE * entries)
    edges = by_density(sample.values[ENDS:-ENDS], np.arange(1, count) / count)
    low, high = np.flatnonzero(changes[:ENDS]) + 1, np.flatnonzero(changes[-ENDS:]) + size - ENDS
    return np.unique(np.concatenate([[0, size], np.searchsorted(sample.values, edges.astype(np.float32)), low, high]))


def _gaps(ordered: Values, cells: int) -> tuple[Exact, Exact]:
    """Points at evenly spaced ranks, and Δ^(2/3) gathered up to each, for their gaps Δ.

    No gap gathers more of `cells` equal parts than it has elements, however far an outlier lies.
    """
    ranks = np.linspace(0, ordered.size - 1, min(ordered.size, EXACT)).astype(np.intp)
    points = ordered[ranks].astype(np.float64)
    gains = np.cbrt(np.diff(points)) ** 2
    for _ in range(STEPS):
        gains = np.minimum(gains, max(1.0, ordered.size / ranks.size) * gains.sum() / cells)
    return points, np.concatenate([[0.0], np.cumsum(gains)])


def by_density(ordered: Values, shares: Exact) -> Exact:
    """Points spread like the cube root of the density, the best in the limit of many entries (Panter and Dite 1951).

    Between values at evenly spaced ranks the density is one over their gap Δ; its cube root gathers Δ^(2/3).
    """
    points, gathered = _gaps(ordered, shares.size + 1)
    return np.asarray(np.interp(shares * gathered[-1], gathered, points), dtype=np.float64)


def _price(sample: _Sample, entries: int) -> float:
    """What one more entry saves in that limit: the error is N/(12·k²)·(∫f^(1/3))³, and its slope 2/k of it."""
    points, gathered = _gaps(sample.values, entries)
    mass = sample.values.size if sample.weights is None else float(sample.weights.sum())
    return mass * float(gathered[-1]) ** 3 / (6.0 * entries**3 * points.size)


@frozen(eq=False)
class _Bins:
    """Bins of a sample with their sums, and the points to which their mass is moved.

    `excess` is what moving it to the edges adds to the sum of squares; 0 where each bin holds one value.
    """

    sample: _Sample
    bounds: Places
    own: tuple[Exact, Exact, Exact]
    """Σ weight, Σ weight·a and Σ weight·a² of each bin, a being how far a value lies above its first, float64[b]."""
    mass: Exact
    """Σ weight up to each bound, float64[b + 1]."""
    sums: Exact
    """Σ weight·(value − origin) up to each bound, float64[b + 1]."""
    origin: float
    line: Line
    excess: float

    @classmethod
    def of(cls, sample: _Sample, bounds: Places) -> _Bins:
        """Bins between such bounds."""
        origin = float(sample.values[sample.values.size // 2])
        mass, firsts, seconds = (np.concatenate(one) for one in zip(*_summed(sample, bounds), strict=True))
        low = sample.values[bounds[:-1]].astype(np.float64)
        wide = np.append(low[1:], float(sample.values[-1])) - low  # of the last bin, 0 where it holds one value
        upper = np.where(wide > 0, firsts / np.where(wide > 0, wide, 1.0), 0.0)
        points, weights = np.append(low, float(sample.values[-1])), np.zeros(low.size + 1)
        weights[:-1] += mass - upper
        weights[1:] += upper
        there = weights > 0
        there[-1] &= wide[-1] > 0
        total, running = np.cumsum(mass), np.cumsum(mass * (low - origin) + firsts)
        return cls(
            sample, bounds, (mass, firsts, seconds), np.append(0.0, total), np.append(0.0, running), origin,
            Line.of(points[there] - origin, weights[there]), float(np.maximum(wide * firsts - seconds, 0.0).sum()),
        )  # fmt: skip

    def optimum(self, entries: int, price: float, short: int) -> Optimum:
        """The best runs of the points."""
        return partition(self.line, entries, price, short)

    def lloyd(self, centres: Exact) -> Exact:
        """Centres after at most STEPS rounds: every value goes to its nearest centre, every centre to its mean."""
        last = None
        for _ in range(STEPS):
            places = np.searchsorted(self.sample.values, ((centres[:-1] + centres[1:]) / 2).astype(np.float32), "right")
            if last is not None and np.array_equal(places, last):
                break
            mass, sums = (np.diff(one) for one in self._up_to(places))
            centres, last = self.origin + sums[mass > 0] / mass[mass > 0], places
        return centres

    def error(self, codebook: Values) -> float:
        """Σ weight·(value − nearest entry)²: bin by bin, and value by value where a bin is shared."""
        exact, values, weights = codebook.astype(np.float64), self.sample.values, self.sample.weights
        places = np.searchsorted(values, thresholds(codebook), "right")
        first, last = (np.searchsorted(places, one, "right") for one in (self.bounds[:-1], self.bounds[1:] - 1))
        mass, firsts, seconds = self.own
        apart = exact[first] - values[self.bounds[:-1]]
        errors = np.maximum(seconds - 2 * apart * firsts + mass * apart**2, 0.0)
        for shared in np.flatnonzero(first != last).tolist():
            inside: Places = np.arange(int(self.bounds[shared]), int(self.bounds[shared + 1]))
            squares = (values[inside] - exact[np.searchsorted(places, inside, "right")]) ** 2
            errors[shared] = float(squares.sum() if weights is None else weights[inside] @ squares)
        return float(errors.sum())

    def _up_to(self, places: Places) -> tuple[Exact, Exact]:
        """Σ weight and Σ weight·(value − origin) up to each of some places, with nothing before and all behind."""
        bins = np.searchsorted(self.bounds, places, "right") - 1
        starts = self.bounds[bins]
        parts = [self.sample.moments(*one, self.origin) for one in zip(starts.tolist(), places.tolist(), strict=True)]
        more = np.array(parts).reshape(-1, 2)
        mass, sums = self.mass[bins] + more[:, 0], self.sums[bins] + more[:, 1]
        return np.concatenate([[0.0], mass, self.mass[-1:]]), np.concatenate([[0.0], sums, self.sums[-1:]])


def _summed(sample: _Sample, bounds: Places) -> Iterator[tuple[Exact, Exact, Exact]]:
    """Σ weight, Σ weight·a and Σ weight·a² of the bins, a being how far a value lies above the first of its bin."""
    at = 0
    while at < bounds.size - 1:
        end = max(at + 1, int(np.searchsorted(bounds, bounds[at] + RUN, "right")) - 1)
        inner, counts = bounds[at:end], np.diff(bounds[at : end + 1])
        values = sample.values[bounds[at] : bounds[end]].astype(np.float64)
        above = values - np.repeat(sample.values[inner].astype(np.float64), counts)
        weights = None if sample.weights is None else sample.weights[bounds[at] : bounds[end]]
        weighted = above if weights is None else weights * above
        starts = inner - inner[0]
        mass = counts.astype(np.float64) if weights is None else np.add.reduceat(weights, starts)
        yield mass, np.add.reduceat(weighted, starts), np.add.reduceat(weighted * above, starts)
        at = end


def rounded(centres: Exact) -> Values:
    """The centres as rising float32, those that fall together as one."""
    return np.unique(centres.astype(np.float32)) + np.float32(0)
