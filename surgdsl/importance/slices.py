"""Slices: the weights that a criterion judges, each with how it is seen and what its layer reads.

An index of an axis is a slice of several weights; judging it by one of them alone would miss what goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from surgdsl.axis.dim import Axis, positions
from surgdsl.bridge.weight import Array, State
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.reading import Read, readers
from surgdsl.importance.viewing import View, view
from surgdsl.language.criterion import Criterion
from surgdsl.operations.coupling import Coupling


@frozen(eq=False)
class Slice:
    """One weight that is judged: its name in the net and in files, how it is seen, and what its layer reads."""

    operation: str
    base: str
    seen: View
    read: Read | None

    def received(self, wires: Mapping[str, Array], extras: tuple[str, ...]) -> Tensor | None:
        """What the layer reads of each index that is judged; the positions of one index are rows."""
        if self.read is None:
            return None
        judged = self.seen.axes[0]
        found = self.read.tensor(wires[self.read.wire], extras, judged)
        rows, *between, _ = found.values.shape
        split = self.seen.along(found.values, -1).reshape(rows, *between, self.seen.extent, self.seen.repeats)
        together = np.moveaxis(split, -1, 1).reshape(rows * self.seen.repeats, *between, self.seen.extent)
        return Tensor(found.axes, together)

    def activation(self, wires: Mapping[str, Array], extras: tuple[str, ...]) -> Tensor | None:
        """What the layer reads, over rows, the named axes between, and the axis of its channels in the view."""
        channels = self.seen.name_of(1)
        if self.read is None or channels is None:
            return None
        found = self.read.tensor(wires[self.read.wire], extras, channels)
        if channels != self.seen.axes[0]:
            return found
        *rows, _ = found.values.shape  # the judged axis, index after index as in the view, and its repetitions
        split = self.seen.along(found.values, -1).reshape(*rows, self.seen.extent, self.seen.repeats)
        if self.seen.repetition is None:
            return Tensor(found.axes, split[..., 0])
        return Tensor((*found.axes, self.seen.repetition), split)


def told(axis: Axis, criterion: Criterion, state: State, coupling: Coupling) -> tuple[str, ...]:
    """Why nothing that goes with an axis is scored, weight by weight."""
    wanted = f"criterion `{criterion.name}` speaks of tensor[{', '.join(criterion.axes)}]"
    asks = ", and of what the layer of a weight reads" if _reading(criterion) else ""
    shapes = {member.tensor: state.weights[member.operation].shape for member in coupling.members[axis]}
    return (wanted + asks, *(f"`{tensor}` is {list(shape)}" for tensor, shape in list(shapes.items())[:4]))


def going_with(axis: Axis, criterion: Criterion, state: State, coupling: Coupling) -> list[Slice]:
    """Everything that goes with an axis and that the criterion speaks of."""
    layers = _layers(criterion, state)
    found: list[Slice] = []
    for member in coupling.members[axis]:
        operation = state.net.graph.operations[member.operation]
        if operation.payload is None or operation.payload.role != "parameter":
            continue
        dim = coupling.dims[operation.targets[0]][member.dimension]
        seen = view(criterion.judging, state.weights[member.operation].shape, member.dimension, positions(dim, axis))
        if seen is None:
            continue
        one = Slice(member.operation, operation.payload.base, seen, layers.get(operation.targets[0]))
        if _spoken_of(criterion, one):
            found.append(one)
    return found


def whole_of(name: str, criterion: Criterion, state: State) -> Slice | None:
    """A weight as it is, or nothing where the criterion does not speak of such weights."""
    shape, operation = state.weights[name].shape, state.net.graph.operations[name]
    assert operation.payload is not None
    seen = view(criterion.axes, shape, 0, np.arange(shape[0])) if shape else None
    if seen is None:
        return None
    one = Slice(name, operation.payload.base, seen, _layers(criterion, state).get(operation.targets[0]))
    return None if one.read is None and _reading(criterion) else one


def _layers(criterion: Criterion, state: State) -> Mapping[str, Read]:
    return readers(state.net) if _reading(criterion) else {}


def _reading(criterion: Criterion) -> bool:
    """Whether it asks for what layers read."""
    return not criterion.reads.isdisjoint(("activation", "activation[cout]"))


def _spoken_of(criterion: Criterion, one: Slice) -> bool:
    """Whether what the layer reads is there where the criterion asks for it."""
    if "activation[cout]" in criterion.reads and (one.read is None or one.seen.dimension != 1):
        return False
    return "activation" not in criterion.reads or (one.read is not None and _channels(one.seen))


def _channels(seen: View) -> bool:
    """Whether what the layer reads has an axis in the view: its channels alone, or each with its repetitions."""
    return seen.name_of(1) is not None and (seen.dimension != 1 or seen.repeats == 1 or seen.repetition is not None)
