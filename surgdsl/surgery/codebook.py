"""Codebooks: k values that stand for all elements of a weight with the least squared error (one-dimensional k-means).

Cells of an optimal codebook are intervals of the sorted values, so an iteration of Lloyd (1957) costs k searches and k
differences of prefix sums. It only finds a local optimum, so it starts from a good one: the exact optimum, by dynamic
programming, of the values gathered into a thousand groups. The result is never worse than any start.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import stored, with_codebook
from surgdsl.bridge.weight import Weight

Values = NDArray[np.float32]
Centres = NDArray[np.float64]

STEPS = 50
GROUPS = 1024
"""Values are grouped to at most so many points for the exact start: its cost is k·GROUPS²."""


def quantize(weight: Weight, bits: int) -> Weight:
    """The weight with a codebook of at most 2^bits entries, near the least squared error over its stored elements.

    Raises:
        Refusal: E0505 and E0506, as `with_codebook`.
    """
    values = stored(weight)
    fits = values.dtype == np.float32 and values.size and np.isfinite(values).all()
    codebook = kmeans(values, 1 << bits)[0] if fits else np.zeros(1, dtype=np.float32)
    return with_codebook(weight, codebook, bits)


def kmeans(values: Values, entries: int) -> tuple[Values, float]:
    """At most `entries` rising values, and the sum of squared distances from each element to its nearest one.

    Deterministic. Up to rounding it is the optimum where `values` has at most GROUPS different elements.

    Args:
        values: float32 of any shape, finite, at least one element.
        entries: how many values the codebook may have, at least 1.
    """
    ordered = np.sort(values, axis=None)
    distinct = np.unique(ordered) + np.float32(0)  # −0.0 + 0.0 is 0.0
    if distinct.size <= entries:
        return distinct, 0.0
    line = on_line(ordered)
    fits = [rounded(centres) for start in starts(line, entries) for centres in (start, lloyd(line, start))]
    errors = [inertia(ordered, codebook) for codebook in fits]
    best = int(np.argmin(errors))
    return fits[best], errors[best]


@frozen(eq=False)
class Line:
    """Sorted values with prefix sums that start at zero and run outwards.

    A sum over an interval never subtracts numbers much larger than the interval's own values, so an outlier of 10³⁸
    does not erase the rest.
    """

    values: Centres
    sums: Centres

    def means(self, bounds: NDArray[np.intp]) -> Centres:
        """The mean of each interval between neighbouring bounds; intervals without elements are left out."""
        counts = np.diff(bounds)
        full = counts > 0
        return np.diff(self.sums[bounds])[full] / counts[full]


def on_line(ordered: Values) -> Line:
    """The line that sorted values make."""
    exact = ordered.astype(np.float64)
    return Line(exact, _outward(exact, exact))


def _outward(ordered: Centres, terms: Centres) -> Centres:
    """Prefix sums of `terms`, shifted to be 0 where `ordered` changes sign: differences are sums over intervals."""
    zero = int(np.searchsorted(ordered, 0.0))
    sums = np.zeros(terms.size + 1)
    np.cumsum(terms[zero:], out=sums[zero + 1 :])
    sums[:zero] = -np.cumsum(terms[:zero][::-1])[::-1]
    return sums


def lloyd(line: Line, centres: Centres) -> Centres:
    """Centres after at most STEPS rounds of: give every value to its nearest centre, move every centre to its mean."""
    last = None
    for _ in range(STEPS):
        bounds = _bounds(line, centres)
        if last is not None and np.array_equal(bounds, last):
            break
        centres, last = np.unique(line.means(bounds)), bounds
    return centres


def _bounds(line: Line, centres: Centres) -> NDArray[np.intp]:
    """Where the values of each centre begin and end: values up to and with the midpoint go to the lower."""
    middles = (centres[:-1] + centres[1:]) / 2
    return np.concatenate([[0], np.searchsorted(line.values, middles, side="right"), [line.values.size]])


def starts(line: Line, entries: int) -> Iterator[Centres]:
    """Where Lloyd may begin: spread by density, and at the exact optimum of the grouped values."""
    yield np.unique(by_density(line, (np.arange(entries) + 0.5) / entries))
    yield grouped_optimum(line, entries)


def by_density(line: Line, shares: Centres) -> Centres:
    """Points spread like the cube root of the density, the best in the limit of many entries (Panter and Dite 1951).

    Between values at evenly spaced ranks the density is one over their gap Δ; its cube root gathers Δ^(2/3).
    """
    ranks = np.linspace(0, line.values.size - 1, min(line.values.size, 1 << 14)).astype(np.intp)
    points = line.values[ranks]
    gathered: Centres = np.concatenate([[0.0], np.cumsum(np.cbrt(np.diff(points)) ** 2)])
    return np.asarray(np.interp(shares * gathered[-1], gathered, points), dtype=np.float64)


def grouped_optimum(line: Line, entries: int) -> Centres:
    """The best centres when values of one group must share one: dynamic programming over at most GROUPS groups."""
    bounds = _groups(line)
    squares = _outward(line.values, line.values**2)[bounds]
    sums, counts = line.sums[bounds], bounds.astype(np.float64)
    size = bounds.size - 1
    # cost[j, i]: the squared error of groups i … j with one centre, infinite where i > j
    with np.errstate(divide="ignore", invalid="ignore"):
        total = sums[1:, None] - sums[None, :-1]
        cost = squares[1:, None] - squares[None, :-1] - total**2 / (counts[1:, None] - counts[None, :-1])
    cost = np.where(np.tri(size, dtype=np.bool_), np.maximum(cost, 0.0), np.inf)
    cells = _partition(cost, min(entries, size))
    return np.unique(line.means(bounds[cells]))


def _groups(line: Line) -> NDArray[np.intp]:
    """Bounds of at most GROUPS groups of neighbours; equal values lie in one group."""
    changes = np.flatnonzero(np.diff(line.values)) + 1
    if changes.size < GROUPS:
        return np.concatenate([[0], changes, [line.values.size]])
    edges = by_density(line, np.arange(1, GROUPS) / GROUPS)
    return np.unique(np.concatenate([[0], np.searchsorted(line.values, edges), [line.values.size]]))


def _partition(cost: Centres, cells: int) -> NDArray[np.intp]:
    """Bounds of the cheapest split of 0 … n−1 into `cells` runs, where run i … j costs cost[j, i]."""
    size = len(cost)
    best = cost[:, 0]
    origin = np.zeros((cells, size), dtype=np.intp)
    for layer in range(1, cells):
        reached = cost[:, 1:] + best[None, :-1]  # runs before i−1 done, the last run is i … j
        origin[layer, 1:] = np.argmin(reached[1:], axis=1) + 1
        best = np.concatenate([[np.inf], reached[np.arange(1, size), origin[layer, 1:] - 1]])
    bounds = [size]
    for layer in range(cells - 1, -1, -1):
        bounds.append(int(origin[layer, bounds[-1] - 1]))
    return np.array(bounds[::-1])


def rounded(centres: Centres) -> Values:
    """The centres as rising float32, those that fall together as one."""
    return np.unique(centres.astype(np.float32)) + np.float32(0)


def inertia(ordered: Values, codebook: Values) -> float:
    """The sum of squared distances from sorted values to their nearest entry, in float64."""
    exact = codebook.astype(np.float64)
    middles = (exact[:-1] + exact[1:]) / 2
    bounds = [0, *np.searchsorted(ordered, middles, side="right").tolist(), ordered.size]
    total = 0.0
    for entry, start, stop in zip(exact, bounds, bounds[1:], strict=False):
        apart = ordered[start:stop] - entry
        total += float(apart @ apart)
    return total
