"""Scoring: what a criterion of the language makes of each index of an axis, or of each element of a weight.

The scores of everything that goes with an index are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.dim import Axis, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.running import Seen, observe
from surgdsl.bridge.source import Rows, bad
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.formula import EVERY
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.fields import Undefined
from surgdsl.formula.tensor import Misfit, Tensor
from surgdsl.importance.ranking import Scores
from surgdsl.importance.slices import Slice, going_with, told, whole_of
from surgdsl.importance.streaming import ADVICE, stream
from surgdsl.language.criterion import Criterion
from surgdsl.operations.coupling import Coupling

Outside = Callable[[Array], Array]
"""A criterion in Python: from a weight, its axes in the order of the declaration, to its scores."""


@frozen(eq=False)
class Judge:
    """A criterion with all that it needs to be asked: the rows that it reads, and itself where it is Python."""

    criterion: Criterion
    rows: Rows | None = None
    outside: Outside | None = None

    def axes(self, state: State, coupling: Coupling, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """The score of each index of `axes`, which are of `coupling`, the axes of the net of `state`.

        Raises:
            Refusal: E0511 a score is no number, E0512 nothing that goes with an axis could be scored, E0605 Python
                gives something else.
        """
        found = {axis: going_with(axis, self.criterion, state, coupling) for axis in axes}
        for axis, slices in found.items():
            if not slices:
                message = f"criterion `{self.criterion.name}` scores nothing that goes with `{axis}`"
                raise Refusal(Diagnostic("E0512", message, help=told(axis, self.criterion, state, coupling)))
        made = iter(self._made(state, [one for slices in found.values() for one in slices]))
        total = {axis: np.zeros(whole(axis)) for axis in axes}
        for axis, slices in found.items():
            for one in slices:
                total[axis] += _summed(next(made), one)
            self._check(total[axis], str(axis))
        return total

    def elements(self, state: State, operation: str) -> NDArray[np.float64] | None:
        """The score of each element of one weight, in its shape; nothing where it is not spoken of.

        Raises:
            Refusal: E0511 a score is no number, E0605 Python gives something else.
        """
        one = whole_of(operation, self.criterion, state)
        if one is None:
            return None
        (made,) = self._made(state, [one])
        known = tuple(axis for axis in one.seen.axes if axis in made.axes)
        spread = made.laid(known).values.reshape([made.extents.get(axis, 1) for axis in one.seen.axes])
        found = np.broadcast_to(spread, one.seen.shape).reshape(state.weights[operation].shape)
        self._check(found, one.base)
        return found

    def fits(self, state: State, operation: str) -> bool:
        """Whether it scores the elements of this weight."""
        return whole_of(operation, self.criterion, state) is not None

    def _check(self, values: NDArray[np.float64], where: str) -> None:
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            score = values.reshape(-1)[place]
            message = f"criterion `{self.criterion.name}` gives index {place} of `{where}` the score {score}"
            raise Refusal(Diagnostic("E0511", message))

    def _made(self, state: State, slices: Sequence[Slice]) -> list[Tensor]:
        """What the criterion makes of each slice."""
        weights = [decode(state.weights[one.operation]) for one in slices]
        if self.outside is not None:
            return [self._asked(self.outside, one, weight) for one, weight in zip(slices, weights, strict=True)]
        try:
            return self._valued(state, slices, weights)
        except (Misfit, Undefined) as error:
            message = f"criterion `{self.criterion.name}` has no value here"
            raise Refusal(Diagnostic("E0511", message, label=str(error))) from error

    def _valued(self, state: State, slices: Sequence[Slice], weights: Sequence[Array]) -> list[Tensor]:
        """The values of the formula; in one pass over the rows for all slices where it reads any."""
        formula, name, reads = self.criterion.formula, self.criterion.parameter, self.criterion.reads
        assert formula is not None
        seen = [{name: one.seen.tensor(weight)} for one, weight in zip(slices, weights, strict=True)]
        if not reads:
            return [evaluate(formula, Environment(one), ADVICE) for one in seen]
        assert self.rows is not None, "the language asks for data"
        streams = [stream(formula, per_batch="grad" in reads) for _ in slices]
        wires = tuple(dict.fromkeys(one.read.wire for one in slices if one.read is not None))
        for batch in observe(state, self.rows, wires):
            for one, own, made in zip(slices, seen, streams, strict=True):
                if "grad" not in reads or one.base in batch.gradients:  # else the weight has no part in the answer
                    made.take({**own, **self._shown(one, batch)})
        return [made.value(own) for made, own in zip(streams, seen, strict=True)]

    def _shown(self, one: Slice, batch: Seen) -> dict[str, Tensor]:
        """What a batch shows of one slice."""
        found: dict[str, Tensor] = {}
        activation = one.activation(batch.wires, self.criterion.extras)
        if activation is not None:
            found[f"activation({self.criterion.parameter})"] = activation
        if "grad" in self.criterion.reads:
            found[f"grad({self.criterion.parameter})"] = one.seen.tensor(batch.gradients[one.base])
        return found

    def _asked(self, outside: Outside, one: Slice, weight: Array) -> Tensor:
        """What Python says of one slice, in the order of the axes of the declaration."""
        seen = one.seen.tensor(weight)
        given = seen if self.criterion.axes == (EVERY,) else seen.laid(self.criterion.axes)
        made = outside(given.values)
        result = given.axes if self.criterion.single else self.criterion.result
        wanted = tuple(given.extents[axis] for axis in result)
        if made.shape != wanted or made.dtype.kind not in "fiu":
            why = f"it returned {made.dtype}{list(made.shape)}, expected one number for each of {list(wanted)}"
            raise bad(self.criterion.reference, self.criterion.span, why)
        return Tensor(result, made.astype(np.float64))


def _summed(made: Tensor, one: Slice) -> Scores:
    """Scores over the judged axis alone: single weights are summed over the others; a plain number is everyone's."""
    judged = one.seen.axes[0]
    if judged not in made.axes:
        return np.full(one.seen.extent, float(made.values.sum()))
    laid = made.laid((judged, *(axis for axis in made.axes if axis != judged))).values
    return np.asarray(laid.reshape(one.seen.extent, -1).sum(axis=1), dtype=np.float64)
