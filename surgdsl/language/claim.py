"""What a `require` or a `target` claims, as the certificate will have to show it.

A counted claim compares integers that anyone can recount from the certificate; a measured claim needs data and a
model that runs.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span


@frozen
class Number:
    """A constant in the unit of the metrics around it: bytes, macs, a count, or a plain ratio."""

    value: Fraction


@frozen
class Metric:
    """A metric (`id`: params, nnz, macs or size in bytes) of the model ``before`` or ``after`` the surgery."""

    id: str
    state: str


@frozen
class Apply:
    """``add``, ``sub``, ``mul`` or ``div`` of two terms; ``div`` by zero makes the claim unproved, never true."""

    op: str
    terms: tuple[Expr, ...]


Expr = Number | Metric | Apply


@frozen
class Counted:
    """`left` stands in `relation` (one of <=, >=, <, >) to `right`; both sides in one unit."""

    left: Expr
    relation: str
    right: Expr


@frozen
class Measured:
    """A figure measured on `data` stands in `relation` to `limit`; with a `confidence`, its bound does."""

    measure: str
    relation: str
    limit: Fraction
    data: str
    confidence: Fraction | None = None


Claim = Counted | Measured


@frozen
class Require:
    """One promise, as written and as meant."""

    text: str
    claim: Claim
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)
