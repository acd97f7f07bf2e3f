"""Rearranging: views, permutations, concatenations, slices. Elements move, none is computed."""

from __future__ import annotations

import math
from typing import TypeVar

from surgdsl.verifier.extent import product, total
from surgdsl.verifier.operations.signature import Call, Cut, Sets, Shape, Signature, dimension, full
from surgdsl.verifier.reject import need

POSITIONS = 1 << 24
T = TypeVar("T")


def flatten(call: Call) -> Shape:
    """Dimensions start … end merged into one."""
    x = call.shape("self")
    start, end = (call.dimension(name, len(x)) for name in ("start_dim", "end_dim"))
    need(start <= end, "V09", "flatten: start_dim lies behind end_dim")
    return (*x[:start], product(*x[start : end + 1]), *x[end + 1 :])


def view(name: str, call: Call) -> Shape:
    """The shape that is written out; the product of extents is kept."""
    target: Shape = call.values[name]
    need(all(isinstance(extent, str) or extent >= 1 for extent in target), "V09", "view: a size is not an extent")
    need(product(*target) == product(*call.shape("self")), "V09", "view: the number of elements changes")
    return target


def reshaped(cut: Cut) -> bool:
    """A leading run of equal extents agrees one by one; of the rest, the kept row-major positions are the same."""
    x, y, kept, wanted = cut.before.shape("self"), cut.shape, cut.of("self"), cut.target
    run = next((at for at, (a, b) in enumerate(zip(x, y, strict=False)) if a != b), min(len(x), len(y)))
    return kept[:run] == wanted[:run] and positions(x[run:], kept[run:]) == positions(y[run:], wanted[run:])


def positions(shape: Shape, kept: Sets) -> tuple[int, ...]:
    """Row-major positions of the elements whose every index is kept."""
    lists = [full(indices, extent) for indices, extent in zip(kept, shape, strict=True)]
    need(math.prod(map(len, lists)) <= POSITIONS, "V20", "a view has too many positions to compare")
    found: tuple[int, ...] = (0,)
    for extent, indices in zip(shape, lists, strict=True):
        found = tuple(at * int(extent) + index for at in found for index in indices)
    return found


def order(call: Call) -> tuple[int, ...]:
    """For each dimension of the target the dimension of the source that goes there."""
    rank = len(call.shape("self"))
    if "dims" in call.values:
        found = tuple(dimension(dim, rank) for dim in call.values["dims"])
        need(sorted(found) == list(range(rank)), "V09", "permute: dims is no permutation")
        return found
    swapped, (a, b) = list(range(rank)), (call.dimension(name, rank) for name in ("dim0", "dim1"))
    swapped[a], swapped[b] = b, a
    return tuple(swapped)


def unsqueezed(call: Call, row: tuple[T, ...], new: T) -> tuple[T, ...]:
    """A row over the dimensions with one entry put in."""
    at = call.dimension("dim", len(row) + 1)
    return (*row[:at], new, *row[at:])


def squeezed(call: Call, row: tuple[T, ...]) -> tuple[T, ...]:
    """A row over the dimensions with the entry of an extent 1 taken out."""
    shape = call.shape("self")
    at = call.dimension("dim", len(shape))
    need(shape[at] == 1, "V09", "squeeze: the extent is not 1")
    return (*row[:at], *row[at + 1 :])


def cat(call: Call) -> Shape:
    """Equal but along dim, where extents add."""
    shapes = [sort.shape for sort in call.sorts]
    at = call.dimension("dim", len(shapes[0]))
    fits = all(len(s) == len(shapes[0]) and _but(s, at) == _but(shapes[0], at) for s in shapes)
    need(fits, "V09", "cat: the sources do not fit")
    return (*shapes[0][:at], total(shape[at] for shape in shapes), *shapes[0][at + 1 :])


def joined(cut: Cut) -> bool:
    """Along dim the target keeps what the sources keep, each shifted by the extents before it; the rest agrees."""
    at = cut.before.dimension("dim", len(cut.shape))
    if not all(_but(sets, at) == _but(cut.target, at) for sets in cut.sources):
        return False
    if all(sets[at] is None for sets in (*cut.sources, cut.target)):
        return True
    found, offset = list[int](), 0
    for sort, sets in zip(cut.before.sorts, cut.sources, strict=True):
        found += [offset + index for index in full(sets[at], sort.shape[at])]
        offset += int(sort.shape[at])
    return tuple(found) == full(cut.target[at], cut.shape[at])


def window(call: Call) -> Shape:
    """⌈(end − start)/step⌉ along dim."""
    x = call.shape("self")
    at, (start, end, step) = call.dimension("dim", len(x)), (call.values[name] for name in ("start", "end", "step"))
    extent = x[at]
    fits = isinstance(extent, int) and 0 <= start < end <= extent and step >= 1
    need(fits, "V09", "slice: start, end or step does not fit")
    return (*x[:at], -((start - end) // step), *x[at + 1 :])


def sliced(cut: Cut) -> bool:
    """Along dim the kept indices inside the window, moved to its start; with a step the dimension is whole."""
    at, old, new = cut.before.dimension("dim", len(cut.shape)), cut.before.values, cut.after.values
    kept = full(cut.of("self")[at], cut.before.shape("self")[at])
    bounds = [sum(index < old[name] for index in kept) for name in ("start", "end")]
    inside = tuple(i - old["start"] for i in kept if old["start"] <= i < old["end"])
    whole = cut.of("self")[at] is None and cut.target[at] is None and bounds == [old["start"], old["end"]]
    moved = old["step"] == 1 and inside == full(cut.target[at], cut.shape[at])
    return (
        _but(cut.of("self"), at) == _but(cut.target, at) and bounds == [new["start"], new["end"]] and (whole or moved)
    )


def _but(row: tuple[T, ...], at: int) -> tuple[T, ...]:
    return (*row[:at], *row[at + 1 :])


def _permuted(call: Call) -> Shape:
    return tuple(call.shape("self")[dim] for dim in order(call))


def _moved(cut: Cut) -> bool:
    return cut.target == tuple(cut.of("self")[dim] for dim in order(cut.before))


ARRANGE = {
    "aten.flatten.using_ints": Signature("self start_dim:int end_dim:int", flatten, reshaped, dtypes=None),
    "aten.view.default": Signature("self size:extents", lambda call: view("size", call), reshaped, dtypes=None),
    "aten.reshape.default": Signature("self shape:extents", lambda call: view("shape", call), reshaped, dtypes=None),
    "aten.permute.default": Signature("self dims:ints", _permuted, _moved, dtypes=None),
    "aten.transpose.int": Signature("self dim0:int dim1:int", _permuted, _moved, dtypes=None),
    "aten.unsqueeze.default": Signature(
        "self dim:int", lambda call: unsqueezed(call, call.shape("self"), 1),
        lambda cut: cut.target == unsqueezed(cut.before, cut.of("self"), None), dtypes=None,
    ),
    "aten.squeeze.dim": Signature(
        "self dim:int", lambda call: squeezed(call, call.shape("self")),
        lambda cut: cut.target == squeezed(cut.before, cut.of("self")), dtypes=None,
    ),
    "aten.cat.default": Signature("tensors* dim:int", cat, joined, dtypes=None),
    "aten.slice.Tensor": Signature("self dim:int start:int end:int step:int", window, sliced, dtypes=None),
}  # fmt: skip
