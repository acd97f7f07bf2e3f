"""Measured scales: the vectors that a declared rule takes from data, as powers of two.

A rule with scales is right for every positive vector, so any rounding of one will do. Powers of two are exact in binary
floating point: dividing by them and multiplying again changes no bit of what the model computes, short of overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
import torch
from attrs import field, frozen

from surgdsl.bridge.arguments import to_array
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import watch
from surgdsl.bridge.weight import Array, State
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.reading import CHANNELS, Read
from surgdsl.importance.streaming import ADVICE, Stream, stream
from surgdsl.rules.assignment import environment
from surgdsl.rules.ground import axes, extent
from surgdsl.rules.matching import Site
from surgdsl.rules.schema import ACTIVATION, Box, Schema

LARGEST = 24
"""Exponents lie between −LARGEST and LARGEST: further apart, channels would hardly be compared any more."""
Powers = Mapping[str, tuple[int, ...]]
"""By scale, the exponents of two."""


@frozen
class Measured:
    """What a step gives for the scales of its rule: numbers, and the rows to look at."""

    numbers: tuple[tuple[str, Fraction], ...] = ()
    data: str = ""
    rows: Callable[[], Rows] | None = field(default=None, eq=False, repr=False)

    def powers(self, schema: Schema, state: State, found: Site) -> Powers:
        """The scales of a rule at a place, every one rounded to the nearest power of two.

        What comes to nothing, such as the scale of a channel that is always zero, is 1.
        """
        weights = {f"{box}.{name}": state.weights[param] for (box, name), param in found.form.tensors.items()}
        tensors = {name: weight.parts["values"].astype(np.float64) for name, weight in weights.items()}
        known = environment(schema, found.binding, tensors, dict(self.numbers), ADVICE).variables
        streams = {scale.name: stream(scale.value) for scale in schema.scales}
        self._watched(schema, state, found, streams, known)
        return {name: rounded(one.value(known)) for name, one in streams.items()}

    def _watched(
        self, schema: Schema, state: State, found: Site, streams: Mapping[str, Stream], known: Mapping[str, Tensor]
    ) -> None:
        """Let the scales see what their boxes read, in one pass over the rows."""
        boxes = dict.fromkeys(name for scale in schema.scales for name in scale.boxes)
        if not boxes:
            return
        assert self.rows is not None, "the language asks for data"
        reads = {box.name: (_read(box, found), _channels(box)) for box in schema.left if box.name in boxes}
        seen: dict[str, Tensor] = {}

        def take(name: str, values: torch.Tensor) -> None:
            read, axis = reads[name]
            seen[f"{ACTIVATION}{name})"] = read.tensor(to_array(values), (), axis)
            if len(seen) < len(reads):
                return
            for one in streams.values():
                one.take({**known, **seen})
            seen.clear()

        wires = {read.wire: [name for name, (other, _) in reads.items() if other.wire == read.wire]
                 for read, _ in reads.values()}  # fmt: skip
        watch(state, self.rows(), {wire: partial(_each, take, names) for wire, names in wires.items()})


def _each(take: Callable[[str, torch.Tensor], None], names: Sequence[str], values: torch.Tensor) -> None:
    for name in names:
        take(name, values)


def _read(box: Box, found: Site) -> Read:
    return Read(found.form.wires[box.sources[0]], CHANNELS[box.kind.operator])


def _channels(box: Box) -> str:
    weight = box.kind.tensor("weight")
    assert weight is not None, "the language gives an activation to boxes with a weight"
    return axes(box, weight)[1]


def rounded(values: Tensor) -> tuple[int, ...]:
    """The exponents of the nearest powers of two, 0 for what is no positive number.

    >>> rounded(Tensor(("c",), np.array([1.0, 3.0, 0.2, 0.0, np.inf, 1e30])))
    (0, 2, -2, 0, 0, 24)
    """
    usable = np.isfinite(values.values) & (values.values > 0)
    exponents = np.rint(np.log2(np.where(usable, values.values, 1.0)))
    return tuple(int(one) for one in np.clip(exponents, -LARGEST, LARGEST))


def ones(schema: Schema, found: Site) -> Powers:
    """Scales that change nothing, of the right extents: what is foreseen where data is not looked at."""
    sizes = {scale.name: extent(scale.size, found.binding) for scale in schema.scales}
    return {name: (0,) * size for name, size in sizes.items() if isinstance(size, int)}


def vectors(powers: Powers) -> dict[str, Array]:
    """The scales as numbers."""
    return {name: np.ldexp(1.0, np.array(row, dtype=np.int64)) for name, row in powers.items()}
