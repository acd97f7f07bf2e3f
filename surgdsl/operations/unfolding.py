"""Unfolding: windows cut out of a tensor and laid side by side, and laid back.

As columns, channels become channels ⊗ kernel, where the kernel is pinned; so channels are carried there and back.
"""

from __future__ import annotations

from surgdsl.axis.dim import Dim, fuse
from surgdsl.axis.extent import Extent, multiply, product
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.convolution import window
from surgdsl.operations.parting import place
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integer, integers

WINDOW = "a window slides over it"


def _positions(operation: Operation, space: tuple[Extent, ...]) -> int:
    """How many windows there are in all."""
    names = ("kernel_size", "stride", "padding", "dilation")
    settings = zip(space, *(integers(operation, name, 2) for name in names), strict=True)
    counts = [window(*setting) for setting in settings]
    return counts[0] * counts[1]


def columns(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, h, w] → y[n, c·kernel, windows]."""
    (x,) = sources
    demand(len(x.shape) == 4, "unfolding needs a batch dimension")
    kernel = product(integers(operation, "kernel_size", 2))
    return (Sort(x.dtype, (x.shape[0], multiply(x.shape[1], kernel), _positions(operation, x.shape[2:]))),)


def columns_dims(call: Call) -> tuple[Dims, ...]:
    """c becomes c ⊗ kernel; the kernel, the windows and the pixels are pinned."""
    (x,) = call.dims
    found, kernel = call.fresh("windows", 2), _kernel(call)
    call.pin((found, *x[2:]), WINDOW)
    return ((x[0], fuse(x[1], kernel), found),)


def _kernel(call: Call) -> Dim:
    extent = product(integers(call.operation, "kernel_size", 2))
    found = call.unification.fresh(f"{call.operation.path or 'model'}:kernel", extent)
    call.pin((found,), WINDOW)
    return found


def image(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c·kernel, windows] → y[n, c, h, w], where windows that overlap add up."""
    (x,) = sources
    space = integers(operation, "output_size", 2)
    demand(len(x.shape) == 3, "folding needs a batch dimension")
    demand(x.shape[2] == _positions(operation, space), "there are more or fewer windows than the image has")
    return (Sort(x.dtype, (x.shape[0], _channels(operation, x.shape[1]), *space)),)


def _channels(operation: Operation, extent: Extent) -> int:
    kernel = product(integers(operation, "kernel_size", 2))
    if not isinstance(extent, int) or not isinstance(kernel, int) or extent % kernel:
        raise IllTyped("the kernel does not divide the channels")
    return extent // kernel


def image_dims(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ c ⊗ kernel, and c stays."""
    (x,) = call.dims
    channels = call.fresh("folded", 1)
    call.tie(x[1], fuse(channels, _kernel(call)))
    space = call.fresh("space0", 2), call.fresh("space1", 3)
    call.pin((x[2], *space), WINDOW)
    return ((x[0], channels, *space),)


def unfold(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → windows of `size` positions along one dimension, `step` apart; what is inside a window comes last."""
    (x,) = sources
    at = place(operation, len(x.shape), "dimension")
    length, step = integer(operation, "size"), integer(operation, "step")
    demand(length >= 1 and step >= 1, "a window has at least one position")
    count = window(x.shape[at], length, step, 0, 1)
    return (Sort(x.dtype, (*x.shape[:at], count, *x.shape[at + 1 :], length)),)


def unfold_dims(call: Call) -> tuple[Dims, ...]:
    """The other dims are carried; the one cut into windows, and both that come of it, are pinned."""
    (x,) = call.dims
    at = place(call.operation, len(x), "dimension")
    windows, inside = call.fresh("windows", at), call.fresh("window", len(x))
    call.pin((x[at], windows, inside), WINDOW)
    return ((*x[:at], windows, *x[at + 1 :], inside),)


COLUMNS = Signature(("aten.im2col.default",), columns, columns_dims)
IMAGE = Signature(("aten.col2im.default",), image, image_dims)
UNFOLD = Signature(("aten.unfold.default",), unfold, unfold_dims)

UNFOLDING = (COLUMNS, IMAGE, UNFOLD)
