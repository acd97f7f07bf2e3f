"""Adjusting: weights take new values of the same form, decided by data; what follows of them is exact.

A pruned column that others make up for, values that were moved onto a grid, a projection onto low rank, statistics
measured anew: whatever data decides is this one step, neutral and opaque. The mask, the codes or the factors that come
after it are then derived from bytes alone, and anyone can derive them again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, field, frozen

from surgdsl.bridge.encoding import kept
from surgdsl.bridge.weight import NUMPY, Array, State, Weight
from surgdsl.diagram.hashing import plan_hash
from surgdsl.diagram.payload import Dense, Masked, innermost
from surgdsl.diagram.term import Term, along, made
from surgdsl.surgery.rewrite import Rewrite, replace, rewritten_params, term_of

RULE = "adjust/1"


@frozen
class Account:
    """What an adjustment says of itself: attested, since nobody can derive it again without the data.

    >>> Account("sequential", "train", {"fc.error": Fraction(1, 8), "fc.damping": stated(0.0123456789)}).arguments()
    {'data': 'train', 'figures': [['fc.damping', '123457/10000000'], ['fc.error', '1/8']], 'method': 'sequential'}
    """

    method: str
    """By which algorithm, with whatever decides besides data."""
    data: str = ""
    """The name of the rows; empty where none were read."""
    figures: Mapping[str, Fraction] = field(factory=dict[str, Fraction])

    def arguments(self) -> dict[str, object]:
        """As a certificate has them."""
        rows = [[name, str(self.figures[name])] for name in sorted(self.figures)]
        return {"data": self.data, "figures": rows, "method": self.method}


def stated(value: float) -> Fraction:
    """A measured number as a certificate states it: the nearest decimal of six digits.

    >>> stated(1 / 3), stated(0.0)
    (Fraction(333333, 1000000), Fraction(0, 1))
    """
    assert math.isfinite(value)
    return Fraction(f"{value:.6g}")


def adjust(state: State, weights: Mapping[str, Weight], account: Account, number: int, step: str) -> Rewrite:
    """Put weights of the same form in the place of those that the operations of these names produce.

    Args:
        state: the net and its weights.
        weights: by the name of the operation, in any order; encodings and shapes are those of before.
        account: what is said of it.
        number: the index of the rewrite.
        step: the declared step that it is a part of.
    """
    old = {name: state.weights[name] for name in weights}
    assert all((old[name].encoding, old[name].shape) == (new.encoding, new.shape) for name, new in weights.items())
    run = f"{account.method} on {account.data} after {plan_hash(state.net)}"
    operations = state.net.graph.operations
    asked = rewritten_params(
        state,
        {name: (weights[name], adjusted(term_of(operations[name]), run)) for name in operations if name in weights},
    )
    derivation, after = replace(state, RULE, asked, number)
    on = f" on {account.data}" if account.data else ""
    note = f"{account.method}{on}: {len(weights)} weight{'s' if len(weights) > 1 else ''}"
    return Rewrite(RULE, step, "neutral", None, account.arguments(), note, derivation, state, after)


def refilled(weight: Weight, values: Array) -> Weight:
    """The weight with other values in the same form; what its mask leaves out stays out.

    Args:
        weight: floats that are not coded.
        values: of its shape, in any floating dtype.
    """
    assert isinstance(innermost(weight.encoding), Dense)
    found = values.reshape(weight.shape)
    held = found[kept(weight)] if isinstance(weight.encoding, Masked) else found
    return evolve(weight, parts={**weight.parts, "values": held.astype(NUMPY[weight.dtype])})


def adjusted(term: Term, run: str) -> Term:
    """Where a weight comes from that was adjusted: any weight of the model may have had a say, so no slice sinks."""
    return made(RULE, (along(term),), {"run": run})
