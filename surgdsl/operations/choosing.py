"""Choosing: elements kept within bounds, and elements taken from one tensor or another as a mask says."""

from __future__ import annotations

from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.arithmetic import broadcast, broadcast_dims, subscripts, sum_zero
from surgdsl.operations.promotion import promoted
from surgdsl.operations.signature import Call, Signature, demand
from surgdsl.operations.subscripts import carried, widest

BOUNDS = ("min", "max", "min_val", "max_val")


def bounded(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, and bounds that broadcast → their common dtype."""
    (found,) = broadcast(operation, sources)
    numbers = [value for name, value in operation.attributes if name in BOUNDS]
    return (Sort(promoted(sources, numbers), found.shape),)


def bounded_zero(call: Call) -> bool:
    """Zero where x is, if the bounds let it be; bounds that are tensors must be zero too."""
    attributes = dict(call.operation.attributes)
    low, high = (attributes.get(name, attributes.get(f"{name}_val")) for name in ("min", "max"))
    below = not isinstance(low, (int, float)) or low <= 0
    above = not isinstance(high, (int, float)) or high >= 0
    return below and above and sum_zero(call)


def thresholded_zero(call: Call) -> bool:
    """Zero where x is, if zero passes or is replaced by 0."""
    limit, value = (call.operation.attribute(name) for name in ("threshold", "value"))
    return (_is_zero(value) or (isinstance(limit, (int, float)) and limit < 0)) and sum_zero(call)


def chosen(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """A mask, and two tensors or numbers → their common dtype."""
    demand(sources[0].dtype in ("BOOL", "U8"), "a mask is of truth values")
    (found,) = broadcast(operation, sources)
    numbers = [value for name, value in operation.attributes if name in ("self", "other")]
    return (Sort(promoted(sources[1:], numbers), found.shape),)


def chosen_zero(call: Call) -> bool:
    """Zero where both choices are."""
    numbers = [value for name, value in call.operation.attributes if name in ("self", "other")]
    along = widest(*(len(dims) for dims in call.dims))
    return all(map(_is_zero, numbers)) and carried(call, subscripts(call.sources), along, range(1, len(call.dims)), all)


def _is_zero(number: Attribute) -> bool:
    return isinstance(number, (bool, int, float)) and number == 0


def filled(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x, a mask, and a value → x's dtype."""
    demand(
        sources[1].dtype == "BOOL" and all(not sort.shape for sort in sources[2:]),
        "a mask of truth values and one value",
    )
    (found,) = broadcast(operation, sources)
    return (Sort(sources[0].dtype, found.shape),)


def filled_zero(call: Call) -> bool:
    """Zero where x is, and either the value is 0 or the mask is false."""
    found, along = subscripts(call.sources), widest(*(len(dims) for dims in call.dims))
    unmasked = _is_zero(dict(call.operation.attributes).get("value")) or carried(call, found, along, (1,), all)
    return unmasked and carried(call, found, along, (0,), all)


BOUNDED = Signature(
    (
        "aten.hardtanh.default",
        *(f"aten.{name}.{form}" for name in ("clamp", "clamp_min", "clamp_max") for form in ("default", "Tensor")),
    ),
    bounded,
    broadcast_dims,
    zero=bounded_zero,
)
THRESHOLD = Signature(("aten.threshold.default",), bounded, broadcast_dims, zero=thresholded_zero)
CHOSEN = Signature(
    ("aten.where.self", "aten.where.ScalarOther", "aten.where.ScalarSelf", "aten.where.Scalar"),
    chosen,
    broadcast_dims,
    zero=chosen_zero,
)
FILLED = Signature(("aten.masked_fill.Scalar", "aten.masked_fill.Tensor"), filled, broadcast_dims, zero=filled_zero)

CHOICES = (BOUNDED, THRESHOLD, CHOSEN, FILLED)
