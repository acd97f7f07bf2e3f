"""Recoding: one weight is stored otherwise, masked or quantized; the net around it stays as it is.

L is the weight, K its wire, R the weight in its new encoding. Which elements and which codes is decided by the values
at the moment of the step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np
from attrs import evolve, field, frozen
from attrs.validators import in_

from surgdsl.bridge.encoding import decode, with_mask
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, masked
from surgdsl.diagram.term import Read, Term, along, made, thinned
from surgdsl.formula import as_json
from surgdsl.importance.scoring import Judge
from surgdsl.surgery import affine, codebook
from surgdsl.surgery.masking import keep_largest
from surgdsl.surgery.rewrite import Rewrite, replace, rewritten_param, term_of
from surgdsl.surgery.single import Single

Ready = tuple[Weight, Weight]
"""A weight, and what an action makes of it, computed before its turn."""
MASK, CODEBOOK, AFFINE = "mask/1", "quantize-codebook/1", "quantize-affine/1"


@frozen
class Mask(Single):
    """Keep the `keep` elements of largest magnitude of the weight called `base`, or those that `judge` scores highest.

    What a judge finds at the moment of the step, and what it read for that, is held in `scores` and `reads`.
    """

    base: str
    keep: int
    size: int
    judge: Judge | None = field(default=None, eq=False, repr=False)
    scores: Array | None = field(default=None, eq=False, repr=False)
    reads: tuple[Read, ...] = field(default=(), eq=False, repr=False)
    ready: Ready | None = field(default=None, eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.base}: {self.size} -> {self.keep} elements"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Mask in `state`."""
        scores = None if self.judge is None else self.judge.elements(state, param(state, self.base))
        return self._masked(state, number, step, scores)

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """Mask as many elements as will be, by magnitude where a judge would have to be asked."""
        yield self._masked(state, number, step, None)

    def _masked(self, state: State, number: int, step: str, scores: Array | None) -> Rewrite:
        name, arguments = param(state, self.base), {"keep": str(self.keep)}
        others = state.net.params().items() if self.judge is not None and self.judge.criterion.reads else ()
        judged = evolve(self, scores=scores, reads=tuple(Read(term_of(one)) for other, one in others if other != name))
        return _recoded(state, self.base, MASK, "nnz/1", arguments, self.note, number, step, judged)

    def term(self, weight: Weight, of: Term) -> Term:
        """Where the masked weight comes from."""
        del weight
        if self.judge is None:
            return thinned(of, self.keep)
        said = self.judge.criterion
        by = said.reference if said.formula is None else json.dumps(as_json(said.formula))
        return made(MASK, (along(of), *self.reads), {"by": by, "keep": self.keep})

    def recode(self, weight: Weight) -> Weight:
        """The weight with all but its largest elements left out."""
        if weight.bare:
            return evolve(weight, encoding=masked(weight.encoding))
        if self.ready is not None and self.ready[0] is weight:
            return self.ready[1]
        return with_mask(
            weight, keep_largest(np.abs(decode(weight)) if self.scores is None else self.scores, self.keep)
        )


@frozen
class Quantize(Single):
    """Store the weight called `base` in `bits` bits an element: by a codebook, or scales along its first dimension."""

    base: str
    bits: int
    scheme: str = field(validator=in_(("kmeans", "affine")))
    ready: Ready | None = field(default=None, eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.base}: {self.bits} bit {'codebook' if self.scheme == 'kmeans' else 'grid'}"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Quantize in `state`."""
        rule, arguments = (
            (CODEBOOK, {"bits": self.bits}) if self.scheme == "kmeans" else (AFFINE, {"axis": 0, "bits": self.bits})
        )
        return _recoded(state, self.base, rule, "size/1", arguments, self.note, number, step, self)

    def term(self, weight: Weight, of: Term) -> Term:
        """Where the codes come from: a codebook is fitted to all elements, the scale of a row to that row alone."""
        arguments = {"bits": self.bits}
        if self.scheme == "kmeans":
            return made(CODEBOOK, (along(of),), arguments)
        return made(AFFINE, (along(of, 0),), arguments, natural=(0,) if weight.encoding == Dense() else ())

    def recode(self, weight: Weight) -> Weight:
        """The weight as codes."""
        if weight.bare:
            inner = Codebook(self.bits) if self.scheme == "kmeans" else Affine(self.bits, 0)
            return evolve(weight, encoding=Masked(inner) if isinstance(weight.encoding, Masked) else inner)
        if self.ready is not None and self.ready[0] is weight:
            return self.ready[1]
        return (
            codebook.quantize(weight, self.bits) if self.scheme == "kmeans" else affine.quantize(weight, self.bits, 0)
        )


def param(state: State, base: str) -> str:
    """The operation that produces the weight called `base`.

    Raises:
        KeyError: there is none.
    """
    return {operation.payload.base: name for name, operation in state.net.params().items() if operation.payload}[base]


def _recoded(
    state: State,
    base: str,
    rule: str,
    reduces: str,
    arguments: Mapping[str, object],
    note: str,
    number: int,
    step: str,
    action: Mask | Quantize,
) -> Rewrite:
    name = param(state, base)
    weight, operation = state.weights[name], state.net.graph.operations[name]
    asked = rewritten_param(state, name, action.recode(weight), action.term(weight, term_of(operation)))
    derivation, after = replace(state, rule, asked, number)
    return Rewrite(rule, step, "reduce", reduces, arguments, note, derivation, state, after)
