"""Pooling: windows and averages over the spatial dimensions, each channel by itself."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand, integers


def windows(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] → the positions of the window along each spatial dimension."""
    (x,) = sources
    rank = int(operation.name.split("_pool")[1][0])
    demand(len(x.shape) == rank + 2, "pooling needs a batch dimension")
    kernel, padding = integers(operation, "kernel_size", rank), integers(operation, "padding", rank)
    stride = integers(operation, "stride", rank) or kernel
    attributes = dict(operation.attributes)
    dilation = integers(operation, "dilation", rank) if "dilation" in attributes else (1,) * rank
    found = (
        _positions(extent, *setting, ceil=attributes["ceil_mode"] is True)
        for extent, *setting in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    return (Sort(x.dtype, (*x.shape[:2], *found)),)


def _positions(extent: object, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool) -> int:
    """As in ATen: rounded up with `ceil`, but the last window must start inside the input or its left padding."""
    if not isinstance(extent, int):
        demand(False, "a window slides over a dimension whose size is symbolic")
        return 0
    room = extent + 2 * padding - dilation * (kernel - 1) - 1
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= extent + padding:
        count -= 1
    demand(count >= 1, "the window is larger than its input")
    return count


def adaptive(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] → x[n, c, output_size…]."""
    (x,) = sources
    rank = int(operation.name.split("_pool")[1][0])
    demand(len(x.shape) == rank + 2, "pooling needs a batch dimension")
    return (Sort(x.dtype, (*x.shape[:2], *integers(operation, "output_size", rank))),)


def relation(call: Call) -> tuple[Dims, ...]:
    """Batch and channels pass; spatial dims are pinned."""
    (x,) = call.dims
    spatial = tuple(call.fresh(f"space{i}", i + 2) for i in range(len(x) - 2))
    call.pin((*x[2:], *spatial), "a window slides over it")
    return ((*x[:2], *spatial),)


WINDOWS = Signature(
    tuple(f"aten.{kind}_pool{rank}d.default" for kind in ("max", "avg") for rank in (1, 2, 3)), windows, relation
)
ADAPTIVE = Signature(tuple(f"aten.adaptive_avg_pool{rank}d.default" for rank in (1, 2, 3)), adaptive, relation)
