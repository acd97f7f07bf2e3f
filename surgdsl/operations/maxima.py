"""Pooling that also says where: the largest element of each window and its place in its channel, and its way back.

Batch and channels pass; spatial dims are pinned, and a place is a number that is not zero where its channel is.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import first_zero
from surgdsl.operations.parting import extents
from surgdsl.operations.pooling import windows
from surgdsl.operations.signature import Call, Dims, Signature, demand, loses_zero

SPACE = "the largest is looked for along it"


def _rank(operation: Operation) -> int:
    return int(operation.name.split("pool")[1][0])


def pooled(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] → the positions of the window, twice: the largest elements, and where they were."""
    (found,) = windows(operation, sources)
    return found, Sort("I64", found.shape)


def adaptive(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] → x[n, c, output_size…], and where its elements were."""
    (x,) = sources
    size = extents(operation, "output_size")
    demand(len(x.shape) == _rank(operation) + 2 == len(size) + 2, "pooling needs a batch dimension")
    shape = (*x.shape[:2], *size)
    return Sort(x.dtype, shape), Sort("I64", shape)


def relation(call: Call) -> tuple[Dims, ...]:
    """Batch and channels pass; spatial dims are pinned."""
    (x,) = call.dims
    space = tuple(call.fresh(f"space{i}", i) for i in range(2, len(x)))
    call.pin((*x[2:], *space), SPACE)
    return ((*x[:2], *space),) * len(call.targets)


def unpooled(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …], places of the same shape → y[n, c, output_size…], zero elsewhere."""
    x, places = sources
    size = extents(operation, "output_size")
    demand(places == Sort("I64", x.shape), "there is no place for each element")
    demand(len(x.shape) == _rank(operation) + 2 == len(size) + 2, "pooling needs a batch dimension")
    return (Sort(x.dtype, (*x.shape[:2], *size)),)


def unpooled_dims(call: Call) -> tuple[Dims, ...]:
    """Batch and channels are tied to those of the places; spatial dims are pinned."""
    x, places = call.dims
    for left, right in zip(x[:2], places[:2], strict=True):
        call.tie(left, right)
    space = tuple(call.fresh(f"space{i}", i) for i in range(2, len(x)))
    call.pin((*x[2:], *places[2:], *space), SPACE)
    return ((*x[:2], *space),)


MAX_POOL = Signature(
    tuple(f"aten.max_pool{rank}d_with_indices.default" for rank in (1, 2, 3)), pooled, relation, zero=loses_zero
)
ADAPTIVE_MAX = Signature(
    tuple(f"aten.adaptive_max_pool{rank}d.default" for rank in (1, 2, 3)), adaptive, relation, zero=loses_zero
)
UNPOOL = Signature(
    tuple(f"aten.max_unpool{rank}d.default" for rank in (2, 3)), unpooled, unpooled_dims, zero=first_zero
)

MAXIMA = (MAX_POOL, ADAPTIVE_MAX, UNPOOL)
