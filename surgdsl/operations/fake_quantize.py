"""Fake quantization: every element rounded to a grid of a few integers and put back, in floating point.

What an 8-bit kernel would read is computed so, without the kernel.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import same_dims
from surgdsl.operations.signature import Call, Signature, demand, integer, keeps_zero

NAME = "aten.fake_quantize_per_tensor_affine.default"


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same. A scale that is still a text, to be measured when a step runs, types as well."""
    (x,) = sources
    low, high = integer(operation, "quant_min"), integer(operation, "quant_max")
    scale = operation.attribute("scale")
    demand(low < high, f"no grid from {low} to {high}")
    demand(isinstance(scale, str) or (isinstance(scale, int | float) and scale > 0), "a scale is above 0")
    demand(x.dtype.startswith(("F", "BF")), f"{x.dtype} is not rounded to a grid")
    return (x,)


def zero(call: Call) -> bool:
    """Zero stays zero where it is a point of the grid; every quantizer of ours has it."""
    low, high = integer(call.operation, "quant_min"), integer(call.operation, "quant_max")
    return keeps_zero(call) and low <= integer(call.operation, "zero_point") <= high


FAKE_QUANTIZE = Signature((NAME,), typing, same_dims, zero=zero)
