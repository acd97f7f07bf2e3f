"""Casting: the same elements in another dtype, on another device, or written over what another tensor held."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import dtype_named
from surgdsl.operations.signature import Call, Dims, Signature, demand
from surgdsl.operations.subscripts import aligned, carried, extents, meet


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x in the dtype that is named, or in that of a second tensor."""
    x, *like = sources
    return (Sort(like[0].dtype if like else dtype_named(operation, default=x.dtype), x.shape),)


def relation(call: Call) -> tuple[Dims, ...]:
    """Every dim as it is; the second tensor only lends its dtype."""
    return (call.dims[0],)


def zero(call: Call) -> bool:
    """Zero stays zero."""
    return call.zeros[0]


def written(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """What was there, x → x in its dtype, stretched to its shape."""
    del operation
    there, x = sources
    subscripts = aligned(len(there.shape), len(x.shape))
    found = extents(subscripts, [sort.shape for sort in sources])
    demand(tuple(found.get(letter) for letter in subscripts[0]) == there.shape, "it is larger than what was there")
    demand(len(found) == len(there.shape), "it has more dimensions than what was there")
    return (there,)


def written_dims(call: Call) -> tuple[Dims, ...]:
    """The dims of what was there, tied to those of x that are not stretched."""
    there, x = call.dims
    meet(call, aligned(len(there), len(x)))
    return (there,)


def written_zero(call: Call) -> bool:
    """Zero where x is."""
    subscripts = aligned(*(len(dims) for dims in call.dims))
    return carried(call, subscripts, subscripts[0], (1,), any)


CASTING = Signature(
    (
        "aten.to.dtype",
        "aten.to.dtype_layout",
        "aten.to.device",
        "aten.to.other",
        "aten.type_as.default",
        "aten._to_copy.default",
        "aten.lift_fresh_copy.default",
    ),
    typing,
    relation,
    zero=zero,
)
WRITTEN = Signature(("aten.copy.default",), written, written_dims, zero=written_zero)
