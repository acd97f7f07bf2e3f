"""Operations that treat every element by itself, with one operand or with two that broadcast.

A dropout that is switched off and a copy are among them. Extents of 1 that are stretched couple nothing.
"""

from __future__ import annotations

from surgdsl.axis.dim import UNIT, Dim
from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, absorbs_zero, demand, loses_zero, makes_zero


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


def comparison(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Operands that broadcast → truth values."""
    (found,) = broadcast(operation, sources)
    return (Sort("BOOL", found.shape),)


def sum_zero(call: Call) -> bool:
    """Zero where both terms are; a number that is added is not."""
    return len(call.zeros) == 2 and all(call.zeros)


def first_zero(call: Call) -> bool:
    """Zero where the numerator is."""
    return call.zeros[0]


def _named(text: str, overload: str = "default") -> tuple[str, ...]:
    return tuple(f"aten.{name}.{overload}" for name in text.split())


STEADY = (
    "relu relu6 tanh silu hardswish mish neg abs sqrt clone contiguous detach alias gelu leaky_relu elu selu celu hardtanh square erf sin sign floor "
    "ceil round softsign hardshrink softshrink tan asinh atan expm1 log1p trunc"
)
"""f(0) = 0."""
SHIFTING = "sigmoid exp hardsigmoid softplus cos rsqrt reciprocal log log_sigmoid cosh"
"""f(0) ≠ 0."""

UNARY = Signature(_named(STEADY), same, same_dims)
SHIFTING_UNARY = Signature(_named(SHIFTING), same, same_dims, zero=loses_zero)
DROPOUT = Signature(("aten.dropout.default", "aten.feature_dropout.default"), inactive, same_dims)
SUM = Signature(("aten.add.Tensor", "aten.sub.Tensor"), broadcast, broadcast_dims, zero=sum_zero)
PRODUCT = Signature(("aten.mul.Tensor",), broadcast, broadcast_dims, zero=absorbs_zero)
QUOTIENT = Signature(("aten.div.Tensor",), broadcast, broadcast_dims, zero=first_zero)
COMPARISON = Signature(
    _named("eq ne gt ge lt le", "Tensor") + _named("eq ne gt ge lt le", "Scalar"),
    comparison,
    broadcast_dims,
    zero=loses_zero,
)
BLANK = Signature(("aten.zero.default",), same, same_dims, zero=makes_zero)
FILL = Signature(("aten.fill.Scalar",), same, same_dims, zero=loses_zero)
