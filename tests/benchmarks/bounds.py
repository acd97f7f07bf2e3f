"""What a bound at a confidence takes: the verifier's, in whole numbers, and the compiler's, in sixty digits.

Both find the same millionths, or this stops. Seconds are of one thread of the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction

from surgdsl.metrics.binomial import upper
from surgdsl.metrics.bounded import mean_limit
from surgdsl.verifier.statistics import UNIT, highest, mean

RISK = Fraction(1, 20)
CASES = ((1_000, 50), (10_000, 500), (50_000, 2_500), (200_000, 10_000), (200_000, 100_000))
HEADS = ("rows", "hits", "share, at most", "verifier", "compiler", "mean, at most", "verifier", "compiler")


def timed(work: Callable[[], int | Fraction]) -> tuple[Fraction, str]:
    """What some work gives and how long it takes."""
    start = time.process_time()
    found = work()
    return Fraction(found), f"{time.process_time() - start:.3f} s"


def main() -> None:
    """Print the table."""
    lines: list[tuple[object, ...]] = [HEADS, ("---",) * len(HEADS)]
    for rows, hits in CASES:
        share, one = timed(lambda hits=hits, rows=rows: highest(hits, rows, RISK))
        same, two = timed(lambda hits=hits, rows=rows: upper(hits, rows, RISK))
        bound, three = timed(lambda hits=hits, rows=rows: mean(Fraction(hits), rows, RISK))
        equal, four = timed(lambda hits=hits, rows=rows: mean_limit(Fraction(hits), rows, RISK))
        assert (share, bound) == (same * UNIT, equal * UNIT)
        lines.append((rows, hits, float(same), one, two, float(equal), three, four))
    sys.stdout.writelines(f"| {' | '.join(map(str, line))} |\n" for line in lines)


if __name__ == "__main__":
    main()
