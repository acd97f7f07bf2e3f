"""Convolutions, in one to three spatial dimensions, grouped and depthwise among them.

With g groups the output channels are g ⊗ o and the input channels g ⊗ i: cutting a group takes its filters and its
inputs along, and the literal `groups` follows. Depthwise is the case o = i = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from surgdsl.axis.dim import fuse
from surgdsl.axis.extent import Extent, evaluate, product
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integer, integers, replaced
from surgdsl.operations.subscripts import carried


def window(extent: Extent, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many positions a window of `kernel` taps takes along a dimension, rounded down."""
    if not isinstance(extent, int):
        demand(False, "a window slides over a dimension whose size is symbolic")
        return 0
    count = (extent + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    demand(count >= 1, "the window is larger than its input")
    return count


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, g·i, …], w[g·o, i, k…], b[g·o] → y[n, g·o, …]."""
    x, w, *bias = sources
    rank, groups = len(w.shape) - 2, integer(operation, "groups")
    demand(len(x.shape) == rank + 2, "a convolution needs a batch dimension")
    out, per_group = w.shape[0], w.shape[1]
    demand(
        isinstance(out, int) and isinstance(per_group, int) and groups >= 1 and out % groups == 0,
        "groups do not divide the filters",
    )
    demand(
        isinstance(per_group, int) and x.shape[1] == per_group * groups,
        "the input does not have as many channels as the weight",
    )
    demand(all(b.shape == w.shape[:1] for b in bias), "the bias does not fit the weight")
    return (Sort(x.dtype, (x.shape[0], out, *_positions(operation, x, w))),)


def _positions(operation: Operation, x: Sort, w: Sort) -> Iterator[Extent]:
    """How many positions the kernel takes; padding may be said by a word."""
    rank, padding = len(w.shape) - 2, operation.attribute("padding")
    strides = integers(operation, "stride", rank)
    if padding == "same":
        demand(set(strides) == {1}, "a convolution with a stride cannot keep its size")
        yield from x.shape[2:]
        return
    margins = (0,) * rank if padding == "valid" else integers(operation, "padding", rank)
    kernel = (extent for extent in w.shape[2:] if isinstance(extent, int))
    yield from map(window, x.shape[2:], kernel, strides, margins, integers(operation, "dilation", rank))


def relation(call: Call) -> tuple[Dims, ...]:
    """w[0] ~ g ⊗ o, x[1] ~ g ⊗ w[1]; spatial dims are pinned."""
    x, w, *bias = call.dims
    groups = integer(call.operation, "groups")
    out = call.targets[0].shape[1]
    if groups == 1:
        call.tie(x[1], w[1])
    else:
        group = call.unification.fresh(f"{call.operation.path}:groups", groups)
        filters = call.unification.fresh(
            f"{call.operation.path}:filters", out // groups if isinstance(out, int) else out
        )
        call.tie(w[0], fuse(group, filters))
        call.tie(x[1], fuse(group, w[1]))
    for b in bias:
        call.tie(b[0], w[0])
    spatial = tuple(call.fresh(f"space{i}", i + 2) for i in range(len(w) - 2))
    call.pin((*w[2:], *spatial, *x[2:]), "a window slides over it")
    return ((x[0], w[0], *spatial),)


def zero(call: Call) -> bool:
    """Zero where the filters and the bias are; along the batch where the input is, and nothing is added."""
    _, w, *bias = call.dims
    spatial = tuple(range(len(w) - 2))
    subscripts = (("n", "i", *spatial), ("o", *(f"w{i}" for i in range(len(w) - 1))), *(("o",) for _ in bias))
    factors, terms = (0, 1), range(2, len(call.dims))
    return carried(call, subscripts, ("n", "o"), factors, any) and carried(call, subscripts, ("n", "o"), terms, all)


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """n · o · i/g · ∏ kernel · ∏ output positions; taps on padding count."""
    del operation
    return evaluate(product((*targets[0].shape, *sources[1].shape[1:])), binding)


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """`groups` is what remains of the input channels over the channels of a group."""
    channels, per_group = cut.sources[0].shape[1], cut.sources[1].shape[1]
    assert isinstance(channels, int)
    assert isinstance(per_group, int)
    return replaced(cut.operation.attributes, groups=channels // per_group)


CONVOLUTION = Signature(
    tuple(f"aten.conv{rank}d.{form}" for rank in (1, 2, 3) for form in ("default", "padding")),
    typing,
    relation,
    cost,
    retune,
    zero,
)
