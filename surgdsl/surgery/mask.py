"""Mask: one weight stores only some of its elements, and the others are zero; the net around it stays as it is.

L is the weight, K its wire, R the weight with a mask over whatever it was stored as. Which elements stay is decided by
the values at the moment of the step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, kept, stored_count, with_mask
from surgdsl.bridge.paging import release
from surgdsl.bridge.weight import Array, State, Weight, plain
from surgdsl.curvature.pattern import Few, Pattern, Share
from surgdsl.diagram.payload import masked
from surgdsl.diagram.term import Argument, Read, Term, along, made, thinned
from surgdsl.formula import as_json
from surgdsl.importance.scoring import Judge
from surgdsl.surgery.masking import keep, spelled, stated
from surgdsl.surgery.recode import Coded, Ready, param, recoded
from surgdsl.surgery.rewrite import Rewrite, term_of
from surgdsl.surgery.single import Single

RULE = "mask/1"


@frozen
class Mask(Single):
    """Keep the `keep` elements of largest magnitude of the weight called `base`, or those that `judge` scores highest.

    A `pattern` says among which they are chosen, and may leave fewer. What a judge finds at the moment of the step, and
    what it read for that, is held in `scores` and `reads`; where something else has chosen what stays, in `chosen`.
    """

    base: str
    keep: int
    size: int
    pattern: Pattern | None = None
    judge: Judge | None = field(default=None, eq=False, repr=False)
    among: tuple[str, ...] = ()
    """The weights whose elements compete with these, all of those that share one count."""
    scores: Array | None = field(default=None, eq=False, repr=False)
    reads: tuple[Read, ...] = field(default=(), eq=False, repr=False)
    ready: Ready | None = field(default=None, eq=False, repr=False)
    chosen: NDArray[np.bool_] | None = field(default=None, eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        told = f", {spelled(self.pattern)}" if spelled(self.pattern) else ""
        return f"{self.base}: {self.size} -> {self.keep} elements{told}"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Mask in `state`."""
        return self._masked(state, number, step, self.judged(state))

    def judged(self, state: State) -> Mask:
        """The same with the scores of the judge, if there is one."""
        if self.judge is None:
            return self
        return evolve(self, scores=self.judge.elements(state, param(state, self.base)))

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """Mask as many elements as will be, by magnitude where a judge would have to be asked."""
        yield self._masked(state, number, step, self)

    def _masked(self, state: State, number: int, step: str, judged: Mask) -> Rewrite:
        name = param(state, self.base)
        everything = self.judge is not None and self.judge.elsewhere
        others = {other: one for other, one in state.net.params().items() if other != name and one.payload}
        reads = tuple(
            Read(term_of(one))
            for one in others.values()
            if everything or (one.payload and one.payload.base in self.among)
        )
        return recoded(state, self.base, RULE, "nnz/1", {}, self.note, number, step, evolve(judged, reads=reads))

    def term(self, weight: Weight, of: Term) -> Term:
        """Where the masked weight comes from."""
        del weight
        if self.judge is None and self.pattern is None and not self.among:
            return thinned(of, self.keep)
        by = "" if self.judge is None else _said(self.judge)
        asked: dict[str, Argument] = {"keep": self.keep} if self.pattern is None else {"pattern": repr(self.pattern)}
        natural = (0,) if isinstance(self.pattern, Few) and self.judge is None else ()  # each row on its own
        return made(RULE, (along(of, *natural), *self.reads), {"by": by, **asked}, natural=natural)

    def coded(self, weight: Weight) -> Coded:
        """The weight with all but its chosen elements left out."""
        if weight.bare:
            return Coded(evolve(weight, encoding=masked(weight.encoding)))
        if self.ready is not None and self.ready[0] is weight:
            return self.ready[1]
        made = with_mask(weight, self.choice(weight))
        return Coded(made, {"keep": str(stored_count(made)), **stated(self.pattern)})

    def recode(self, weight: Weight) -> Weight:
        """The weight as it is stored then."""
        return self.coded(weight).weight

    def choice(self, weight: Weight) -> NDArray[np.bool_]:
        """Which elements stay."""
        if self.chosen is not None:
            return self.chosen
        scores = np.abs(plain(decode(weight), weight.dtype)) if self.scores is None else self.scores
        for part in weight.parts.values():
            release(part)  # of a large weight there is one copy in memory at a time
        return keep(scores, self.pattern or Share(self.keep), kept(weight))


def _said(judge: Judge) -> str:
    said = judge.criterion
    return said.reference or said.text if said.formula is None else json.dumps(as_json(said.formula))
