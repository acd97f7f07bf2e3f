"""Measuring: what both models predict for every row, as a log that can be recounted, and the promises that rest on it.

The log holds the rows and no verdict; the share of right rows and the bound are computed from it by whoever wants to
know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from attrs import frozen

from surgdsl.bridge.running import predict
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language.claim import Measured, Require
from surgdsl.metrics.accuracy import Paired, paired
from surgdsl.planning.claims import RELATIONS


@frozen(eq=False)
class Comparison:
    """The predictions of the input and of the result for the same rows."""

    rows: Rows
    before: Array
    after: Array

    @property
    def counts(self) -> Paired:
        """Rows by who was right."""
        return paired(self.rows.labels.astype(np.int64), self.before, self.after)


def check_classes(rows: Rows) -> None:
    """Refuse rows on which accuracy means nothing; asked before anything is trained.

    Raises:
        Refusal: E0721, the labels are not classes.
    """
    if rows.labels.ndim != 1 or rows.labels.dtype.kind not in "iu":
        told = f"they are {rows.labels.dtype}{list(rows.labels.shape)}, and classes are natural numbers"
        raise Refusal(Diagnostic("E0721", f"accuracy on `{rows.name}` needs a class for each row", label=told))


def compare(start: State, final: State, rows: Rows) -> Comparison:
    """Run both models on rows that have classes."""
    return Comparison(rows, predict(start, rows), predict(final, rows))


@frozen
class Finding:
    """A measured promise with its figure, its bound (where a confidence is asked for), and whether it is kept."""

    require: Require
    claim: Measured
    figure: Fraction
    bound: Fraction | None
    kept: bool


def judge(requires: Sequence[Require], comparisons: Mapping[str, Comparison]) -> tuple[Finding, ...]:
    """Every measured promise against the predictions."""
    return tuple(
        _judged(one, one.claim, comparisons[one.claim.data].counts)
        for one in requires
        if isinstance(one.claim, Measured)
    )


def _judged(require: Require, claim: Measured, counts: Paired) -> Finding:
    figure = counts.drop if claim.measure == "accuracy.drop" else Fraction(counts.after, counts.rows)
    bound = counts.bound(claim.confidence) if claim.confidence is not None else None
    kept = RELATIONS[claim.relation](figure if bound is None else bound, claim.limit)
    return Finding(require, claim, figure, bound, kept)


def check_measured(findings: Sequence[Finding]) -> None:
    """Refuse a result that breaks a measured promise.

    Raises:
        Refusal: E0802 with exit code 3, one diagnostic for each promise, with the figure that was reached.
    """
    broken = [
        Diagnostic("E0802", "the result does not keep this promise", one.require.span, f"reached {_told(one)}")
        for one in findings
        if not one.kept
    ]
    if broken:
        raise Refusal(*broken, exit_code=3)


def _told(finding: Finding) -> str:
    figure = f"{float(finding.figure):.4%}"
    return (
        figure
        if finding.bound is None
        else f"{figure}, at most {float(finding.bound):.4%} with confidence {float(finding.claim.confidence or 0):.0%}"
    )
