"""Casting: the same elements in another dtype or on another device."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import dtype_named
from surgdsl.operations.signature import Call, Dims, Signature


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
