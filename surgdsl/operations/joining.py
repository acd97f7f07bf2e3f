"""Joining and cutting along a dimension: concatenation makes a sum, a slice refines a dim into one."""

from __future__ import annotations

import numpy as np

from surgdsl.axis.dim import Axis, concat
from surgdsl.axis.extent import Extent, add
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integer, replaced


def cat(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Tensors that agree but along `dim` → side by side."""
    first = sources[0]
    place = integer(operation, "dim") % len(first.shape)
    total: Extent = 0
    for sort in sources:
        demand(len(sort.shape) == len(first.shape) and sort.dtype == first.dtype, "the parts differ in rank or dtype")
        demand(
            all(i == place or a == b for i, (a, b) in enumerate(zip(sort.shape, first.shape, strict=True))),
            "the parts do not line up",
        )
        total = add(total, sort.shape[place])
    return (Sort(first.dtype, (*first.shape[:place], total, *first.shape[place + 1 :])),)


def cat_dims(call: Call) -> tuple[Dims, ...]:
    """The sum along `dim`; the other dims are tied."""
    first, *others = call.dims
    place = integer(call.operation, "dim") % len(first)
    for dims in others:
        for i, (left, right) in enumerate(zip(first, dims, strict=True)):
            if i != place:
                call.tie(left, right)
    return ((*first[:place], concat(*(dims[place] for dims in call.dims)), *first[place + 1 :]),)


def cut(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → every `step`-th position of start … end along `dim`, of which there may be none."""
    (x,) = sources
    place, start, end, step = _bounds(operation, len(x.shape))
    extent = x.shape[place]
    demand(
        isinstance(extent, int) and 0 <= start <= end <= extent and step >= 1, "the slice does not lie inside its input"
    )
    return (Sort(x.dtype, (*x.shape[:place], -((start - end) // step), *x.shape[place + 1 :])),)


def _bounds(operation: Operation, rank: int) -> tuple[int, int, int, int]:
    start, end, step = (integer(operation, name) for name in ("start", "end", "step"))
    return integer(operation, "dim") % rank, start, end, step


def cut_dims(call: Call) -> tuple[Dims, ...]:
    """The dim is before ⊕ slice ⊕ after; with a step it is pinned. What is empty says nothing of it."""
    x = call.dims[0]
    place, start, end, step = _bounds(call.operation, len(x))
    if start == end:
        return ((*x[:place], concat(), *x[place + 1 :]),)
    extent, name = call.sources[0].shape[place], call.operation.path or "model"
    if step != 1 or not isinstance(extent, int):
        call.pin((x[place],), "every n-th position is taken from it")
        middle = call.fresh("slice", place)
        call.pin((middle,), "every n-th position is taken")
        return ((*x[:place], middle, *x[place + 1 :]),)
    source = call.unification.resolve(x[place])
    stem = str(source) if isinstance(source, Axis) else f"{name}:cut"
    bounds = {"before": (0, start), "slice": (start, end), "after": (end, extent)}
    parts = {
        part: call.unification.fresh(f"{stem}/{part}", high - low) for part, (low, high) in bounds.items() if low < high
    }
    call.tie(x[place], concat(*parts.values()))
    return ((*x[:place], parts["slice"], *x[place + 1 :]),)


def retune_cut(found: Cut) -> tuple[tuple[str, Attribute], ...]:
    """Bounds count what is kept before them."""
    place, start, end, _ = _bounds(found.operation, len(found.sources[0].shape))
    kept = found.kept[0][place]
    if kept is None:
        return found.operation.attributes
    first, last = np.searchsorted(kept, [start, end])
    return replaced(found.operation.attributes, start=int(first), end=int(last))


def scatter(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x and what is written into a slice of it → x."""
    (part,) = cut(operation, sources[:1])
    demand(0 not in part.shape, "nothing is written")
    demand(sources[1] == part, "what is written does not fit the slice")
    return (sources[0],)


def scatter_dims(call: Call) -> tuple[Dims, ...]:
    """The dim is before ⊕ written ⊕ after; the others are tied."""
    (middle,) = cut_dims(call)
    for left, right in zip(middle, call.dims[1], strict=True):
        call.tie(left, right)
    return (call.dims[0],)


SCATTER = Signature(("aten.slice_scatter.default",), scatter, scatter_dims, retune=retune_cut)
CAT = Signature(("aten.cat.default",), cat, cat_dims)
SLICE = Signature(("aten.slice.Tensor",), cut, cut_dims, retune=retune_cut)
