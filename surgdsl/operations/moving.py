"""Moving: the same positions of a dimension in another order, by flipping or rolling.

An axis does not know its order backwards or shifted, so the dimension is pinned and the others are carried.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import same
from surgdsl.operations.signature import Call, Dims, Signature, demand, integers


def moved(operation: Operation, rank: int) -> tuple[int, ...]:
    """The dimensions whose positions move; a roll that names none moves all of them."""
    if operation.name in {"aten.fliplr.default", "aten.flipud.default"}:
        return (1,) if "lr" in operation.name else (0,)
    found = integers(operation, "dims")
    demand(all(-rank <= i < rank for i in found), "there is no such dimension")
    if not found and operation.name == "aten.roll.default":
        return tuple(range(rank))
    return tuple(i % rank for i in found)


def roll(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same sort, with one shift for each dimension, or one for x laid flat."""
    dims, shifts = integers(operation, "dims"), integers(operation, "shifts")
    demand(len(shifts) == (len(dims) or 1), "as many shifts as dimensions are needed")
    moved(operation, len(sources[0].shape))
    return same(operation, sources)


def flip(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same sort."""
    places = moved(operation, len(sources[0].shape))
    demand(len(set(places)) == len(places), "a dimension is flipped twice")
    return same(operation, sources)


def relation(call: Call) -> tuple[Dims, ...]:
    """The same dims; those that move are pinned, and a pinned dim is the same in any order."""
    (x,) = call.dims
    call.pin(tuple(x[i] for i in moved(call.operation, len(x))), "its positions change places")
    return (x,)


ROLL = Signature(("aten.roll.default",), roll, relation)
FLIP = Signature(("aten.flip.default", "aten.fliplr.default", "aten.flipud.default"), flip, relation)

MOVING = (ROLL, FLIP)
