"""Sparsifying: which elements of a layer become zero, and the others moved so that its outputs move least.

``obs`` is SparseGPT: zeros are chosen and made up for in one sweep (Frantar and Alistarh 2023). ``exact`` takes one
zero after the other, each where it costs least (Frantar and Alistarh 2022). ``refit`` has the zeros from whatever
criterion, and solves the least squares over the rest. A weight that was masked before keeps its zeros.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from attrs import evolve, field, frozen
from attrs.validators import in_
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, kept
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.curvature.exact import exact_obs
from surgdsl.curvature.factor import curvature
from surgdsl.curvature.gram import Moments
from surgdsl.curvature.pattern import Pattern, Share
from surgdsl.curvature.solution import Mask as Kept
from surgdsl.curvature.solution import Values
from surgdsl.curvature.sparse import Sparse, masked, refit, sparsegpt
from surgdsl.surgery.adjusting import refilled
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.masking import columns, keep
from surgdsl.surgery.recode import param
from surgdsl.surgery.solving import Solved, facts

Update = Literal["obs", "exact", "refit"]


@frozen
class Sparsifying:
    """How a step makes up for its zeros: by which update, with what damping, on which rows."""

    update: Update = field(validator=in_(("obs", "exact", "refit")))
    damping: float
    data: str
    rows: Rows = field(eq=False, repr=False)

    @property
    def method(self) -> str:
        """How a certificate calls it."""
        return f"sparse {self.update}, damping {self.damping:g}"


@frozen
class Sparsify:
    """Leave elements out of a weight and let the others make up for them, as `update` says."""

    plain: Mask
    """What is left out where no data is read."""
    update: Update = field(validator=in_(("obs", "exact", "refit")))
    damping: float

    @property
    def base(self) -> str:
        """The name of the weight."""
        return self.plain.base

    def solved(self, state: State, curved: Moments) -> Solved:
        """The weight in which what stays makes up for what goes, and the mask that then leaves that out.

        Until then it is as it was, so that it is the mask and nothing else that makes elements zero.
        """
        weight = state.weights[param(state, self.base)]
        stored, layer, was = kept(weight), curved.layer, decode(weight)
        matrices, old = layer.matrices(was), layer.matrices(stored) > 0
        if self.update == "refit":
            asked = layer.matrices(self.plain.judged(state).choice(weight)) > 0
            found = [refit(*one, self.damping) for one in zip(matrices, curved.moment, asked, strict=True)]
        elif self.update == "exact":
            counts = _shared(self.plain.keep, len(matrices))
            found = [exact_obs(*one, self.damping) for one in zip(matrices, curved.moment, counts, strict=True)]
        else:
            pattern = self.plain.pattern or Share(self.plain.keep, "block")
            found = _swept(matrices, curved.moment, old, pattern, columns(pattern, weight.shape), self.damping)
        values = layer.tensor(np.stack([one.values for one in found]))
        mask = np.stack([one.kept for one in found]).reshape(weight.shape) & stored
        return Solved(refilled(weight, np.where(mask, values, was)), evolve(self.plain, chosen=mask), facts(found))


def _shared(count: int, groups: int) -> list[int]:
    """A count shared out evenly, more to the first."""
    each, more = divmod(count, groups)
    return [each + (place < more) for place in range(groups)]


def _swept(
    matrices: Values, moments: Values, stored: Kept, pattern: Pattern, order: NDArray[np.intp], damping: float
) -> list[Sparse]:
    """SparseGPT on each group of a layer, its columns taken in this order.

    Where there are several groups or earlier zeros, what goes is chosen over all of them before anything moves.
    """
    laid, bent = matrices[:, :, order], moments[:, order][:, :, order]
    if len(laid) == 1 and stored.all():
        found = [sparsegpt(laid[0], bent[0], pattern, damping)]
    else:
        factors = [curvature(one, damping) for one in bent]
        alive = [np.where(one.dead, 0.0, values) for one, values in zip(factors, laid, strict=True)]
        scores = [np.square(w / np.diagonal(one.upper)) for one, w in zip(factors, alive, strict=True)]
        wide = laid.shape[-1]
        chosen = keep(np.concatenate(scores), pattern, stored[:, :, order].reshape(-1, wide)).reshape(laid.shape)
        found = [masked(*one, damping) for one in zip(laid, bent, chosen, strict=True)]
    back = np.argsort(order)
    return [
        evolve(one, weight=one.weight[:, back], gram=one.gram[np.ix_(back, back)], values=one.values[:, back],
               kept=one.kept[:, back])
        for one in found
    ]  # fmt: skip
