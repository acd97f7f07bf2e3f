"""Attesting: figures that only somebody else's Python gives, asked once and written with the digest of its source.

Nobody can recount them, so a promise that rests on one holds only for those who trust that file, by its digest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from numbers import Integral, Rational, Real
from pathlib import Path
from typing import Any

from attrs import evolve

from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import answer, bad, source_digest
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Span
from surgdsl.formula import Attested, Extern, Formula, rewritten, walk
from surgdsl.language.claim import Counted, Require
from surgdsl.language.figures import LARGEST_NATURAL


def attest(promises: Sequence[Require], states: Mapping[str, State]) -> tuple[Require, ...]:
    """The promises with every figure of Python put in.

    Args:
        promises: as the file has them.
        states: the models `before` and `after`.

    Raises:
        Refusal: E0605, it cannot be called, or gives no number.
    """
    known: dict[Extern, Attested] = {}

    def asked(one: Formula, span: Span) -> Formula:
        if not isinstance(one, Extern):
            return one
        if one not in known:
            folder = Path(one.file).resolve().parent
            value = number(answer(one.reference, folder, span, weights(states[one.state])), one.reference, span)
            known[one] = Attested(value, one.reference, source_digest(one.reference, folder, span), one.state)
        return known[one]

    def settled(require: Require) -> Require:
        if not isinstance(require.claim, Counted):
            return require
        left, right = (rewritten(side, lambda one: asked(one, require.span)) for side in sides(require.claim))
        return evolve(require, claim=evolve(require.claim, left=left, right=right))

    return tuple(map(settled, promises))


def sides(claim: Counted) -> tuple[Formula, Formula]:
    """Both sides of a claim."""
    return claim.left, claim.right


def trusted(promises: Sequence[Require]) -> frozenset[str]:
    """The digests of all Python files that the promises rest on."""
    claims = [one.claim for one in promises if isinstance(one.claim, Counted)]
    return frozenset(
        node.sha256 for claim in claims for side in sides(claim) for node in walk(side) if isinstance(node, Attested)
    )


def weights(state: State) -> dict[str, Array]:
    """The weights of a state, decoded, by name; copies, so that nobody can change the model."""
    return {
        operation.payload.base: decode(state.weights[name]).copy()
        for name, operation in state.net.params().items()
        if operation.payload
    }


def number(value: Any, reference: str, span: Span | None) -> Fraction:
    """What Python returned as an exact number: a float as the shortest decimals that mean it.

    Raises:
        Refusal: E0605, it is none, or not finite.
    """
    plain = value.item() if hasattr(value, "item") and getattr(value, "size", 0) == 1 else value
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise bad(reference, span, f"it returned {type(value).__name__}, not a number")
    if not isinstance(plain, Integral | Rational) and not math.isfinite(plain):
        raise bad(reference, span, f"it returned {plain}")
    found = Fraction(plain) if isinstance(plain, Integral | Rational) else Fraction(repr(float(plain)))
    if max(abs(found.numerator), found.denominator) >= LARGEST_NATURAL:
        raise bad(reference, span, f"it returned {plain}, and a certificate holds numbers of at most 39 digits")
    return found
