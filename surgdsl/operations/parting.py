"""Parting and stacking: one tensor becomes several along a dimension, or several become one along a new dimension.

Pieces of given sizes refine the dim into a sum, and the sizes follow; a dimension that is taken apart index by index is
pinned.
"""

from __future__ import annotations

from surgdsl.axis.dim import Axis, Dim, concat
from surgdsl.axis.extent import Extent, Polynomial, add
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, IllTyped, Signature, demand, integer, replaced


def extents(operation: Operation, name: str) -> tuple[Extent, ...]:
    """An attribute that is a list of extents, symbolic ones among them.

    Raises:
        IllTyped: it is something else.
    """
    value = operation.attribute(name)
    found = [
        item
        for item in (value if isinstance(value, tuple) else (value,))
        if isinstance(item, (int, Polynomial)) and not isinstance(item, bool)
    ]
    if not isinstance(value, tuple) or len(found) != len(value):
        raise IllTyped(f"{name} must be sizes")
    return tuple(found)


def place(operation: Operation, rank: int, name: str = "dim") -> int:
    """The dimension that attribute `name` means, counted from the front.

    Raises:
        IllTyped: a tensor of this rank has no such dimension.
    """
    found = integer(operation, name)
    demand(-rank <= found < rank, f"there is no dimension {found}")
    return found % rank


def split(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → consecutive pieces of the given sizes along `dim`, which make up the whole."""
    (x,) = sources
    at = place(operation, len(x.shape))
    total: Extent = 0
    for size in (sizes := extents(operation, "split_sizes")):
        total = add(total, size)
    demand(total == x.shape[at], "the pieces do not make up the whole")
    return tuple(Sort(x.dtype, (*x.shape[:at], size, *x.shape[at + 1 :])) for size in sizes)


def split_dims(call: Call) -> tuple[Dims, ...]:
    """The dim is the sum of its pieces; where sizes are symbolic or nothing, all is pinned."""
    (x,) = call.dims
    at = place(call.operation, len(x))
    sizes = extents(call.operation, "split_sizes")
    parts = tuple(_pieces(call, x[at], sizes))
    if all(isinstance(size, int) and size for size in sizes):
        call.tie(x[at], concat(*parts))
    else:
        call.pin((x[at], *parts), "it is split into pieces of symbolic size")
    return tuple((*x[:at], part, *x[at + 1 :]) for part in parts)


def _pieces(call: Call, dim: Dim, sizes: tuple[Extent, ...]) -> list[Dim]:
    """A fresh axis for each piece, named after what is split: ``qkv:out/0``."""
    source = call.unification.resolve(dim)
    stem = str(source) if isinstance(source, Axis) else f"{call.operation.path or 'model'}:split"
    return [call.unification.fresh(f"{stem}/{number}", size) for number, size in enumerate(sizes)]


def retune_split(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The sizes are the targets'."""
    at = place(cut.operation, len(cut.sources[0].shape))
    return replaced(cut.operation.attributes, split_sizes=tuple(target.shape[at] for target in cut.targets))


def unbind(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → one tensor for each index along `dim`."""
    (x,) = sources
    at = place(operation, len(x.shape))
    count = x.shape[at]
    if not isinstance(count, int):
        raise IllTyped("a dimension of symbolic size is taken apart")
    return (Sort(x.dtype, x.shape[:at] + x.shape[at + 1 :]),) * count


def unbind_dims(call: Call) -> tuple[Dims, ...]:
    """The dims but the one taken apart, which is pinned: each index has its own wire."""
    (x,) = call.dims
    at = place(call.operation, len(x))
    call.pin((x[at],), "each of its indices goes its own way")
    return (x[:at] + x[at + 1 :],) * len(call.targets)


def stack(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Tensors of one sort → side by side along a new dimension."""
    first = sources[0]
    demand(all(sort == first for sort in sources), "the parts differ in shape or dtype")
    at = place(operation, len(first.shape) + 1)
    return (Sort(first.dtype, (*first.shape[:at], len(sources), *first.shape[at:])),)


def stack_dims(call: Call) -> tuple[Dims, ...]:
    """The dims of all parts are tied; the new one is pinned."""
    first, *others = call.dims
    for dims in others:
        for left, right in zip(first, dims, strict=True):
            call.tie(left, right)
    at = place(call.operation, len(first) + 1)
    new = call.fresh("stack", at)
    call.pin((new,), "each of its indices is a tensor of its own")
    return ((*first[:at], new, *first[at:]),)


SPLIT = Signature(("aten.split_with_sizes.default",), split, split_dims, retune=retune_split)
UNBIND = Signature(("aten.unbind.int",), unbind, unbind_dims)
STACK = Signature(("aten.stack.default",), stack, stack_dims)

PARTING = (SPLIT, UNBIND, STACK)
