"""Squeezing: several dimensions of extent 1 are dropped at once, those that the call names or all there are.

An axis that shrinks to 1 must not be dropped with them, so a call that names dimensions stops naming those that shrink,
and where a call names none, all that stay are pinned.
"""

from __future__ import annotations

from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integers, replaced


def squeezed(operation: Operation, shape: tuple[Extent, ...]) -> frozenset[int]:
    """The dimensions that vanish."""
    if operation.name == "aten.squeeze.default":
        return frozenset(i for i, extent in enumerate(shape) if extent == 1)
    found = integers(operation, "dim")
    demand(all(-len(shape) <= i < len(shape) for i in found), "there is no such dimension")
    return frozenset(i % len(shape) for i in found if shape[i] == 1)


def squeeze(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without the dimensions of extent 1, or those of them that the call names."""
    (x,) = sources
    gone = squeezed(operation, x.shape)
    return (Sort(x.dtype, tuple(extent for i, extent in enumerate(x.shape) if i not in gone)),)


def squeeze_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that stay. A call that names none would drop an axis that shrinks to 1, so all that stay are pinned."""
    (x,) = call.dims
    gone = squeezed(call.operation, call.sources[0].shape)
    found = tuple(dim for i, dim in enumerate(x) if i not in gone)
    if call.operation.name == "aten.squeeze.default":
        call.pin(found, "squeeze would drop it at size 1")
    return (found,)


def retune_squeeze(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """A dimension that shrinks was not of extent 1, so it stays even at size 1."""
    if cut.operation.name == "aten.squeeze.default":
        return cut.operation.attributes
    rank = len(cut.kept[0])
    found = tuple(i for i in integers(cut.operation, "dim") if cut.kept[0][i % rank] is None)
    return replaced(cut.operation.attributes, dim=found)


SQUEEZING = Signature(("aten.squeeze.default", "aten.squeeze.dims"), squeeze, squeeze_dims, retune=retune_squeeze)
