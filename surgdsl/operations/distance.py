"""Distances and angles between vectors: every one against every other, or those that line up.

Both vectors must be zero at an index before it can go unnoticed: one that is not adds to a distance, and to its own
length in an angle.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.axis.dim import UNIT
from surgdsl.axis.extent import evaluate, product
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS, promoted
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer, loses_zero
from surgdsl.operations.subscripts import Letter, Subscript, aligned, carried, extents, meet, widest

ANGLE = "aten.cosine_similarity.default"


def _rows(left: int, right: int) -> tuple[Subscript, Subscript]:
    """…pk and …rk."""
    demand(min(left, right) >= 2, "a distance is between the rows of matrices")
    first, second = aligned(left - 2, right - 2)
    return (*first, "p", "k"), (*second, "r", "k")


def _across(left: int, right: int) -> Subscript:
    return (*widest(left - 2, right - 2), "p", "r")


def every(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, p, k], y[…, r, k] → [… , p, r]."""
    del operation
    ranks = tuple(len(sort.shape) for sort in sources)
    demand(sources[0].dtype == sources[1].dtype and sources[0].dtype in FLOATS, "a distance is between floats")
    demand(sources[0].shape[-1:] == sources[1].shape[-1:], "the rows differ in length")
    found = extents(_rows(*ranks), [sort.shape for sort in sources])
    return (Sort(sources[0].dtype, tuple(found[letter] for letter in _across(*ranks))),)


def every_dims(call: Call) -> tuple[Dims, ...]:
    """Rows share k, over which differences are summed."""
    ranks = len(call.dims[0]), len(call.dims[1])
    subscripts = _rows(*ranks)
    found = meet(call, subscripts)
    if not carried(call, subscripts, ("k",), (0, 1), all):
        call.blur((found["k"],), "a distance is taken over it in which one side is not zero")
    return (tuple(found[letter] for letter in _across(*ranks)),)


def every_zero(call: Call) -> bool:
    """A row of zeros is still at a distance from others."""
    ranks = len(call.dims[0]), len(call.dims[1])
    return carried(call, _rows(*ranks), _across(*ranks), (), any)


def every_cost(
    operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]
) -> int:
    """∏ … · p · r · k: one term of one distance each."""
    del operation
    return evaluate(product((*targets[0].shape, sources[0].shape[-1])), binding)


def _over(operation: Operation, rank: int) -> Letter:
    """The letter of the dimension that vectors lie along."""
    place = integer(operation, "dim") if operation.name == ANGLE else -1
    demand(-rank <= place < rank, "there is no such dimension")
    return place % rank - rank


def paired(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, y that broadcast → without the dimension that vectors lie along, or with 1 in its place."""
    ranks = tuple(len(sort.shape) for sort in sources)
    dtype = promoted(sources)
    demand(dtype in FLOATS, "an angle or a distance is between floats")
    found = extents(aligned(*ranks), [sort.shape for sort in sources])
    over, keep = _over(operation, max(ranks)), dict(operation.attributes).get("keepdim") is True
    shape = (1 if letter == over else found[letter] for letter in widest(*ranks) if keep or letter != over)
    return (Sort(dtype, tuple(shape)),)


def paired_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain. A distance adds a little to every difference, so it notices every index that goes."""
    ranks = tuple(len(dims) for dims in call.dims)
    subscripts, over = aligned(*ranks), _over(call.operation, max(ranks))
    found = meet(call, subscripts)
    if call.operation.name != ANGLE:
        call.blur((found[over],), "a distance is taken over it, a little added to each difference")
    elif not carried(call, subscripts, (over,), (0, 1), all):
        call.blur((found[over],), "an angle is taken over it in which one side is not zero")
    keep = dict(call.operation.attributes).get("keepdim") is True
    left = (UNIT if letter == over else found[letter] for letter in widest(*ranks) if keep or letter != over)
    return (tuple(left),)


def angle_zero(call: Call) -> bool:
    """The cosine of anything with a vector of zeros is zero."""
    ranks = tuple(len(dims) for dims in call.dims)
    over = _over(call.operation, max(ranks))
    left = tuple(letter for letter in widest(*ranks) if letter != over)
    return carried(call, aligned(*ranks), left, (0, 1), any)


def angle_cost(
    operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]
) -> int:
    """The products of elements that line up, summed; lengths count nothing, as norms do."""
    del operation, targets
    ranks = tuple(len(sort.shape) for sort in sources)
    found = extents(aligned(*ranks), [sort.shape for sort in sources])
    return evaluate(product(found.values()), binding)


EVERY = Signature(("aten.cdist.default",), every, every_dims, every_cost, zero=every_zero)
COSINE = Signature((ANGLE,), paired, paired_dims, angle_cost, zero=angle_zero)
PAIRED = Signature(("aten.pairwise_distance.default",), paired, paired_dims, zero=loses_zero)

DISTANCES = (EVERY, COSINE, PAIRED)
