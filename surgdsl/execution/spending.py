"""Spending: what a run may take, asked at every stage of it.

Time and memory decide only whether a run goes on, never what it does: two runs that end give the same bytes.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language.program import Budget

Told = Callable[[str, str], None]
KIB = 1024


def watched(budget: Budget, told: Told) -> Told:
    """`told`, which from now on also ends a run that has spent its budget.

    Raises:
        Refusal: from the result, E0805 with exit code 3.
    """
    if budget.wall is None and budget.memory is None:
        return told
    start = time.monotonic()

    def watching(stage: str, detail: str) -> None:
        check(budget, time.monotonic() - start, peak(), stage)
        told(stage, detail)

    return watching


def check(budget: Budget, seconds: float, resident: int, stage: str) -> None:
    """Refuse more seconds or more bytes than the budget has.

    Raises:
        Refusal: E0805 with exit code 3.
    """
    spent: list[str] = []
    if budget.wall is not None and Fraction(seconds) > budget.wall:
        spent.append(f"{seconds:,.0f} s have passed of {float(budget.wall):,g} s")
    if budget.memory is not None and resident > budget.memory:
        spent.append(f"{resident / KIB**2:,.0f} MiB are held of {float(budget.memory) / KIB**2:,.0f} MiB")
    if spent:
        told = f"the budget is spent before this stage: {stage}"
        helps = ("nothing was published",)
        raise Refusal(Diagnostic("E0805", told, budget.span, "; ".join(spent), help=helps), exit_code=3)


def peak() -> int:
    """The most memory that this process has held at once, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * KIB
