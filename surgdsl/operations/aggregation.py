"""Aggregation: sums, averages, spreads and norms over some dimensions.

A sum or a norm does not notice that zeros are gone; an average does, and so does everything that is built on one.
"""

from __future__ import annotations

import math

from surgdsl.axis.dim import UNIT
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS, dtype_named
from surgdsl.operations.signature import Call, Dims, Signature, demand, integers, loses_zero
from surgdsl.operations.subscripts import aligned, carried


def worked_over(operation: Operation, rank: int) -> frozenset[int]:
    """The dimensions in `dim`; all where there is none."""
    if dict(operation.attributes).get("dim") is None:
        return frozenset(range(rank))
    return frozenset(i % rank for i in integers(operation, "dim")) if rank else frozenset()


def everywhere(operation: Operation, rank: int) -> frozenset[int]:
    """As `worked_over`, where an empty list means all."""
    return worked_over(operation, rank) or frozenset(range(rank))


def without(operation: Operation, sort: Sort, dtype: str) -> Sort:
    """A sort without the dimensions worked over, or with 1 in their place."""
    gone = everywhere(operation, len(sort.shape))
    keep = dict(operation.attributes).get("keepdim") is True
    return Sort(
        dtype, tuple(1 if i in gone else extent for i, extent in enumerate(sort.shape) if keep or i not in gone)
    )


def remaining(call: Call) -> Dims:
    """The dims that are not worked over."""
    (x,) = call.dims
    gone = everywhere(call.operation, len(x))
    keep = dict(call.operation.attributes).get("keepdim") is True
    return tuple(UNIT if i in gone else dim for i, dim in enumerate(x) if keep or i not in gone)


def noticed(call: Call) -> Dims:
    """The dims worked over."""
    (x,) = call.dims
    return tuple(x[i] for i in sorted(everywhere(call.operation, len(x))))


def blur_unless_zero(call: Call, reason: str) -> None:
    """Exact over the dims along which zeros go; elsewhere approximate."""
    (x,) = call.dims
    for place in sorted(everywhere(call.operation, len(x))):
        if not carried(call, aligned(len(x)), (place - len(x),), (0,), any):
            call.blur((x[place],), reason)


def total(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without `dim`; integers are summed in I64."""
    (x,) = sources
    dtype = dtype_named(operation, default=x.dtype if x.dtype in FLOATS else "I64")
    return (without(operation, x, dtype),)


def total_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; the others are summed over."""
    blur_unless_zero(call, "a sum is taken over it")
    return (remaining(call),)


def average(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without `dim`, in floats; one target for each thing computed."""
    (x,) = sources
    dtype = dtype_named(operation, default=x.dtype)
    demand(x.dtype in FLOATS and dtype in FLOATS, "an average of integers")
    return (without(operation, x, dtype),) * (2 if "_mean." in operation.name else 1)


def average_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; the others are averaged over."""
    call.blur(noticed(call), "an average is taken over it")
    return (remaining(call),) * len(call.targets)


def norm_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain. Zeros do not count in a norm of order 0 or more."""
    order = call.operation.attribute("ord")
    if isinstance(order, (int, float)) and not math.isnan(order) and order >= 0:
        blur_unless_zero(call, "a norm is taken over it")
    else:
        call.blur(noticed(call), "a norm is taken over it")
    return (remaining(call),)


def exponential_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; a zero counts as e⁰ in the sum."""
    call.blur(noticed(call), "exponentials are summed over it")
    return (remaining(call),)


def product_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; one zero decides a product."""
    call.blur(noticed(call), "a product is taken over it")
    return (remaining(call),)


TOTAL = Signature(("aten.sum.default", "aten.sum.dim_IntList"), total, total_dims)
AVERAGE = Signature(
    (
        "aten.mean.default",
        *(
            f"aten.{name}.{form}"
            for name in ("var", "std", "var_mean", "std_mean")
            for form in ("default", "dim", "correction")
        ),
    ),
    average,
    average_dims,
)
VECTOR_NORM = Signature(("aten.linalg_vector_norm.default",), average, norm_dims)
LOG_SUM_EXP = Signature(("aten.logsumexp.default",), average, exponential_dims, zero=loses_zero)
PRODUCT_OVER = Signature(("aten.prod.default", "aten.prod.dim_int"), total, product_dims)

AGGREGATIONS = (TOTAL, AVERAGE, VECTOR_NORM, LOG_SUM_EXP, PRODUCT_OVER)
