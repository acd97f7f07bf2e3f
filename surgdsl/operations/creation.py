"""Creation: tensors that a call makes of sizes and numbers.

A tensor that is the same number everywhere can be made shorter, so its dims are free and the sizes in the call follow;
one whose elements differ by position is pinned. Those made like another tensor have its dims.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from surgdsl.axis.extent import Extent, Polynomial, normal, terms
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import same_dims
from surgdsl.operations.parting import extents
from surgdsl.operations.promotion import DEFAULT, dtype_named
from surgdsl.operations.signature import Call, Cut, Dims, IllTyped, Signature, demand, loses_zero, makes_zero, replaced


def filled(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """One number everywhere, in the shape ``size``."""
    assumed = sources[0].dtype if sources else _of_number(dict(operation.attributes).get("fill_value", 0.0))
    return (Sort(dtype_named(operation, assumed), extents(operation, "size")),)


def _of_number(value: Attribute) -> str:
    """The dtype that torch takes for a number."""
    if isinstance(value, bool):
        return "BOOL"
    return DEFAULT if isinstance(value, float) else "I64"


def filled_dims(call: Call) -> tuple[Dims, ...]:
    """New axes, which nothing pins."""
    return (tuple(call.fresh(f"filled{i}", i) for i in range(len(call.targets[0].shape))),)


def retune_filled(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The size is the target's."""
    return replaced(cut.operation.attributes, size=cut.targets[0].shape)


def like(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → one number everywhere, in the shape of x."""
    return (Sort(dtype_named(operation, sources[0].dtype), sources[0].shape),)


def scalar(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """One number, without dimensions."""
    del sources
    return (Sort(dtype_named(operation, DEFAULT), ()),)


def arange(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """start, start + step, … before end."""
    del sources
    attributes = dict(operation.attributes)
    start, end, step = (attributes.get(name, default) for name, default in (("start", 0), ("end", 0), ("step", 1)))
    whole = not any(isinstance(bound, float) for bound in (start, end, step))
    count = _symbolic(start, end) if step == 1 and whole else _counted(start, end, step)
    return (Sort(dtype_named(operation, "I64" if whole else DEFAULT), (count,)),)


def _symbolic(start: Attribute, end: Attribute) -> Extent:
    """end − start, if that is a polynomial with natural coefficients."""
    if not isinstance(start, (int, Polynomial)) or not isinstance(end, (int, Polynomial)):
        raise IllTyped("the bounds must be numbers")
    found = terms(end)
    for monomial, count in terms(start).items():
        found[monomial] = found.get(monomial, 0) - count
    demand(all(count >= 0 for count in found.values()), "the end is not behind the start")
    return normal(found)


def _counted(start: Attribute, end: Attribute, step: Attribute) -> int:
    """As in ATen: in double precision, rounded up; integers exactly."""
    if not (isinstance(start, (int, float)) and isinstance(end, (int, float)) and isinstance(step, (int, float))):
        raise IllTyped("the bounds and the step must be numbers")
    demand(step != 0 and (end - start) * step >= 0, "the end is not behind the start")
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        return -((start - end) // step)
    return math.ceil((end - start) / step)


def spaced(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """`steps` numbers from start to end."""
    del sources
    (steps,) = _sizes(operation, "steps")
    return (Sort(dtype_named(operation, DEFAULT), (steps,)),)


def eye(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """The identity matrix n × n, or n × m."""
    del sources
    rows, *columns = _sizes(operation, "n", "m")
    return (Sort(dtype_named(operation, DEFAULT), (rows, *(columns or [rows]))),)


def _sizes(operation: Operation, *names: str) -> tuple[Extent, ...]:
    """The attributes of these names that there are, as extents."""
    attributes = dict(operation.attributes)
    found = [attributes[name] for name in names if name in attributes]
    sizes = tuple(value for value in found if isinstance(value, (int, Polynomial)))
    demand(len(sizes) == len(found) > 0, "a size must be an integer")
    return sizes


def placed_dims(call: Call) -> tuple[Dims, ...]:
    """New axes, pinned: which position holds which number matters."""
    found = tuple(call.fresh(f"made{i}", i) for i in range(len(call.targets[0].shape)))
    call.pin(found, "it is made with numbers that differ by position")
    return (found,)


def _placed(names: tuple[str, ...], typing: Callable[[Operation, tuple[Sort, ...]], tuple[Sort, ...]]) -> Signature:
    return Signature(names, typing, placed_dims, zero=loses_zero)


def _filling(names: tuple[str, ...]) -> Signature:
    return Signature(names, filled, filled_dims, retune=retune_filled, zero=loses_zero)


ZEROS = Signature(
    ("aten.zeros.default", "aten.new_zeros.default"), filled, filled_dims, retune=retune_filled, zero=makes_zero
)
FILLED = _filling(("aten.ones.default", "aten.full.default", "aten.new_ones.default", "aten.new_full.default"))
UNSET = _filling(("aten.empty.memory_format", "aten.new_empty.default"))
ZEROS_LIKE = Signature(("aten.zeros_like.default",), like, same_dims, zero=makes_zero)
LIKE = Signature(
    ("aten.ones_like.default", "aten.full_like.default", "aten.empty_like.default"), like, same_dims, zero=loses_zero
)
SCALAR = Signature(("aten.scalar_tensor.default",), scalar, placed_dims, zero=loses_zero)
ARANGE = _placed(("aten.arange.default", "aten.arange.start", "aten.arange.start_step"), arange)
SPACED = _placed(("aten.linspace.default", "aten.logspace.default"), spaced)
EYE = _placed(("aten.eye.default", "aten.eye.m"), eye)

CREATION = (ZEROS, FILLED, UNSET, ZEROS_LIKE, LIKE, SCALAR, ARANGE, SPACED, EYE)
