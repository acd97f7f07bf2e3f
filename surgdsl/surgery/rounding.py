"""Rounding: the weights of a layer moved onto the values that codes stand for, so that its outputs move least (GPTQ).

Scales, zero points and codebooks are those of the weight as it was, and stay: what the sweep found lies on them, so
the codes that follow are exactly of it (Frantar et al. 2023, "static groups").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve, field, frozen
from attrs.validators import in_

from surgdsl.bridge.encoding import decode, kept
from surgdsl.bridge.scaling import spread
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.curvature.gram import Moments
from surgdsl.curvature.grid import Grid, gptq, on_grid
from surgdsl.curvature.layer import Layer
from surgdsl.curvature.levels import Nearest, Order, fixed, in_codebook, keeping
from surgdsl.curvature.solution import Mask, Solution, Values
from surgdsl.diagram.payload import Affine
from surgdsl.surgery import affine, codebook
from surgdsl.surgery.adjusting import refilled
from surgdsl.surgery.recode import Quantize, param
from surgdsl.surgery.solving import Solved, facts

LEAST = 2.0**-20
"""What a column that is never read counts, as a share of the one that is read most strongly."""


@frozen
class Making:
    """How a step makes up for its roundings: in which order, with what damping, on which rows."""

    order: Order = field(validator=in_(("activation", "given")))
    damping: float
    data: str
    rows: Rows = field(eq=False, repr=False)

    @property
    def method(self) -> str:
        """How a certificate calls it."""
        return f"rounded obs, {self.order} order, damping {self.damping:g}"


@frozen
class Round:
    """Move a weight onto a grid or into a codebook, later columns making up for earlier ones."""

    plain: Quantize
    """How it is coded where no data is read."""
    order: Order = field(validator=in_(("activation", "given")))
    damping: float

    @property
    def base(self) -> str:
        """The name of the weight."""
        return self.plain.base

    def solved(self, state: State, curved: Moments) -> Solved:
        """The weight on the values of its codes, and the recoding that finds these codes."""
        weight = state.weights[param(state, self.base)]
        layer, values = curved.layer, decode(weight)
        levels, action = self._levels(weight, values, curved)
        stored = layer.matrices(kept(weight)) > 0
        parts = zip(layer.matrices(values), curved.moment, levels, stored, strict=True)
        found = [self._moved(*part) for part in parts]
        return Solved(refilled(weight, layer.tensor(np.stack([one.values for one in found]))), action, facts(found))

    def _moved(self, matrix: Values, gram: Values, levels: Grid | Nearest, stored: Mask) -> Solution:
        if isinstance(levels, Grid) and stored.all():
            return gptq(matrix, gram, levels, self.order, self.damping)
        nearest = on_grid(levels) if isinstance(levels, Grid) else levels
        return fixed(matrix, gram, keeping(nearest, stored), self.order, self.damping)

    def _levels(self, weight: Weight, values: Array, curved: Moments) -> tuple[Sequence[Grid | Nearest], Quantize]:
        """The values that each group of the layer may take, and the recoding that takes just these.

        A codebook counts an element as often as the layer reads its column, squared (Kim et al. 2024, "sensitivity").
        """
        form, layer = self.plain.form, curved.layer
        if not isinstance(form, Affine):
            read = np.diagonal(curved.moment, axis1=1, axis2=2)[:, None]
            often = layer.tensor(np.broadcast_to(read + read.max() * LEAST, layer.matrices(values).shape))
            entries = codebook.fitted(weight, self.plain.bits, often[kept(weight)]).codebook.astype(np.float64)
            return [in_codebook(entries)] * layer.groups, self.plain
        scale, zero = affine.scales(values, form, self.plain.clip)
        grids = _grids(form, scale, np.full(scale.shape, form.middle) if zero is None else zero, layer)
        return grids, evolve(self.plain, scales=(scale, zero))


def _grids(form: Affine, scale: Array, zero: Array, layer: Layer) -> list[Grid]:
    """The grid of each group of a layer: per row and group of columns, or where these do not fit, per element."""
    if form.axis == 0:
        each = form.group or layer.inputs
        scales, zeros = (one.reshape(layer.groups, -1, -(-layer.inputs // each)) for one in (scale, zero))
        columns = np.arange(layer.inputs) // each
    else:
        scales, zeros = (layer.matrices(spread(one, form, layer.shape)) for one in (scale, zero))
        columns = np.arange(layer.inputs)
    laid = zip(scales.astype(np.float64), zeros.astype(np.float64), strict=True)
    return [Grid(form.bits, one, offset, columns) for one, offset in laid]
