"""Partitions: weighted points on a line cut into k runs of least squared error, exactly, as a shortest path.

A run i … j−1 is an edge from i to j that costs its squared error about its mean; k runs are a path of k edges. With a
price on every edge the best path of any length takes time linear in the points but for a logarithm, and as the least
error is convex in k, the right price makes the best path have k edges, or two paths of fewer and more that can be
spliced into one (Aggarwal, Schieber and Tokuyama 1994; Grønlund et al. 2017). At every price λ the least cost less λ·k
is a lower bound on the error of k runs, whatever else goes wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Exact = NDArray[np.float64]
Places = NDArray[np.intp]

FAN = 8
"""Rows between two whose minima are known, when those between them are sought."""
SMALL = 1 << 13
"""Edges that are looked at all at once: fewer calls cost less than fewer edges."""
ROUNDS = 60
CLOSE = 2.0**-40
"""The share of the cost below which two paths cost the same."""


@frozen(eq=False)
class Line:
    """Rising points with weights, as prefix sums that start at zero near the middle and run outwards.

    A sum over a run never subtracts numbers much larger than the run's own points, so an outlier of 10³⁸ does not
    erase the rest.
    """

    points: Exact
    """float64[n]."""
    mass: Exact
    """Σ of weights before each point, float64[n + 1]."""
    sums: Exact
    """Σ weight·point, float64[n + 1], as differences."""
    squares: Exact
    """Σ weight·point², float64[n + 1], as differences."""

    @classmethod
    def of(cls, points: Exact, weights: Exact) -> Line:
        """The line of some points.

        Args:
            points: float64[n], strictly rising.
            weights: float64[n], positive.
        """
        mass: Exact = np.concatenate([[0.0], np.cumsum(weights)])
        return cls(points, mass, outward(points, weights * points), outward(points, weights * points**2))

    def cost(self, start: Places, stop: Places) -> Exact:
        """The squared error of each run of points `start` to before `stop` about its mean."""
        total, mass = self.sums[stop] - self.sums[start], self.mass[stop] - self.mass[start]
        found = self.squares[stop] - self.squares[start] - total * total / mass
        return np.where(stop - start == 1, 0.0, np.maximum(found, 0.0))

    def means(self, bounds: Places) -> Exact:
        """The mean of each run between neighbouring bounds."""
        return np.diff(self.sums[bounds]) / np.diff(self.mass[bounds])


def outward(ordered: NDArray[np.floating], terms: Exact) -> Exact:
    """Prefix sums of `terms`, shifted to be 0 where `ordered` changes sign: differences are sums over intervals."""
    zero = int(np.searchsorted(ordered, 0.0))
    sums = np.zeros(terms.size + 1)
    np.cumsum(terms[zero:], out=sums[zero + 1 :])
    sums[:zero] = -np.cumsum(terms[:zero][::-1])[::-1]
    return sums


@frozen(eq=False)
class Path:
    """Runs between rising bounds from 0 to n, and their squared error."""

    bounds: Places
    cost: float

    @property
    def edges(self) -> int:
        """How many runs."""
        return self.bounds.size - 1


@frozen(eq=False)
class Optimum:
    """The best runs that were found, and what no k runs can go below."""

    path: Path
    least: float


def partition(line: Line, runs: int, price: float, short: int = 0) -> Optimum:
    """The cheapest partition into at most `runs` runs, exact but for rounding.

    Args:
        line: n points.
        runs: at least 1.
        price: where the search for the price of a run begins, positive; a good one saves time.
        short: a best path of so many runs fewer ends the search; its most expensive runs are cut in two. Any number
            above 0 gives up the optimum for time, and the bound says how much of it.
    """
    few, many = (_path(line, bounds) for bounds in (np.array([0, line.points.size]), np.arange(line.points.size + 1)))
    if runs == 1 or runs >= many.edges:
        found = few if runs == 1 else many
        return Optimum(found, found.cost)
    least, dear, cheap = 0.0, 0.0, 0.0  # the prices at which `few` and `many` are the best
    for turn in range(ROUNDS):
        level = (few.cost - many.cost) / (many.edges - few.edges)  # where both cost the same
        every = 3 if dear and cheap else 8
        near = many.edges - few.edges <= 2 or turn % every == every - 1
        at = level if near else _guess(runs, (few.edges, dear), (many.edges, cheap), price)
        found, total = cheapest(line, at)
        least = max(least, total - at * runs)
        if runs - short <= found.edges <= runs:
            return Optimum(_cut(line, found, runs), least)
        if at == level and total >= (few.cost + at * few.edges) * (1 - CLOSE):
            break
        few, dear, many, cheap = (found, at, many, cheap) if found.edges < runs else (few, dear, found, at)
    return Optimum(_path(line, splice(few.bounds, many.bounds, runs)), least)


def _guess(runs: int, few: tuple[int, float], many: tuple[int, float], price: float) -> float:
    """A price between two that gave too few and too many runs; 0 stands for a price that is not known yet.

    The error of k runs falls like 1/k², so the price of one like 1/k³ (Panter and Dite 1951).
    """
    if few[1] and many[1]:
        share = np.log(runs / few[0]) / np.log(many[0] / few[0])
        return float(few[1] * (many[1] / few[1]) ** share)
    if few[1]:
        return few[1] * min(0.98, (few[0] / runs) ** 3)
    return many[1] * max(1.02, (many[0] / runs) ** 3) if many[1] else price


def _cut(line: Line, path: Path, runs: int) -> Path:
    """The path with the most expensive of its runs cut in two, at the best place, until there are so many."""
    while path.edges < runs:
        worst = int(line.cost(path.bounds[:-1], path.bounds[1:]).argmax())
        start, stop = path.bounds[worst : worst + 2]
        inner: Places = np.arange(int(start) + 1, int(stop))
        best = inner[(line.cost(start, inner) + line.cost(inner, stop)).argmin()]
        path = _path(line, np.insert(path.bounds, worst + 1, best))
    return path


def splice(few: Places, many: Places, runs: int) -> Places:
    """The bounds of a path of `runs` edges, which begins like `many` and ends like `few`.

    Where both are best at one price, so is the splice: it leaves `many` inside an edge of `few` that holds its next
    edge, and there costs can be exchanged without loss.
    """
    apart = runs - (few.size - 1)
    at = int(np.argmax(many[apart + 1 : apart + few.size] <= few[1:]))
    return np.concatenate([many[: at + apart + 1], few[at + 1 :]])


def _path(line: Line, bounds: Places) -> Path:
    return Path(bounds, float(line.cost(bounds[:-1], bounds[1:]).sum()))


def cheapest(line: Line, price: float) -> tuple[Path, float]:
    """The path from 0 to n that costs least where each edge costs its error and `price`; and what it costs.

    Points are settled in stretches: while the best cost over edges from settled points has risen by no more than one
    price, no edge from within the stretch can do better. Origins only ever move on, since the costs are Monge.
    """
    count = line.points.size
    costs, origins = np.zeros(count + 1), np.zeros(count + 1, dtype=np.intp)
    settled, low, size = 0, 0, 16
    while settled < count:
        targets = np.arange(settled + 1, min(count, settled + size) + 1)
        best, origin = _minima(line, costs, targets, low, settled)
        best += price
        taken = max(1, int(np.searchsorted(best, float(best[0]) + price, side="right")))
        costs[targets[:taken]], origins[targets[:taken]] = best[:taken], origin[:taken]
        size = 2 * size if taken == len(best) else taken + taken // 8 + 1
        settled, low = settled + taken, int(origin[taken - 1])
    bounds: list[int] = [count]
    while bounds[-1]:
        bounds.append(int(origins[bounds[-1]]))
    return _path(line, np.array(bounds[::-1], dtype=np.intp)), float(costs[count])


def _minima(line: Line, costs: Exact, targets: Places, low: int, high: int) -> tuple[Exact, Places]:
    """For each target j the least costs[i] + cost(i, j) over low ≤ i ≤ high, and the first such i.

    The minima move up with the targets: once every FAN-th is known, those between lie between.
    """
    rows = targets.size
    if rows * (high - low + 1) <= SMALL:
        start = np.arange(low, high + 1)
        total = costs[start] + line.cost(start, targets[:, None])
        first = total.argmin(axis=1)
        return total[np.arange(rows), first], start[first]
    best, origin = np.empty(rows), np.empty(rows, dtype=np.intp)
    known = np.zeros(0, dtype=np.intp)
    for stride in _strides(rows):
        wanted = np.setdiff1d(np.append(np.arange(0, rows, stride), rows - 1), known)
        above = np.searchsorted(known, wanted)
        ends = np.concatenate([[low], origin[known], [high]])
        best[wanted], origin[wanted] = _ragged(line, costs, targets[wanted], ends[above], ends[above + 1])
        known = np.union1d(known, wanted)
    return best, origin


def _strides(rows: int) -> Iterator[int]:
    stride = 1
    while stride * FAN < rows:
        stride *= FAN
    while stride:
        yield stride
        stride //= FAN


def _ragged(line: Line, costs: Exact, targets: Places, first: Places, last: Places) -> tuple[Exact, Places]:
    """For each target j the least costs[i] + cost(i, j) over first ≤ i ≤ last, each target its own range."""
    lengths = last - first + 1
    ends = np.cumsum(lengths)
    begins = ends - lengths
    start: Places = np.arange(int(ends[-1])) + np.repeat(first - begins, lengths)
    total = costs[start] + line.cost(start, np.repeat(targets, lengths))
    best = np.minimum.reduceat(total, begins)
    hits = np.flatnonzero(total == np.repeat(best, lengths))
    return best, start[hits[np.searchsorted(hits, begins)]]
