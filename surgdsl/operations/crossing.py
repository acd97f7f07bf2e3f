"""Crossing: what stands where depends on several dimensions together, so all are pinned and only the type is known.

Diagonals, quarter turns, grids, and writing at places that are computed.
"""

from __future__ import annotations

from surgdsl.axis.dim import Dim
from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.parting import place
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integer, integers, loses_zero


def relation(call: Call) -> tuple[Dims, ...]:
    """All dims of sources and targets are pinned."""
    found: list[Dims] = []
    for number, sort in enumerate(call.targets):
        new: list[Dim] = [call.fresh(f"{number}.{i}", i, number) for i in range(len(sort.shape))]
        found.append(tuple(new))
    for dims in (*call.dims, *found):
        call.pin(dims, "what stands where depends on several dimensions")
    return tuple(found)


def diagonal(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → its dimensions but two, and behind them the diagonal of those two."""
    (x,) = sources
    first, second = (place(operation, len(x.shape), name) for name in ("dim1", "dim2"))
    rows, columns, offset = x.shape[first], x.shape[second], integer(operation, "offset")
    if first == second or not isinstance(rows, int) or not isinstance(columns, int):
        raise IllTyped("a diagonal needs two dimensions of known size")
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    demand(length >= 1, "nothing would be left")
    rest = tuple(extent for i, extent in enumerate(x.shape) if i not in (first, second))
    return (Sort(x.dtype, (*rest, length)),)


def turned(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → two dimensions change places at every odd number of quarter turns."""
    (x,) = sources
    rank, places = len(x.shape), integers(operation, "dims")
    demand(len(places) == 2 and all(-rank <= i < rank for i in places), "a turn needs two dimensions")
    first, second = (i % rank for i in places)
    demand(first != second, "a turn needs two dimensions")
    if integer(operation, "k") % 2 == 0:
        return (x,)
    swap = {first: second, second: first}
    return (Sort(x.dtype, tuple(x.shape[swap.get(i, i)] for i in range(rank))),)


def grid(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Vectors → each along its own dimension of a common shape; with "xy" the first two dimensions change places."""
    demand(all(len(sort.shape) <= 1 and sort.dtype == sources[0].dtype for sort in sources), "a grid needs vectors")
    extents: list[Extent] = [sort.shape[0] if sort.shape else 1 for sort in sources]
    if dict(operation.attributes).get("indexing") == "xy":
        extents[:2] = extents[1::-1]
    return (Sort(sources[0].dtype, tuple(extents)),) * len(sources)


def written(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, and what says where to write and what → x."""
    del operation
    demand(len(sources) > 1, "nothing says where to write")
    return (sources[0],)


DIAGONAL = Signature(("aten.diagonal.default",), diagonal, relation, zero=loses_zero)
TURNED = Signature(("aten.rot90.default",), turned, relation, zero=loses_zero)
GRID = Signature(("aten.meshgrid.default", "aten.meshgrid.indexing"), grid, relation, zero=loses_zero)
WRITTEN = Signature(
    (
        *(f"aten.scatter.{form}" for form in ("src", "value", "reduce", "value_reduce")),
        "aten.scatter_add.default",
        "aten.scatter_reduce.two",
        "aten.index_put.default",
        "aten.index_add.default",
        "aten.index_copy.default",
    ),
    written,
    relation,
    zero=loses_zero,
)

CROSSING = (DIAGONAL, TURNED, GRID, WRITTEN)
