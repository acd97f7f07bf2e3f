"""Thinning: weights that share one count, so that where little is lost more elements go.

All elements compete by their scores; how many stay in all is exact, how many in each weight is found when the step
runs. Among equals the element of the earlier weight stays, then the one of lower index. Each weight keeps one element
at least, since a layer that answers nothing cuts the model in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve, frozen

from surgdsl.bridge.encoding import decode, kept, stored_count
from surgdsl.bridge.weight import Array, State, plain
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.masking import keep_largest
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard
from surgdsl.surgery.solving import Solve
from surgdsl.surgery.sparsifying import Sparsify, Sparsifying


@frozen
class Thin:
    """Keep `total` elements of some weights together; each mask says how many are foreseen to stay in its weight."""

    total: int
    masks: tuple[Mask, ...]
    update: Sparsifying | None = None

    @property
    def note(self) -> str:
        """One line for people."""
        size = sum(mask.size for mask in self.masks)
        named = ", ".join(mask.base for mask in self.masks[:2])
        more = f" and {len(self.masks) - 2} more" if len(self.masks) > 2 else ""
        return f"{named}{more}: {size} -> {self.total} elements together"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """As many elements in all as will stay, the same share of each weight."""
        yield from self._done(self.masks).foresee(state, number, step)

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Count what stays in each weight, then mask them one after the other."""
        yield from self._done(self._counted(state)).rewrites(state, number, step, heard)

    def _done(self, masks: Sequence[Mask]) -> Solve | InTurn:
        if self.update is None:
            return InTurn(tuple(masks))
        asked = self.update
        parts = tuple(Sparsify(mask, asked.update, asked.damping) for mask in masks)
        return Solve(asked.method, parts, asked.data, asked.rows)

    def _counted(self, state: State) -> list[Mask]:
        """The masks with what stays; a weight that keeps all that it stores is left out."""
        weights = [state.weights[param(state, mask.base)] for mask in self.masks]
        scores = [_scores(mask.judged(state), state) for mask in self.masks]
        ends = np.cumsum([one.size for one in scores])
        flat = np.concatenate(scores)
        for end, one in zip(ends, scores, strict=True):
            flat[end - one.size + int(np.argmax(one))] = np.inf
        chosen = np.split(keep_largest(flat, self.total), ends[:-1])
        found: list[Mask] = []
        for mask, weight, stays in zip(self.masks, weights, chosen, strict=True):
            count = int(np.count_nonzero(stays))
            if count < stored_count(weight):
                found.append(evolve(mask, keep=count, chosen=stays.reshape(weight.shape)))
        return found


def _scores(mask: Mask, state: State) -> Array:
    """The score of each element of a weight, −∞ where it is not stored; float64[n]."""
    weight = state.weights[param(state, mask.base)]
    scores = np.abs(plain(decode(weight), weight.dtype)) if mask.scores is None else mask.scores
    return np.where(kept(weight), scores, -np.inf).astype(np.float64).ravel()


@frozen
class InTurn:
    """Masks one after the other."""

    masks: tuple[Mask, ...]

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """Each as it is foreseen."""
        for turn, mask in enumerate(self.masks, number):
            for rewrite in mask.foresee(state, turn, step):
                yield rewrite
                state = rewrite.after

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Each as it is."""
        for turn, mask in enumerate(self.masks, number):
            heard(mask.note)
            rewrite = mask.rewrite(state, turn, step)
            yield rewrite
            state = rewrite.after
