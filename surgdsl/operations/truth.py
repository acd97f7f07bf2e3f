"""Truth values: comparisons, connectives, and whether any or all of many are true. False counts as zero."""

from __future__ import annotations

import operator

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.aggregation import blur_unless_zero, noticed, remaining, without
from surgdsl.operations.arithmetic import broadcast, broadcast_dims, product_zero, sum_zero
from surgdsl.operations.promotion import FLOATS, promoted
from surgdsl.operations.signature import Call, Dims, Signature, demand, loses_zero


def logical(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Operands that broadcast → truth values."""
    (found,) = broadcast(operation, sources)
    return (Sort("BOOL", found.shape),)


def bitwise(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Operands that broadcast → bits."""
    dtype = promoted(sources, [value for name, value in operation.attributes if name == "other"])
    demand(dtype not in FLOATS, "bits of floats")
    (found,) = broadcast(operation, sources)
    return (Sort(dtype, found.shape),)


def quantified(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → truth values without `dim`; bytes stay bytes."""
    (x,) = sources
    demand(dict(operation.attributes).get("dim") != (), "a quantifier over no dimension")
    return (without(operation, x, "U8" if x.dtype == "U8" else "BOOL"),)


def comparison_zero(call: Call) -> bool:
    """False where 0 is compared with the number, or with a 0, and the answer is no."""
    number = dict(call.operation.attributes).get("other", 0)
    compare = getattr(operator, call.operation.name.split(".")[1])
    return isinstance(number, (int, float)) and not compare(0, number) and sum_zero(call)


def any_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; a zero does not make anything true."""
    blur_unless_zero(call, "it is asked whether any is true along it")
    return (remaining(call),)


def all_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that remain; one zero decides."""
    call.blur(noticed(call), "it is asked whether all are true along it")
    return (remaining(call),)


def _named(names: str, *forms: str) -> tuple[str, ...]:
    return tuple(f"aten.{name}.{form}" for name in names.split() for form in forms)


BITS = ("Tensor", "Scalar")

COMPARISON = Signature(_named("eq ne gt ge lt le", *BITS), logical, broadcast_dims, zero=comparison_zero)
CONJUNCTION = Signature(("aten.logical_and.default",), logical, broadcast_dims, zero=product_zero)
DISJUNCTION = Signature(_named("logical_or logical_xor", "default"), logical, broadcast_dims, zero=sum_zero)
NEGATION = Signature(_named("logical_not isfinite", "default"), logical, broadcast_dims, zero=loses_zero)
PATHOLOGY = Signature(_named("isnan isinf", "default"), logical, broadcast_dims, zero=sum_zero)
BIT_CONJUNCTION = Signature(_named("bitwise_and __and__", *BITS), bitwise, broadcast_dims, zero=product_zero)
BIT_DISJUNCTION = Signature(
    _named("bitwise_or bitwise_xor __or__ __xor__", *BITS), bitwise, broadcast_dims, zero=sum_zero
)
BIT_NEGATION = Signature(_named("bitwise_not", "default"), bitwise, broadcast_dims, zero=loses_zero)
ANY = Signature(_named("any", "default", "dim", "dims"), quantified, any_dims)
ALL = Signature(_named("all", "default", "dim", "dims"), quantified, all_dims)

TRUTHS = (
    COMPARISON,
    CONJUNCTION,
    DISJUNCTION,
    NEGATION,
    PATHOLOGY,
    BIT_CONJUNCTION,
    BIT_DISJUNCTION,
    BIT_NEGATION,
    ANY,
    ALL,
)
