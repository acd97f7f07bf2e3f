"""Scoring: what a criterion of the language makes of each index of an axis, summed over all that goes with it.

An index of an axis is a slice of several weights; judging it by one of them alone would miss what goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import frozen

from surgdsl.axis.dim import Axis, positions, whole
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.running import Seen, observe
from surgdsl.bridge.source import Rows, bad
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.ranking import Scores
from surgdsl.importance.reading import Read, readers
from surgdsl.importance.streaming import ADVICE, Stream, stream
from surgdsl.importance.viewing import View, view
from surgdsl.language.criterion import Criterion
from surgdsl.operations.coupling import Coupling

Outside = Callable[[Array], Array]
"""A criterion in Python: from a weight, its axes in the order of the declaration, to its scores."""


@frozen(eq=False)
class Slice:
    """One weight that goes with an axis: its name in the net and in files, how it is seen, and who reads it."""

    axis: Axis
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
    slices = [one for axis in axes for one in _slices(criterion, state, coupling, axis)]
    for axis in axes:
        if not any(one.axis == axis for one in slices):
            told = f"criterion `{criterion.name}` scores nothing that goes with `{axis}`"
            raise Refusal(Diagnostic("E0512", told))
    weights = {one.operation: decode(state.weights[one.operation]) for one in slices}
    if outside is not None:
        found = [_asked(criterion, one, weights[one.operation], outside) for one in slices]
    elif criterion.reads:
        assert rows is not None, "the language asks for data"
        found = _run(criterion, state, slices, weights, rows)
    else:
        found = [_evaluated(criterion, one, {criterion.parameter: weights[one.operation]}, None) for one in slices]
    total = {axis: np.zeros(whole(axis)) for axis in axes}
    for one, values in zip(slices, found, strict=True):
        total[one.axis] += values
    for axis, values in total.items():
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            told = f"criterion `{criterion.name}` gives index {place} of `{axis}` the score {values[place]}"
            raise Refusal(Diagnostic("E0511", told))
    return total


def _slices(criterion: Criterion, state: State, coupling: Coupling, axis: Axis) -> list[Slice]:
    asks = "activation" in criterion.reads
    layers = readers(state.net) if asks else dict[str, Read]()
    found: list[Slice] = []
    for member in coupling.members[axis]:
        operation = state.net.graph.operations[member.operation]
        if operation.payload is None or operation.payload.role != "parameter":
            continue
        dim = coupling.dims[operation.targets[0]][member.dimension]
        seen = view(criterion, state.weights[member.operation].shape, member.dimension, positions(dim, axis))
        read = layers.get(operation.targets[0])
        if seen is not None and (not asks or (read is not None and seen.name_of(1) is not None)):
            found.append(Slice(axis, member.operation, operation.payload.base, seen, read))
    return found


def _evaluated(criterion: Criterion, one: Slice, values: Mapping[str, Array], activation: Tensor | None) -> Scores:
    """The scores of one slice, from arrays in the shape of its weight."""
    assert criterion.formula is not None
    tensors = _tensors(criterion, one, values, activation)
    return _summed(evaluate(criterion.formula, Environment(tensors), ADVICE), one)


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


def _asked(criterion: Criterion, one: Slice, values: Array, outside: Outside) -> Scores:
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
    return _summed(Tensor(result, made), one)


# ---- over data ----------------------------------------------------------------------------------


def _run(
    criterion: Criterion, state: State, slices: Sequence[Slice], weights: Mapping[str, Array], rows: Rows
) -> list[Scores]:
    """Scores that read gradients or activations: one pass over the rows for all slices."""
    assert criterion.formula is not None
    wires = tuple(dict.fromkeys(one.read.wire for one in slices if one.read is not None))
    total = [np.zeros(one.seen.extent) for one in slices]
    streams = [stream(criterion.formula) for _ in slices]
    for batch in observe(state, rows, wires):
        for place, one in enumerate(slices):
            if "grad" in criterion.reads:
                total[place] += _of_batch(criterion, one, weights[one.operation], batch)
            else:
                streams[place].take(_tensors(criterion, one, {}, _activation(criterion, one, batch)))
    if "grad" in criterion.reads:
        return total
    return [_streamed(criterion, one, weights[one.operation], made) for one, made in zip(slices, streams, strict=True)]


def _of_batch(criterion: Criterion, one: Slice, weight: Array, batch: Seen) -> Scores:
    if one.base not in batch.gradients:  # the weight has no part in the answer
        return np.zeros(one.seen.extent)
    values = {criterion.parameter: weight, f"grad({criterion.parameter})": batch.gradients[one.base]}
    return _evaluated(criterion, one, values, None if one.read is None else _activation(criterion, one, batch))


def _streamed(criterion: Criterion, one: Slice, weight: Array, made: Stream) -> Scores:
    return _summed(made.value({criterion.parameter: one.seen.tensor(weight)}), one)


def _activation(criterion: Criterion, one: Slice, batch: Seen) -> Tensor:
    """What the layer of a weight reads, over rows, the named axes between, and the axis of its channels."""
    assert one.read is not None
    channels = one.seen.name_of(1)
    assert channels is not None, "a layer that reads channels in groups is not scored"
    found = one.read.tensor(batch.wires[one.read.wire], criterion.extras, channels)
    if channels != one.seen.axes[0]:
        return found
    place = found.axes.index(channels)  # the judged axis, index after index as in the view
    return Tensor(found.axes, found.values.take(one.seen.order, axis=place))
