"""Shuffling: channels change places with each other or with pixels, in blocks of a fixed size.

Each is a view, a permutation and a view, written as one call: the channels are a product with the block, which is
pinned, and the other factor is carried to where it goes.
"""

from __future__ import annotations

from surgdsl.axis.dim import Dim, fuse
from surgdsl.axis.extent import Extent, multiply
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integer

BLOCK = "channels and pixels change places in blocks"


def _divided(extent: Extent, by: int) -> int:
    if not isinstance(extent, int) or by < 1 or extent % by:
        raise IllTyped(f"{by} does not divide a dimension of size {extent}")
    return extent // by


def _free(call: Call, extent: int) -> Dim:
    return call.unification.fresh(f"{call.operation.path or 'model'}:shuffled", extent)


def _block(call: Call, size: int) -> Dim:
    block = call.unification.fresh(f"{call.operation.path or 'model'}:block", size)
    call.pin((block,), BLOCK)
    return block


def pixel_shuffle(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, c·r·r, h, w] → y[…, c, h·r, w·r]."""
    (x,) = sources
    factor = integer(operation, "upscale_factor")
    demand(len(x.shape) >= 3, "pixels need channels, rows and columns")
    *batch, channels, height, width = x.shape
    shape = (*batch, _divided(channels, factor * factor), multiply(height, factor), multiply(width, factor))
    return (Sort(x.dtype, shape),)


def pixel_shuffle_dims(call: Call) -> tuple[Dims, ...]:
    """x[-3] ~ c ⊗ r·r, and c stays; the block and the pixels are pinned."""
    (x,), factor = call.dims, integer(call.operation, "upscale_factor")
    square, rank = factor * factor, len(x)
    channels = _free(call, _divided(call.sources[0].shape[-3], square))
    call.tie(x[-3], fuse(channels, _block(call, square)))
    pixels = call.fresh("rows", rank - 2), call.fresh("columns", rank - 1)
    call.pin((*x[-2:], *pixels), BLOCK)
    return ((*x[:-3], channels, *pixels),)


def pixel_unshuffle(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, c, h·r, w·r] → y[…, c·r·r, h, w]."""
    (x,) = sources
    factor = integer(operation, "downscale_factor")
    demand(len(x.shape) >= 3, "pixels need channels, rows and columns")
    *batch, channels, height, width = x.shape
    shape = (*batch, multiply(channels, factor * factor), _divided(height, factor), _divided(width, factor))
    return (Sort(x.dtype, shape),)


def pixel_unshuffle_dims(call: Call) -> tuple[Dims, ...]:
    """c becomes c ⊗ r·r; the block and the pixels are pinned."""
    (x,), factor, rank = call.dims, integer(call.operation, "downscale_factor"), len(call.dims[0])
    if not isinstance(call.sources[0].shape[-3], int):
        raise IllTyped("the number of channels is symbolic")
    pixels = call.fresh("rows", rank - 2), call.fresh("columns", rank - 1)
    call.pin((*x[-2:], *pixels), BLOCK)
    return ((*x[:-3], fuse(x[-3], _block(call, factor * factor)), *pixels),)


def channel_shuffle(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, g·c, …] → the same sort, channels in the order c·g."""
    (x,) = sources
    demand(len(x.shape) >= 3, "channels need pixels behind them")
    _divided(x.shape[1], integer(operation, "groups"))
    return (x,)


def channel_shuffle_dims(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ g ⊗ c becomes c ⊗ g; g is pinned, as the literal `groups` says it."""
    (x,), groups = call.dims, integer(call.operation, "groups")
    inner = _free(call, _divided(call.sources[0].shape[1], groups))
    group = _block(call, groups)
    call.tie(x[1], fuse(group, inner))
    return ((x[0], fuse(inner, group), *x[2:]),)


PIXEL_SHUFFLE = Signature(("aten.pixel_shuffle.default",), pixel_shuffle, pixel_shuffle_dims)
PIXEL_UNSHUFFLE = Signature(("aten.pixel_unshuffle.default",), pixel_unshuffle, pixel_unshuffle_dims)
CHANNEL_SHUFFLE = Signature(
    ("aten.channel_shuffle.default", "aten.native_channel_shuffle.default"), channel_shuffle, channel_shuffle_dims
)

SHUFFLING = (PIXEL_SHUFFLE, PIXEL_UNSHUFFLE, CHANNEL_SHUFFLE)
