"""Spreading: elements are repeated along a dimension that grows.

Repeating a dim r times makes a product with a new axis r: outermost for whole copies, innermost where elements stay
with their copies. The counts written in the call follow. A copy is not zero where its axis is neutralised, so only the
other operand of a contraction over copies can be.
"""

from __future__ import annotations

from surgdsl.axis.dim import UNIT, fuse
from surgdsl.axis.extent import Extent, Polynomial, multiply, product
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.parting import extents, place
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integer, loses_zero, replaced


def expand(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the shape in the call, aligned from the right, where −1 means as before; only extents of 1 grow."""
    (x,) = sources
    sizes = extents(operation, "size")
    new = len(sizes) - len(x.shape)
    demand(new >= 0, "a tensor cannot be expanded to a lower rank")
    old = (1,) * new + x.shape
    shape = tuple(extent if size == -1 else size for size, extent in zip(sizes, old, strict=True))
    demand(-1 not in sizes[:new], "a new dimension has no size to keep")
    demand(all(a in (b, 1) for a, b in zip(old, shape, strict=True)), "only extents of 1 grow")
    return (Sort(x.dtype, shape),)


def expand_dims(call: Call) -> tuple[Dims, ...]:
    """A new axis where an extent of 1 grows; the other dims as they are."""
    (x,), shape = call.dims, call.targets[0].shape
    new = len(shape) - len(x)
    old = (1,) * new + call.sources[0].shape
    grown = [i for i, (before, after) in enumerate(zip(old, shape, strict=True)) if before != after]
    return (tuple(call.fresh(f"expand{i}", i) if i in grown or i < new else x[i - new] for i in range(len(shape))),)


def retune_expand(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The sizes are the target's."""
    return replaced(cut.operation.attributes, size=cut.targets[0].shape)


def copied_zero(call: Call) -> bool:
    """Zero where the source is, and it was not multiplied but by symbols, along which nothing is ever cut."""
    found = call.targets[0].shape
    old = (1,) * (len(found) - len(call.sources[0].shape)) + call.sources[0].shape
    grown = (after for before, after in zip(old, found, strict=True) if before != after)
    return all(call.zeros) and all(isinstance(extent, Polynomial) for extent in grown)


def _counts(operation: Operation, rank: int) -> tuple[Extent, ...]:
    """How often each target dimension repeats its source's; `tile` may leave out the first ones."""
    found = extents(operation, "dims" if operation.name == "aten.tile.default" else "repeats")
    if operation.name == "aten.tile.default":
        return (1,) * (rank - len(found)) + found
    demand(len(found) >= rank, "a count is missing")
    return found


def repeat(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → whole copies side by side, so many along each dimension, aligned from the right."""
    (x,) = sources
    counts = _counts(operation, len(x.shape))
    demand(all(not isinstance(count, int) or count >= 1 for count in counts), "nothing would be left")
    return (Sort(x.dtype, tuple(map(multiply, counts, (1,) * (len(counts) - len(x.shape)) + x.shape))),)


def repeat_dims(call: Call) -> tuple[Dims, ...]:
    """r ⊗ x along each dimension."""
    (x,) = call.dims
    counts = _counts(call.operation, len(x))
    old = (UNIT,) * (len(counts) - len(x)) + x
    copies = [call.unification.fresh(f"{call.operation.path or 'model'}:copies{i}", n) for i, n in enumerate(counts)]
    return (tuple(map(fuse, copies, old)),)


def retune_repeat(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """A count is what the target has over what the source has."""
    shape, target = cut.sources[0].shape, cut.targets[0].shape
    old = (1,) * (len(target) - len(shape)) + shape
    before = _counts(cut.operation, len(shape))
    found = tuple(map(_over, target, old, before))
    key = "dims" if cut.operation.name == "aten.tile.default" else "repeats"
    return replaced(cut.operation.attributes, **{key: found})


def _over(whole: Extent, part: Extent, count: Extent) -> Extent:
    return whole // part if isinstance(whole, int) and isinstance(part, int) else count


def interleave(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → each position of `dim` repeated on the spot; without `dim`, of x laid flat."""
    (x,) = sources
    count = integer(operation, "repeats")
    demand(count >= 1, "nothing would be left")
    if operation.attribute("dim") is None:
        return (Sort(x.dtype, (multiply(product(x.shape), count),)),)
    at = place(operation, len(x.shape))
    return (Sort(x.dtype, (*x.shape[:at], multiply(x.shape[at], count), *x.shape[at + 1 :])),)


def interleave_dims(call: Call) -> tuple[Dims, ...]:
    """x ⊗ r along `dim`."""
    (x,), name = call.dims, f"{call.operation.path or 'model'}:copies"
    copies = call.unification.fresh(name, integer(call.operation, "repeats"))
    if call.operation.attribute("dim") is None:
        return ((fuse(*x, copies),),)
    at = place(call.operation, len(x))
    return ((*x[:at], fuse(x[at], copies), *x[at + 1 :]),)


def retune_interleave(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The count is what the target has over what the source has; a length written out beside it is the target's."""
    operation, (source,), (target,) = cut.operation, cut.sources, cut.targets
    flat = operation.attribute("dim") is None
    at = 0 if flat else place(operation, len(source.shape))
    whole, part = target.shape[at], product(source.shape) if flat else source.shape[at]
    changes: dict[str, Attribute] = {"repeats": _over(whole, part, integer(operation, "repeats"))}
    if operation.attribute("output_size") is not None:
        changes["output_size"] = whole
    return replaced(operation.attributes, **changes)


EXPAND = Signature(("aten.expand.default",), expand, expand_dims, retune=retune_expand, zero=copied_zero)
REPEAT = Signature(
    ("aten.repeat.default", "aten.tile.default"), repeat, repeat_dims, retune=retune_repeat, zero=copied_zero
)
INTERLEAVE = Signature(
    ("aten.repeat_interleave.self_int",), interleave, interleave_dims, retune=retune_interleave, zero=loses_zero
)

SPREADING = (EXPAND, REPEAT, INTERLEAVE)
