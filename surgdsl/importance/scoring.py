"""Scoring: what a criterion of the language makes of each index of an axis, summed over all that goes with it.

An index of an axis is a slice of several weights; judging it by one of them alone would miss what goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.dim import Axis, positions, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.running import Seen, observe
from surgdsl.bridge.source import Rows, bad
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.fields import Undefined
from surgdsl.formula.tensor import Misfit, Tensor
from surgdsl.importance.ranking import Scores
from surgdsl.importance.reading import Read, readers
from surgdsl.importance.streaming import ADVICE, stream
from surgdsl.importance.viewing import View, view
from surgdsl.language.criterion import Criterion
from surgdsl.operations.coupling import Coupling

Outside = Callable[[Array], Array]
"""A criterion in Python: from a weight, its axes in the order of the declaration, to its scores."""


@frozen(eq=False)
class Slice:
    """One weight that is judged: its name in the net and in files, how it is seen, and who reads it."""

    operation: str
    base: str
    seen: View
    read: Read | None


def scores(
    criterion: Criterion,
    state: State,
    coupling: Coupling,
    axes: Sequence[Axis],
    rows: Rows | None = None,
    outside: Outside | None = None,
) -> Mapping[Axis, Scores]:
    """The score of each index of `axes`.

    Args:
        criterion: what scores.
        state: the net and its weights.
        coupling: the axes of that net.
        axes: those to score.
        rows: what gradients and activations are of, where the criterion reads them.
        outside: the criterion itself, where it is Python.

    Raises:
        Refusal: E0511 a score is no number, E0512 nothing that goes with an axis could be scored, E0605 Python
            gives something else.
    """
    found = {axis: _slices(criterion, state, coupling, axis) for axis in axes}
    for axis, slices in found.items():
        if not slices:
            told = f"criterion `{criterion.name}` scores nothing that goes with `{axis}`"
            raise Refusal(Diagnostic("E0512", told))
    made = iter(_scored(criterion, state, [one for slices in found.values() for one in slices], rows, outside))
    total = {axis: np.zeros(whole(axis)) for axis in axes}
    for axis, slices in found.items():
        for one in slices:
            total[axis] += _summed(next(made), one)
    for axis, values in total.items():
        _check(criterion, values, f"of `{axis}`")
    return total


def _reads(seen: View) -> bool:
    """Whether what the layer reads has an axis in the view: its channels alone, or each with its repetitions."""
    channels = seen.name_of(1)
    return channels is not None and (seen.dimension != 1 or seen.repeats == 1 or seen.repetition is not None)


def elements(
    criterion: Criterion, state: State, operation: str, rows: Rows | None = None, outside: Outside | None = None
) -> NDArray[np.float64] | None:
    """The score of each element of one weight, in its shape; nothing where it has more axes than the criterion names.

    Raises:
        Refusal: E0511 a score is no number, E0605 Python gives something else.
    """
    one = _element(criterion, state, operation)
    if one is None:
        return None
    (made,) = _scored(criterion, state, [one], rows, outside)
    known = tuple(axis for axis in one.seen.axes if axis in made.axes)
    spread = made.laid(known).values.reshape([made.extents.get(axis, 1) for axis in one.seen.axes])
    found = np.broadcast_to(spread, one.seen.shape).reshape(state.weights[operation].shape)
    _check(criterion, found, f"of `{one.base}`")
    return found


def _element(criterion: Criterion, state: State, name: str) -> Slice | None:
    """A weight as a whole, or nothing where the criterion does not speak of such weights."""
    shape, operation = state.weights[name].shape, state.net.graph.operations[name]
    assert operation.payload is not None
    seen = view(criterion.axes, shape, 0, np.arange(shape[0])) if shape else None
    asks = "activation" in criterion.reads
    read = readers(state.net).get(operation.targets[0]) if asks else None
    return None if seen is None or (asks and read is None) else Slice(name, operation.payload.base, seen, read)


def _check(criterion: Criterion, values: NDArray[np.float64], where: str) -> None:
    if np.isfinite(values).all():
        return
    place = int(np.flatnonzero(~np.isfinite(values))[0])
    told = f"criterion `{criterion.name}` gives index {place} {where} the score {values.reshape(-1)[place]}"
    raise Refusal(Diagnostic("E0511", told))


def _scored(
    criterion: Criterion, state: State, slices: Sequence[Slice], rows: Rows | None, outside: Outside | None
) -> list[Tensor]:
    """What the criterion makes of each slice."""
    try:
        return _valued(criterion, state, slices, rows, outside)
    except (Misfit, Undefined) as error:
        raise Refusal(
            Diagnostic("E0511", f"criterion `{criterion.name}` has no value here", label=str(error))
        ) from error


def _valued(
    criterion: Criterion, state: State, slices: Sequence[Slice], rows: Rows | None, outside: Outside | None
) -> list[Tensor]:
    weights = {one.operation: decode(state.weights[one.operation]) for one in slices}
    if outside is not None:
        return [_asked(criterion, one, weights[one.operation], outside) for one in slices]
    if criterion.reads:
        assert rows is not None, "the language asks for data"
        return _run(criterion, state, slices, weights, rows)
    return [_evaluated(criterion, one, {criterion.parameter: weights[one.operation]}, None) for one in slices]


def _slices(criterion: Criterion, state: State, coupling: Coupling, axis: Axis) -> list[Slice]:
    asks = "activation" in criterion.reads
    layers = readers(state.net) if asks else dict[str, Read]()
    found: list[Slice] = []
    for member in coupling.members[axis]:
        operation = state.net.graph.operations[member.operation]
        if operation.payload is None or operation.payload.role != "parameter":
            continue
        dim = coupling.dims[operation.targets[0]][member.dimension]
        seen = view(criterion.judging, state.weights[member.operation].shape, member.dimension, positions(dim, axis))
        read = layers.get(operation.targets[0])
        if seen is not None and (not asks or (read is not None and _reads(seen))):
            found.append(Slice(member.operation, operation.payload.base, seen, read))
    return found


def _evaluated(criterion: Criterion, one: Slice, values: Mapping[str, Array], activation: Tensor | None) -> Tensor:
    """What the formula makes of one slice, from arrays in the shape of its weight."""
    assert criterion.formula is not None
    tensors = _tensors(criterion, one, values, activation)
    return evaluate(criterion.formula, Environment(tensors), ADVICE)


def _tensors(
    criterion: Criterion, one: Slice, values: Mapping[str, Array], activation: Tensor | None
) -> dict[str, Tensor]:
    found = {name: one.seen.tensor(array) for name, array in values.items()}
    return found if activation is None else {**found, f"activation({criterion.parameter})": activation}


def _summed(made: Tensor, one: Slice) -> Scores:
    """Scores over the judged axis alone: single weights are summed over the others; a plain number is everyone's."""
    judged = one.seen.axes[0]
    if judged not in made.axes:
        return np.full(one.seen.extent, float(made.values.sum()))
    laid = made.laid((judged, *(axis for axis in made.axes if axis != judged))).values
    return np.asarray(laid.reshape(one.seen.extent, -1).sum(axis=1), dtype=np.float64)


def _asked(criterion: Criterion, one: Slice, values: Array, outside: Outside) -> Tensor:
    """What Python says of one slice, in the order of the axes of the declaration."""
    seen = one.seen.tensor(values)
    order = seen.axes if criterion.axes == ("*",) else criterion.axes
    given = seen.laid(order)
    made = outside(given.values)
    result = given.axes if criterion.single else criterion.result
    wanted = tuple(given.extents[axis] for axis in result)
    if made.shape != wanted or made.dtype.kind not in "fiu":
        told = f"it returned {made.dtype}{list(made.shape)}, expected one number for each of {list(wanted)}"
        raise bad(criterion.reference, criterion.span, told)
    return Tensor(result, made.astype(np.float64))


# ---- over data ----------------------------------------------------------------------------------


def _run(
    criterion: Criterion, state: State, slices: Sequence[Slice], weights: Mapping[str, Array], rows: Rows
) -> list[Tensor]:
    """Scores that read gradients or activations: one pass over the rows for all slices."""
    assert criterion.formula is not None
    wires = tuple(dict.fromkeys(one.read.wire for one in slices if one.read is not None))
    streams = [stream(criterion.formula, per_batch="grad" in criterion.reads) for _ in slices]
    for batch in observe(state, rows, wires):
        for one, made in zip(slices, streams, strict=True):
            tensors = _of_batch(criterion, one, weights[one.operation], batch)
            if tensors is not None:
                made.take(tensors)
    return [
        made.value({criterion.parameter: one.seen.tensor(weights[one.operation])})
        for one, made in zip(slices, streams, strict=True)
    ]


def _of_batch(criterion: Criterion, one: Slice, weight: Array, batch: Seen) -> dict[str, Tensor] | None:
    """What a batch shows of one slice; nothing where the weight has no part in the answer."""
    activation = None if one.read is None else _activation(criterion, one, batch)
    if "grad" not in criterion.reads:
        return _tensors(criterion, one, {}, activation)
    if one.base not in batch.gradients:
        return None
    values = {criterion.parameter: weight, f"grad({criterion.parameter})": batch.gradients[one.base]}
    return _tensors(criterion, one, values, activation)


def _activation(criterion: Criterion, one: Slice, batch: Seen) -> Tensor:
    """What the layer of a weight reads, over rows, the named axes between, and the axis of its channels."""
    assert one.read is not None
    channels = one.seen.name_of(1)
    assert channels is not None, "a layer that reads channels in groups is not scored"
    found = one.read.tensor(batch.wires[one.read.wire], criterion.extras, channels)
    if channels != one.seen.axes[0]:
        return found
    *rows, _ = found.values.shape  # the judged axis, index after index as in the view, and its repetitions
    split = found.values.take(one.seen.order, axis=-1).reshape(*rows, one.seen.extent, one.seen.repeats)
    if one.seen.repetition is None:
        return Tensor(found.axes, split[..., 0])
    return Tensor((*found.axes, one.seen.repetition), split)


@frozen(eq=False)
class Judge:
    """A criterion with all that it needs to be asked: the rows that it reads, and itself where it is Python."""

    criterion: Criterion
    rows: Rows | None = None
    outside: Outside | None = None

    def axes(self, state: State, coupling: Coupling, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """See `scores`."""
        return scores(self.criterion, state, coupling, axes, self.rows, self.outside)

    def elements(self, state: State, operation: str) -> NDArray[np.float64] | None:
        """See `elements`."""
        return elements(self.criterion, state, operation, self.rows, self.outside)

    def fits(self, state: State, operation: str) -> bool:
        """Whether it scores the elements of this weight."""
        return _element(self.criterion, state, operation) is not None
