"""What a `require` or a `target` claims, as the certificate will have to show it.

A counted claim compares integers that anyone can recount from the certificate; a measured claim needs data and a
model that runs.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span
from surgdsl.formula import Apply, Formula, Metric, Number

__all__ = ["Apply", "Claim", "Counted", "Expr", "Measured", "Metric", "Number", "Require"]

Expr = Formula
"""Without tensors: metrics and properties of weights, in the unit of the metrics: bytes, macs, counts, ratios."""


@frozen
class Counted:
    """`left` stands in `relation` (one of <=, >=, <, >) to `right`; both sides in one unit."""

    left: Expr
    relation: str
    right: Expr


@frozen
class Measured:
    """A figure measured on `data` stands in `relation` to `limit`; with a `confidence`, its bound does.

    `measure` is accuracy.after, accuracy.drop, loss.after or loss.rise.
    """

    measure: str
    relation: str
    limit: Fraction
    data: str
    confidence: Fraction | None = None
    candidates: int = 1
    """How many results were compared on the data before this one was chosen; the confidence is in all of them."""
    registered: str | None = None
    """The file that said so before, as the text names it."""


Claim = Counted | Measured


@frozen
class Require:
    """One promise, as written and as meant."""

    text: str
    claim: Claim
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)
