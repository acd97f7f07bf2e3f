"""Arithmetic between elements that line up, of any dtypes, with tensors or with plain numbers."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import floating, promoted
from surgdsl.operations.signature import Call, Dims, Signature, loses_zero
from surgdsl.operations.subscripts import Subscript, aligned, carried, extents, meet, widest

OPERANDS = ("self", "other", "exponent", "end")
"""Arguments that may be a number in place of a tensor."""


def subscripts(sources: tuple[Sort, ...]) -> tuple[Subscript, ...]:
    """Operands that broadcast line up at their last dimension."""
    return aligned(*(len(sort.shape) for sort in sources))


def broadcast(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Operands that broadcast → their common dtype and the larger extents."""
    numbers = [value for name, value in operation.attributes if name in OPERANDS]
    found = extents(subscripts(sources), [sort.shape for sort in sources])
    shape = tuple(found[letter] for letter in widest(*(len(sort.shape) for sort in sources)))
    return (Sort(promoted(sources, numbers), shape),)


def in_floats(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """As `broadcast`, but integers become floats."""
    (found,) = broadcast(operation, sources)
    return (Sort(floating(found.dtype), found.shape),)


def broadcast_dims(call: Call) -> tuple[Dims, ...]:
    """Dims that line up are tied; an extent of 1 that is stretched is not."""
    found = meet(call, subscripts(call.sources))
    return (tuple(found[letter] for letter in widest(*(len(dims) for dims in call.dims))),)


def _along(call: Call) -> Subscript:
    return widest(*(len(dims) for dims in call.dims))


def sum_zero(call: Call) -> bool:
    """Zero where all operands are."""
    return carried(call, subscripts(call.sources), _along(call), range(len(call.dims)), all)


def product_zero(call: Call) -> bool:
    """Zero where any operand is."""
    return carried(call, subscripts(call.sources), _along(call), range(len(call.dims)), any)


def first_zero(call: Call) -> bool:
    """Zero where the first operand is."""
    return carried(call, subscripts(call.sources), _along(call), (0,), any)


def shifted_zero(call: Call) -> bool:
    """Zero where all terms are; a number that is added must be 0."""
    number = dict(call.operation.attributes).get("other", 0)
    return isinstance(number, (int, float)) and number == 0 and sum_zero(call)


def quotient_dims(call: Call) -> tuple[Dims, ...]:
    """As `broadcast_dims`; where the divisor is neutralised too, neutralising gives no number to compare with."""
    (found,) = broadcast_dims(call)
    for letter, dim in zip(_along(call), found, strict=True):
        if len(call.dims) > 1 and carried(call, subscripts(call.sources), (letter,), (1,), any):
            call.blur((dim,), "it is divided by what is zero along it")
    return (found,)


def power_dims(call: Call) -> tuple[Dims, ...]:
    """As `broadcast_dims`; a power of zero that may be negative gives no number to compare with."""
    (found,) = broadcast_dims(call)
    exponent = dict(call.operation.attributes).get("exponent")
    if call.operation.name != "aten.pow.Scalar" and not (isinstance(exponent, (int, float)) and exponent >= 0):
        call.blur(found, "a negative power is taken of what is zero along it")
    return (found,)


def power_zero(call: Call) -> bool:
    """0ʸ = 0 for a number y > 0."""
    exponent = dict(call.operation.attributes).get("exponent")
    return isinstance(exponent, (int, float)) and exponent > 0 and first_zero(call)


def sum_of_product_zero(call: Call) -> bool:
    """Zero where the first operand and one of the others are."""
    found = subscripts(call.sources)
    return first_zero(call) and carried(call, found, _along(call), (1, 2), any)


def sum_of_quotient_dims(call: Call) -> tuple[Dims, ...]:
    """As `broadcast_dims`; where the divisor is neutralised, there is no number to compare with."""
    (found,) = broadcast_dims(call)
    for letter, dim in zip(_along(call), found, strict=True):
        if carried(call, subscripts(call.sources), (letter,), (2,), any):
            call.blur((dim,), "it is divided by what is zero along it")
    return (found,)


def sum_of_quotient_zero(call: Call) -> bool:
    """Zero where the first operand and the dividend are."""
    return carried(call, subscripts(call.sources), _along(call), (0, 1), all)


def interpolated_zero(call: Call) -> bool:
    """Zero where start and end are, whatever the weight."""
    return carried(call, subscripts(call.sources), _along(call), (0, 1), all)


SUM = Signature(
    tuple(f"aten.{name}.{form}" for name in ("add", "sub", "rsub") for form in ("Tensor", "Scalar")),
    broadcast,
    broadcast_dims,
    zero=shifted_zero,
)
PRODUCT = Signature(("aten.mul.Tensor", "aten.mul.Scalar"), broadcast, broadcast_dims, zero=product_zero)
QUOTIENT = Signature(("aten.div.Tensor", "aten.div.Scalar"), in_floats, quotient_dims, zero=first_zero)
WHOLE_DIVISION = Signature(
    (
        "aten.div.Tensor_mode",
        "aten.div.Scalar_mode",
        "aten.floor_divide.default",
        "aten.floor_divide.Scalar",
        "aten.remainder.Tensor",
        "aten.remainder.Scalar",
        "aten.fmod.Tensor",
        "aten.fmod.Scalar",
    ),
    broadcast,
    quotient_dims,
    zero=first_zero,
)
POWER = Signature(("aten.pow.Tensor_Scalar", "aten.pow.Tensor_Tensor"), broadcast, power_dims, zero=power_zero)
EXPONENTIAL = Signature(("aten.pow.Scalar",), broadcast, power_dims, zero=loses_zero)
LARGER = Signature(
    (
        "aten.maximum.default",
        "aten.minimum.default",
        "aten.fmax.default",
        "aten.fmin.default",
        "aten.max.other",
        "aten.min.other",
    ),
    broadcast,
    broadcast_dims,
    zero=sum_zero,
)
ANGLE = Signature(("aten.atan2.default",), in_floats, broadcast_dims, zero=sum_zero)
INTERPOLATION = Signature(("aten.lerp.Scalar", "aten.lerp.Tensor"), broadcast, broadcast_dims, zero=interpolated_zero)
SUM_OF_PRODUCT = Signature(("aten.addcmul.default",), broadcast, broadcast_dims, zero=sum_of_product_zero)
SUM_OF_QUOTIENT = Signature(("aten.addcdiv.default",), broadcast, sum_of_quotient_dims, zero=sum_of_quotient_zero)

ARITHMETIC = (
    SUM, PRODUCT, QUOTIENT, WHOLE_DIVISION, POWER, EXPONENTIAL, LARGER, ANGLE, INTERPOLATION, SUM_OF_PRODUCT,
    SUM_OF_QUOTIENT,
)  # fmt: skip
