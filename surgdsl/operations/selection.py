"""Selection: some positions of a dimension are picked, by number or by a tensor of numbers.

Which position is which matters there, so the dimension picked from is pinned; what lies beside it is carried.
"""

from __future__ import annotations

from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Attribute, Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import first_zero
from surgdsl.operations.parting import place
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integer, loses_zero

PICKED = "positions are picked from it"
INTEGERS = ("I64", "I32")


def select(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → its part at position `index` of `dim`, without that dimension."""
    (x,) = sources
    at, index = place(operation, len(x.shape)), integer(operation, "index")
    extent = x.shape[at]
    demand(not isinstance(extent, int) or -extent <= index < extent, "the index does not lie inside its dimension")
    return (Sort(x.dtype, x.shape[:at] + x.shape[at + 1 :]),)


def select_dims(call: Call) -> tuple[Dims, ...]:
    """The dims beside `dim`, which is pinned."""
    (x,) = call.dims
    at = place(call.operation, len(x))
    call.pin((x[at],), "one position is picked from it")
    return (x[:at] + x[at + 1 :],)


def indexed(operation: Operation, rank: int) -> tuple[int, ...]:
    """The dimensions for which ``index`` was given a tensor, in order."""
    found = operation.attribute("indices")
    given: tuple[Attribute, ...] = (Tensors(1),) * found.count if isinstance(found, Tensors) else ()
    if isinstance(found, tuple):
        given = found
    demand(0 < len(given) <= rank, "more dimensions are indexed than there are")
    return tuple(i for i, item in enumerate(given) if item is not None)


def broadcast(shapes: tuple[tuple[Extent, ...], ...]) -> tuple[Extent, ...]:
    """The common shape, aligned from the right, extents equal or 1.

    >>> broadcast(((4, 1), (3,)))
    (4, 3)
    """
    rank = max(map(len, shapes))
    found: list[Extent] = []
    for extents in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        large = [extent for extent in extents if extent != 1]
        demand(all(extent == large[0] for extent in large), "the indices do not broadcast")
        found.append(large[0] if large else 1)
    return tuple(found)


def _spread(at: tuple[int, ...]) -> int:
    """Where the dimensions of the indices go: to the first one indexed if those are neighbours, else to the front."""
    return at[0] if at == tuple(range(at[0], at[0] + len(at))) else 0


def index(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, integers i, j, … that broadcast → x[…, i, j, …]."""
    x, *indices = sources
    at = indexed(operation, len(x.shape))
    demand(len(at) == len(indices), "an index is missing")
    demand(all(sort.dtype in INTEGERS for sort in indices), "indices must be integers")
    rest = tuple(extent for i, extent in enumerate(x.shape) if i not in at)
    shape, start = broadcast(tuple(sort.shape for sort in indices)), _spread(at)
    return (Sort(x.dtype, (*rest[:start], *shape, *rest[start:])),)


def index_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that are not indexed; the others, the indices' and the new ones are pinned."""
    x, *indices = call.dims
    at = indexed(call.operation, len(x))
    rest, start = tuple(dim for i, dim in enumerate(x) if i not in at), _spread(at)
    rank = len(call.targets[0].shape) - len(rest)
    new = tuple(call.fresh(f"picked{i}", start + i) for i in range(rank))
    call.pin(tuple(x[i] for i in at), PICKED)
    call.pin((*(dim for dims in indices for dim in dims), *new), "it says which positions are picked")
    return ((*rest[:start], *new, *rest[start:]),)


def index_select(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, integers i[n] → the positions i of `dim`."""
    x, picks = sources
    at = place(operation, len(x.shape))
    demand(picks.dtype in INTEGERS and len(picks.shape) <= 1, "the index must be a vector of integers")
    return (Sort(x.dtype, (*x.shape[:at], *(picks.shape or (1,)), *x.shape[at + 1 :])),)


def index_select_dims(call: Call) -> tuple[Dims, ...]:
    """The dims beside `dim`; that one, the index and the new one are pinned."""
    x, picks = call.dims
    at = place(call.operation, len(x))
    new = call.fresh("picked", at)
    call.pin((x[at],), PICKED)
    call.pin((*picks, new), "it says which positions are picked")
    return ((*x[:at], new, *x[at + 1 :]),)


def gather(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, integers i of the same rank → y[…, j, …] = x[…, i[…, j, …], …], as long as i everywhere."""
    x, picks = sources
    at = place(operation, len(x.shape))
    demand(picks.dtype == "I64" and len(picks.shape) == len(x.shape), "the index must be integers of the same rank")
    for i, (extent, count) in enumerate(zip(x.shape, picks.shape, strict=True)):
        inside = extent == count or (isinstance(extent, int) and isinstance(count, int) and count < extent)
        demand(i == at or inside, "the index is longer than what it picks from")
    return (Sort(x.dtype, picks.shape),)


def gather_dims(call: Call) -> tuple[Dims, ...]:
    """Beside `dim`, dims of equal extent are tied; the rest is pinned."""
    x, picks = call.dims
    at = place(call.operation, len(x))
    shapes = (sort.shape for sort in call.sources)
    for i, (left, right, extent, count) in enumerate(zip(x, picks, *shapes, strict=True)):
        if i != at and extent == count:
            call.tie(left, right)
        else:
            call.pin((left, right), PICKED)
    return (picks,)


def ranked(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → its elements in order along `dim`, or the first k of them, and where they were."""
    (x,) = sources
    attributes = dict(operation.attributes)
    at = place(operation, len(x.shape))
    count = x.shape[at]
    if "k" in attributes:
        count, extent = _count(attributes["k"]), count
        demand(not isinstance(extent, int) or 0 < count <= extent, "fewer elements than are asked for")
    shape = (*x.shape[:at], count, *x.shape[at + 1 :])
    values = () if operation.name.startswith("aten.argsort.") else (Sort(x.dtype, shape),)
    return (*values, Sort("I64", shape))


def _count(value: Attribute) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise IllTyped("the number of elements asked for must be an integer")


def ranked_dims(call: Call) -> tuple[Dims, ...]:
    """The dims beside `dim`; that one and the ranks are pinned."""
    (x,) = call.dims
    at = place(call.operation, len(x))
    rank = call.fresh("rank", at)
    call.pin((x[at], rank), "its elements are put in order")
    return ((*x[:at], rank, *x[at + 1 :]),) * len(call.targets)


SELECT = Signature(("aten.select.int",), select, select_dims)
INDEX = Signature(("aten.index.Tensor",), index, index_dims, zero=first_zero)
INDEX_SELECT = Signature(("aten.index_select.default",), index_select, index_select_dims, zero=first_zero)
GATHER = Signature(("aten.gather.default",), gather, gather_dims, zero=first_zero)
RANKED = Signature(
    ("aten.topk.default", "aten.sort.default", "aten.sort.stable", "aten.argsort.default", "aten.argsort.stable"),
    ranked,
    ranked_dims,
    zero=loses_zero,
)

SELECTION = (SELECT, INDEX, INDEX_SELECT, GATHER, RANKED)
