"""Triangles: what lies on one side of a diagonal is zeroed.

Which elements those are depends on row and column, so both are pinned; dimensions in front of them are carried.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer


def triangle(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same sort, zero on one side of a diagonal."""
    (x,) = sources
    integer(operation, "diagonal")
    demand(len(x.shape) >= 2, "a triangle needs rows and columns")
    return (x,)


def triangle_dims(call: Call) -> tuple[Dims, ...]:
    """The same dims; rows and columns are pinned."""
    (x,) = call.dims
    call.pin(x[-2:], "what is kept depends on its row and its column")
    return (x,)


TRIANGLE = Signature(("aten.triu.default", "aten.tril.default"), triangle, triangle_dims)
