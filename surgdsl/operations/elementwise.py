"""Operations that treat every element by itself, with one operand or with two that broadcast.

A dropout that is switched off and a copy are among them. Extents of 1 that are stretched couple nothing.
"""

from __future__ import annotations

from surgdsl.axis.dim import UNIT, Dim
from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand


def same(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same."""
    del operation
    return (sources[0],)


def same_dims(call: Call) -> tuple[Dims, ...]:
    """Every dim as it is."""
    return (call.dims[0],)


def inactive(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """A dropout in eval mode → the same."""
    demand(operation.attribute("train") is False, "dropout in use: capture the model in eval mode")
    return (sources[0],)


def broadcast(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """a[…], b[…] of one dtype, aligned from the right, extents equal or 1 → the larger."""
    del operation
    if len(sources) == 1:
        return (sources[0],)
    a, b = sources
    demand(a.dtype == b.dtype, "the operands have different dtypes")
    rank = max(len(a.shape), len(b.shape))
    return (Sort(a.dtype, tuple(map(_larger, _padded(a.shape, rank), _padded(b.shape, rank)))),)


def _padded(shape: tuple[Extent, ...], rank: int) -> tuple[Extent, ...]:
    return (1,) * (rank - len(shape)) + shape


def _larger(left: Extent, right: Extent) -> Extent:
    demand(left == right or 1 in (left, right), "the operands do not broadcast")
    return right if left == 1 else left


def broadcast_dims(call: Call) -> tuple[Dims, ...]:
    """Dims of equal extent are tied; an extent of 1 that is stretched is not."""
    if len(call.dims) == 1:
        return (call.dims[0],)
    rank = len(call.targets[0].shape)
    padded = [(UNIT,) * (rank - len(dims)) + dims for dims in call.dims]
    shapes = [_padded(sort.shape, rank) for sort in call.sources]
    result: list[Dim] = []
    for left, right, extent, other in zip(*padded, *shapes, strict=True):
        if extent == other:
            call.tie(left, right)
        result.append(right if extent == 1 else left)
    return (tuple(result),)


UNARY = Signature(
    tuple(
        f"aten.{name}.default"
        for name in (
            "relu relu6 sigmoid tanh silu hardswish hardsigmoid mish neg abs exp sqrt clone contiguous detach alias gelu leaky_relu elu hardtanh softplus"
        ).split()
    ),
    same,
    same_dims,
)
DROPOUT = Signature(("aten.dropout.default",), inactive, same_dims)
BINARY = Signature(tuple(f"aten.{name}.Tensor" for name in ("add", "sub", "mul", "div")), broadcast, broadcast_dims)
