"""Fake quantization: each element rounded to a grid of integers and put back, without a multiplication that counts."""

from __future__ import annotations

import math

from surgdsl.verifier.operations.letters import Places, read
from surgdsl.verifier.operations.signature import Call
from surgdsl.verifier.reject import need


def gridded(call: Call) -> Places:
    """The shape of the source; the grid has two points or more, zero among them, and a scale above 0."""
    scale, zero, low, high = (call.values[name] for name in ("scale", "zero_point", "quant_min", "quant_max"))
    grid = low <= zero <= high and low < high and 0 < scale < math.inf
    need(grid, "V09", f"no grid from {low} to {high} in steps of {scale} with {zero} for zero")
    return read("*>*", call.shapes)
