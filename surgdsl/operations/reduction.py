"""Operations that work over a dimension: means and softmax.

Cutting what they work over would change their value even where the cut elements are zero, so such a cut is only
approximate, and says so.
"""

from __future__ import annotations

from surgdsl.axis.dim import UNIT
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS, dtype_named
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer, integers, loses_zero


def mean(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without the dimensions in `dim`, or with 1 in their place."""
    (x,) = sources
    dtype = dtype_named(operation, default=x.dtype)
    demand(x.dtype in FLOATS or dtype in FLOATS, "a mean of integers")
    gone, keep = _worked_over(operation, len(x.shape)), operation.attribute("keepdim") is True
    return (
        Sort(dtype, tuple(1 if i in gone else extent for i, extent in enumerate(x.shape) if keep or i not in gone)),
    )


def _worked_over(operation: Operation, rank: int) -> frozenset[int]:
    if operation.attribute("dim") is None:
        return frozenset(range(rank))
    return frozenset(i % rank for i in integers(operation, "dim")) or frozenset(range(rank))


def mean_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain."""
    (x,) = call.dims
    gone, keep = _worked_over(call.operation, len(x)), call.operation.attribute("keepdim") is True
    call.blur(tuple(x[i] for i in gone), "a mean is taken over it")
    return (tuple(UNIT if i in gone else dim for i, dim in enumerate(x) if keep or i not in gone),)


def softmax(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same, in the dtype that the call asks for."""
    (x,) = sources
    return (Sort(dtype_named(operation, default=x.dtype), x.shape),)


def softmax_dims(call: Call) -> tuple[Dims, ...]:
    """The same dims; the one worked over is pinned."""
    (x,) = call.dims
    call.blur((x[integer(call.operation, "dim") % len(x)],), "a softmax is taken over it")
    return (x,)


MEAN = Signature(("aten.mean.dim",), mean, mean_dims)
SOFTMAX = Signature(("aten.softmax.int", "aten.log_softmax.int"), softmax, softmax_dims, zero=loses_zero)
