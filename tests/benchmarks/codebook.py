"""One-dimensional k-means beside the libraries that do it: error and time. Writes docs/codebook.md.

Errors are divided by the optimum where a library that finds it (ckwrap, kmeans1d) was run, and by our own lower bound
everywhere. `--quick` leaves out the runs of peers that take more than some seconds.
"""

from __future__ import annotations

import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.surgery.codebook import kmeans

ROOT = Path(__file__).resolve().parents[2]
Values = NDArray[np.float32]
TIMES = 3
HEAD = """# Codebooks: one-dimensional k-means

`quantize(scheme = "kmeans")` stores a weight as codes into a codebook of least squared error. Up to 65,536 different
values (all that half precision has) the codebook is the exact optimum; beyond, values are gathered into bins, and a
lower bound on every codebook says how far the result can be from the optimum. The bound stands in the certificate
(`least`). How it is done: `surgdsl/surgery/codebook.py` and `surgdsl/surgery/partition.py`.

Measured by `python tests/benchmarks/codebook.py{flags}`, Python {python}, one thread, seconds of processor time: ours
the least of three runs, peers one. Errors are beside the optimum where a library that finds it was run on the same
values, and beside our lower bound everywhere. Targets: 10,000,000 values and 16 entries within 1.0005 of the optimum
in 0.05 of scikit-learn's time; 1,000,000 and 256 within 1.03 in 0.2 s. Beside outliers ckwrap misses the optimum: its
sums swallow what is small.

| weights | values | entries | method | s | error / optimum | error / bound |
|---|---:|---:|---|---:|---:|---:|"""

SHAPES: dict[str, Callable[[np.random.Generator, int], NDArray[np.floating[Any]]]] = {
    "Gaussian": lambda draw, count: draw.normal(0, 0.02, count),
    "Laplace": lambda draw, count: draw.laplace(0, 0.02, count),
    "Student t, 2 degrees": lambda draw, count: 0.02 * draw.standard_t(2, count),
    "Gaussian, ten outliers of 1e6": lambda draw, count: np.append(
        draw.normal(0, 0.02, count - 10), np.linspace(-1e6, 1e6, 10)
    ),
    "half precision": lambda draw, count: draw.normal(0, 0.02, count).astype(np.float16),
}
SIZES = ((1_000_000, 16), (1_000_000, 256), (10_000_000, 16), (10_000_000, 256))


@frozen
class Row:
    """One method on one task."""

    method: str
    seconds: float
    error: float
    """Σ of squared distances to the nearest entry."""
    least: float = 0.0


def error(values: Values, centres: NDArray[np.floating[Any]]) -> float:
    """The sum of squared distances to the nearest centre, in float64, whoever found the centres."""
    exact = np.unique(np.asarray(centres, dtype=np.float64))
    middles = (exact[1:] + exact[:-1]) / 2
    runs = np.array_split(values, max(1, values.size >> 17))
    return sum(float(((run - exact[np.searchsorted(middles, run)]) ** 2).sum()) for run in runs)


def timed(work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Seconds of processor time, the least of some runs, and what came out."""
    took = list[float]()
    found = None
    for _ in range(times):
        before = time.process_time()
        found = work()
        took.append(time.process_time() - before)
    return min(took), found


def ours(values: Values, entries: int) -> Row:
    """This house."""
    seconds, fit = timed(lambda: kmeans(values, entries), TIMES)
    return Row("surgdsl", seconds, error(values, fit.codebook), fit.least)


def sklearn(values: Values, entries: int) -> Row:
    """Lloyd from one k-means++ start."""
    from sklearn.cluster import KMeans

    make: Any = KMeans
    model = make(entries, n_init=1, max_iter=25, algorithm="lloyd", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds, fit = timed(lambda: model.fit(values.reshape(-1, 1)))
    return Row("scikit-learn", seconds, error(values, fit.cluster_centers_.ravel()))


def kmeans1d(values: Values, entries: int) -> Row:
    """The exact optimum, by dynamic programming over all values."""
    import kmeans1d as library

    cluster: Any = library.cluster
    seconds, found = timed(lambda: cluster(values.astype(np.float64), entries))
    return Row("kmeans1d", seconds, error(values, np.array(found.centroids)))


def ckwrap(values: Values, entries: int) -> Row:
    """The same, in another library."""
    import ckwrap as library

    seconds, found = timed(lambda: library.ckmeans(values.astype(np.float64), entries))
    return Row("ckwrap", seconds, error(values, np.asarray(found.centers)))


PEERS: tuple[tuple[Callable[[Values, int], Row], int], ...] = (
    (sklearn, 256 * 10**6),
    (kmeans1d, 16 * 10**6),
    (ckwrap, 160 * 10**6),
)
"""Each peer, and up to how many values times entries it answers in about a minute."""


def rows(values: Values, entries: int, *, quick: bool) -> Iterator[Row]:
    """Ours, and whoever answers in time."""
    yield ours(values, entries)
    for peer, most in PEERS:
        if values.size * entries <= (16 * 10**6 if quick else most):
            yield peer(values, entries)


def main() -> None:
    """Measure, and write the page."""
    quick = "--quick" in sys.argv
    lines = [*HEAD.format(python=platform.python_version(), flags=" --quick" * quick).splitlines()]
    for name, shape in SHAPES.items():
        for count, entries in SIZES:
            values = shape(np.random.default_rng([count, entries]), count).astype(np.float32)
            found = list(rows(values, entries, quick=quick))
            exact = [one.error for one in found if one.method in ("kmeans1d", "ckwrap")]
            for one in found:
                beside = f"{one.error / min(exact):.6f}" if exact else ""
                lines.append(
                    f"| {name} | {count:,} | {entries} | {one.method} | {one.seconds:.3f} | {beside} "
                    f"| {one.error / found[0].least:.6f} |"
                )
                sys.stdout.write(lines[-1] + "\n")
                sys.stdout.flush()
    (ROOT / "docs" / "codebook.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
