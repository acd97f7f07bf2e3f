"""Measuring: what both models predict or lose on every row, as logs that can be recounted, and the promises on them.

A log holds the rows and no verdict; shares, means and bounds are computed from it by whoever wants to know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from attrs import frozen

from surgdsl.bridge.running import predict, row_losses
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language.claim import Measured, Require
from surgdsl.language.reading import read
from surgdsl.metrics.accuracy import Paired, paired
from surgdsl.metrics.loss import BITS, Lost, lost
from surgdsl.planning.claims import RELATIONS
from surgdsl.planning.pointing import pointing


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


@frozen(eq=False)
class Losing:
    """What the input and the result lose on the same rows, in millionths."""

    rows: Rows
    before: Array
    after: Array

    @property
    def counts(self) -> Lost:
        """The losses added up."""
        return lost(self.before, self.after)


Compared = Mapping[str, Comparison | Losing]
"""By the name of the data, as the file calls it, and for losses ``name loss``."""


def key(claim: Measured) -> str:
    """Under which name a promise finds what it rests on."""
    return f"{claim.data} loss" if claim.measure.startswith("loss") else claim.data


def check_classes(rows: Rows) -> None:
    """Refuse rows on which accuracy and loss mean nothing; asked before anything is trained.

    Raises:
        Refusal: E0721, the labels are not classes.
    """
    if rows.labels.ndim != 1 or rows.labels.dtype.kind not in "iu":
        told = f"they are {rows.labels.dtype}{list(rows.labels.shape)}, and classes are natural numbers"
        raise Refusal(Diagnostic("E0721", f"what is measured on `{rows.name}` needs a class for each row", label=told))


def registrations(requires: Sequence[Require]) -> Mapping[str, str]:
    """The SHA-256 of every file that registers a promise, by its name in the text.

    Raises:
        Refusal: E0701 to E0704, there is no such file of text.
    """
    found: dict[str, str] = {}
    for one in requires:
        if isinstance(one.claim, Measured) and one.claim.registered is not None:
            with pointing(one.span):
                source = read(Path(one.span.source.path).resolve().parent / one.claim.registered)
            found[one.claim.registered] = hashlib.sha256(source.text.encode()).hexdigest()
    return found


def compare(start: State, final: State, requires: Sequence[Require], rows: Callable[[str], Rows]) -> Compared:
    """Run both models on all rows that something is promised of, which have classes."""
    claims = [one.claim for one in requires if isinstance(one.claim, Measured)]
    found: dict[str, Comparison | Losing] = {}
    for claim in {key(claim): claim for claim in claims}.values():
        given = rows(claim.data)
        if key(claim) == claim.data:
            found[key(claim)] = Comparison(given, predict(start, given), predict(final, given))
        else:
            found[key(claim)] = Losing(given, row_losses(start, given, BITS), row_losses(final, given, BITS))
    return found


@frozen
class Finding:
    """A measured promise with its figure, its bound (where a confidence is asked for), and whether it is kept."""

    require: Require
    claim: Measured
    figure: Fraction
    bound: Fraction | None
    kept: bool


def judge(requires: Sequence[Require], compared: Compared) -> tuple[Finding, ...]:
    """Every measured promise against what was measured."""
    return tuple(
        _judged(one, one.claim, compared[key(one.claim)].counts) for one in requires if isinstance(one.claim, Measured)
    )


def _judged(require: Require, claim: Measured, counts: Paired | Lost) -> Finding:
    figure, limit = _measures(counts)[claim.measure]
    bound = None if claim.confidence is None else limit(claim.confidence, claim.candidates)
    kept = RELATIONS[claim.relation](figure if bound is None else bound, claim.limit)
    return Finding(require, claim, figure, bound, kept)


def _measures(counts: Paired | Lost) -> Mapping[str, tuple[Fraction, Callable[[Fraction, int], Fraction]]]:
    """The figures that counts give, each with its bound at a confidence among candidates."""
    if isinstance(counts, Lost):
        return {"loss.after": (counts.mean, counts.mean_bound), "loss.rise": (counts.rise, counts.rise_bound)}
    share = Fraction(counts.after, counts.rows)
    return {"accuracy.after": (share, counts.least), "accuracy.drop": (counts.drop, counts.bound)}


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
    figure, claim = f"{float(finding.figure):.4%}", finding.claim
    if finding.bound is None:
        return figure
    side = "least" if claim.measure == "accuracy.after" else "most"
    among = f" among {claim.candidates} candidates" if claim.candidates > 1 else ""
    return f"{figure}, at {side} {float(finding.bound):.4%} with confidence {float(claim.confidence or 0):.4g}{among}"
