"""Scoring: what a criterion makes of each index of an axis, or of each element of a weight.

The scores of everything that goes with an index come together by the reduction that the step declares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.dim import Axis
from surgdsl.bridge.running import Seen, observe
from surgdsl.bridge.source import Rows, bad
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.formula import EVERY, Formula, variables
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.fields import Undefined
from surgdsl.formula.tensor import Misfit, Tensor
from surgdsl.importance.asking import Asked, Primitive, values
from surgdsl.importance.grouping import grouped
from surgdsl.importance.primitive import PRIMITIVES
from surgdsl.importance.ranking import Scores
from surgdsl.importance.slices import Slice, going_with, told, whole_of
from surgdsl.importance.streaming import ADVICE, COUNT, ROW, TOTAL, stream, totalled
from surgdsl.language.criterion import BATCH, Criterion
from surgdsl.operations.coupling import Coupling

Outside = Callable[[Array], Array]
"""A criterion in Python: from a weight, its axes in the order of the declaration, to its scores."""
ROWS = 64
"""Rows of a batch."""
ROOM = 1 << 22
"""How many numbers of gradients of rows are held at once."""


@frozen(slots=False, eq=False)
class Judge:
    """A criterion with all that it needs to be asked: the rows that it reads, and itself where it is Python."""

    criterion: Criterion
    rows: Rows | None = None
    outside: Outside | None = None
    reduction: str = "sum"
    """How the scores of what goes with an index come together."""

    @cached_property
    def primitive(self) -> Primitive | None:
        """The Python of the library that it is, if it is any."""
        return next((one for one in PRIMITIVES if one.name == self.criterion.primitive), None)

    @property
    def elsewhere(self) -> bool:
        """Whether scores depend on more of the model than the weight that is scored."""
        return bool(self.criterion.reads) or (self.primitive is not None and self.primitive.elsewhere)

    def axes(self, state: State, coupling: Coupling, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """The score of each index of `axes`, which are of `coupling`, the axes of the net of `state`.

        Raises:
            Refusal: E0511 a score is no number, E0512 nothing that goes with an axis could be scored, E0605 Python
                gives something else.
        """
        spoken = self._spoken_of(state)
        found = {axis: _of(going_with(axis, self.criterion, state, coupling), spoken) for axis in axes}
        for axis, slices in found.items():
            if not slices:
                message = f"criterion `{self.criterion.name}` scores nothing that goes with `{axis}`"
                raise Refusal(Diagnostic("E0512", message, help=told(axis, self.criterion, state, coupling)))
        made = iter(self._made(state, [one for slices in found.values() for one in slices]))
        total: dict[Axis, Scores] = {}
        for axis, slices in found.items():
            scores = grouped(self.reduction, [_over_judged(next(made), one) for one in slices])
            total[axis] = self._final(scores, str(axis))
        return total

    def elements(self, state: State, operation: str) -> NDArray[np.float64] | None:
        """The score of each element of one weight, in its shape; nothing where it is not spoken of.

        Raises:
            Refusal: E0511 a score is no number, E0605 Python gives something else.
        """
        return self.weights(state, [operation]).get(operation)

    def weights(self, state: State, operations: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
        """The scores of the elements of several weights, in one pass over the rows; of those that are spoken of.

        Raises:
            Refusal: E0511 a score is no number, E0605 Python gives something else.
        """
        found = [one for one in (whole_of(name, self.criterion, state) for name in operations) if one is not None]
        slices = _of(found, self._spoken_of(state))
        scores: dict[str, NDArray[np.float64]] = {}
        for one, made in zip(slices, self._made(state, slices), strict=True):
            known = tuple(axis for axis in one.seen.axes if axis in made.axes)
            spread = made.laid(known).values.reshape([made.extents.get(axis, 1) for axis in one.seen.axes])
            laid = np.broadcast_to(spread, one.seen.shape).reshape(state.weights[one.operation].shape)
            scores[one.operation] = self._final(laid, one.base)
        return scores

    def fits(self, state: State, operation: str) -> bool:
        """Whether it scores the elements of this weight."""
        one = whole_of(operation, self.criterion, state)
        return one is not None and bool(_of([one], self._spoken_of(state)))

    def _spoken_of(self, state: State) -> frozenset[str] | None:
        """The operations whose weights the Python of the library speaks of; nothing where that is all."""
        spoken = None if self.primitive is None else self.primitive.speaks(state)
        return None if spoken is None else frozenset(spoken)

    def _final(self, scores: NDArray[np.float64], where: str) -> NDArray[np.float64]:
        """Scores that are all numbers, compared with each other where the criterion does that."""
        if not np.isfinite(scores).all():
            place = int(np.flatnonzero(~np.isfinite(scores))[0])
            score = scores.reshape(-1)[place]
            message = f"criterion `{self.criterion.name}` gives index {place} of `{where}` the score {score}"
            raise Refusal(Diagnostic("E0511", message))
        over = None if self.primitive is None else self.primitive.over
        return scores if over is None else over(scores)

    def _made(self, state: State, slices: Sequence[Slice]) -> Sequence[Tensor]:
        """What the criterion makes of each slice."""
        if self.primitive is not None:
            return self.primitive.made(Asked(state, slices, self.rows, dict(self.criterion.settings)))
        if self.outside is not None:
            return [self._asked(self.outside, one, values(state, one.operation)) for one in slices]
        try:
            return self._valued(state, slices)
        except (Misfit, Undefined) as error:
            message = f"criterion `{self.criterion.name}` has no value here"
            raise Refusal(Diagnostic("E0511", message, label=str(error))) from error

    def _valued(self, state: State, slices: Sequence[Slice]) -> list[Tensor]:
        """The values of the formula; in one pass over the rows for all slices where it reads any."""
        assert self.criterion.formula is not None
        formula, reads = totalled(self.criterion.formula), self.criterion.reads
        seen = [{self.criterion.parameter: one.seen.tensor(values(state, one.operation))} for one in slices]
        if not reads:
            return [evaluate(formula, Environment(one), ADVICE) for one in seen]
        streams = [stream(formula, per_batch="grad" in reads) for _ in slices]
        wires = tuple(dict.fromkeys(one.read.wire for one in slices if one.read is not None))
        slopes = bool(reads & {"grad", ROW})
        for batch in self._batches(state, formula, slices, wires):
            for one, own, made in zip(slices, seen, streams, strict=True):
                if not slopes or one.base in batch[0].gradients:  # else the weight has no part in the answer
                    made.take({**own, **self._shown(one, batch)})
        return [made.value(own) for made, own in zip(streams, seen, strict=True)]

    def _batches(
        self, state: State, formula: Formula, slices: Sequence[Slice], wires: Sequence[str]
    ) -> Iterator[tuple[Seen, ...]]:
        """Batches one by one; or, where gradients of rows are read, rows, as many at once as there is room for."""
        assert self.rows is not None, "the language asks for data"
        if not any(name.startswith(ROW) for name in variables(formula)):
            yield from ((batch,) for batch in observe(state, self.rows, wires, ROWS))
            return
        several = max(1, min(ROWS, ROOM // max(1, sum(math.prod(one.seen.shape) for one in slices))))
        rows = observe(state, self.rows, wires, 1)
        while batch := tuple(islice(rows, several)):
            yield batch

    def _shown(self, one: Slice, batch: Sequence[Seen]) -> dict[str, Tensor]:
        """What a batch, or several rows, show of one slice."""
        weight, reads, extras = self.criterion.parameter, self.criterion.reads, self.criterion.extras
        wires = batch[0].wires
        if len(batch) > 1:
            wires = {wire: np.concatenate([row.wires[wire] for row in batch]) for wire in wires}
        activation = one.activation(wires, extras) if "activation" in reads else None
        received = one.received(wires, extras) if "activation[cout]" in reads else None
        found = {f"activation({weight})": activation, f"activation[cout]({weight})": received}
        if one.base in batch[0].gradients:
            first, *others = (one.seen.tensor(row.gradients[one.base]) for row in batch)
            found[f"grad({weight})"] = first
            stacked = np.stack([first.values, *(other.values for other in others)])
            found[f"{ROW}({weight})"] = Tensor((BATCH, *first.axes), stacked)
            found[f"{TOTAL}({weight})"] = Tensor(first.axes, first.values * batch[0].rows)
            found[COUNT] = Tensor((), float(batch[0].rows))
        return {name: tensor for name, tensor in found.items() if tensor is not None}

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


def _of(slices: Sequence[Slice], spoken: frozenset[str] | None) -> list[Slice]:
    return [one for one in slices if spoken is None or one.operation in spoken]


def _over_judged(made: Tensor, one: Slice) -> Scores:
    """Scores with the judged axis first and all others rolled into the second; a plain number is everyone's."""
    judged = one.seen.axes[0]
    if judged not in made.axes:
        return np.full((one.seen.extent, 1), float(made.values.sum()))
    laid = made.laid((judged, *(axis for axis in made.axes if axis != judged))).values
    return np.asarray(laid.reshape(one.seen.extent, -1), dtype=np.float64)
