"""Extremes: the largest and smallest elements over some dimensions, and where they are."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.aggregation import noticed, remaining, without
from surgdsl.operations.signature import Call, Dims, Signature, demand, loses_zero


def values(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without `dim`."""
    (x,) = sources
    return (without(operation, x, x.dtype),)


def values_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; a zero may be the largest element."""
    call.blur(noticed(call), "an extreme is taken over it")
    return (remaining(call),)


def places(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the positions of the extremes along `dim`, after their values where those are asked for too."""
    (x,) = sources
    found = without(operation, x, "I64")
    return (found,) if ".arg" in operation.name else (Sort(x.dtype, found.shape), found)


def places_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; what is counted along may not shrink."""
    demand(len(call.dims) == 1, "an extreme of one tensor")
    call.pin(noticed(call), "a position along it is a result")
    return (remaining(call),) * len(call.targets)


VALUES = Signature(
    ("aten.amax.default", "aten.amin.default", "aten.max.default", "aten.min.default"), values, values_dims
)
PLACES = Signature(
    ("aten.max.dim", "aten.min.dim", "aten.argmax.default", "aten.argmin.default"), places, places_dims, zero=loses_zero
)

EXTREMES = (VALUES, PLACES)
