"""Promotion: the dtype of what comes out when operands of several dtypes meet.

Tensors with dimensions decide, then tensors without, then plain numbers; a lower rank has a say only by being of a
higher kind (truth values, integers, floats).

>>> meet("I64", "F16"), meet("U8", "I8"), meet("F16", "BF16")
('F16', 'I16', 'F32')
>>> promoted((Sort("I32", (2,)),), (0.5,)), promoted((Sort("F16", (2,)), Sort("F64", ())))
('F32', 'F16')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import WIDTH, Sort
from surgdsl.operations.signature import IllTyped

FLOATS = ("F16", "BF16", "F32", "F64")
INTEGERS = ("U8", "I8", "I16", "I32", "I64")
DEFAULT = "F32"
"""What a plain float is, and what integers become in a division."""

NAMES: Mapping[str, str] = {
    "torch.float16": "F16",
    "torch.bfloat16": "BF16",
    "torch.float32": "F32",
    "torch.float64": "F64",
    "torch.uint8": "U8",
    "torch.int8": "I8",
    "torch.int16": "I16",
    "torch.int32": "I32",
    "torch.int64": "I64",
    "torch.bool": "BOOL",
}
"""How calls write dtypes."""


def dtype_named(operation: Operation, default: str) -> str:
    """The dtype that a call asks for, or `default` where it asks for none.

    Raises:
        IllTyped: a net has no such dtype.
    """
    asked = dict(operation.attributes).get("dtype")
    if asked is None:
        return default
    if asked not in NAMES:
        raise IllTyped(f"a net has no {asked}")
    return NAMES[str(asked)]


def floating(dtype: str) -> str:
    """The dtype in which integers are divided and averaged."""
    return dtype if dtype in FLOATS else DEFAULT


def meet(left: str, right: str) -> str:
    """The smallest dtype of the higher kind that holds both."""
    if left == right:
        return left
    low, high = sorted((left, right), key=_kind)
    if _kind(low) < _kind(high):
        return high
    if low in FLOATS and WIDTH[low] == WIDTH[high]:
        return "F32"
    if "U8" in (low, high) and "I8" in (low, high):
        return "I16"
    return max(low, high, key=lambda dtype: (WIDTH[dtype], dtype != "U8"))


def promoted(sources: Iterable[Sort], numbers: Iterable[Attribute] = ()) -> str:
    """The common dtype of tensors and plain numbers.

    Raises:
        IllTyped: there is nothing to take a dtype from, or a number that is none.
    """
    sorts = tuple(sources)
    ranks = (
        [sort.dtype for sort in sorts if sort.shape],
        [sort.dtype for sort in sorts if not sort.shape],
        [_of(number) for number in numbers if number is not None],
    )
    found = [reduce(meet, dtypes) for dtypes in ranks if dtypes]
    if not found:
        raise IllTyped("there is nothing to take a dtype from")
    result = found[-1]
    for higher in reversed(found[:-1]):
        result = meet(higher, result) if _kind(higher) < _kind(result) else higher
    return result


def _kind(dtype: str) -> int:
    return 2 if dtype in FLOATS else 1 if dtype in INTEGERS else 0


def _of(number: Attribute) -> str:
    match number:
        case bool():
            return "BOOL"
        case int():
            return "I64"
        case float():
            return DEFAULT
        case _:
            raise IllTyped(f"{number} is not a number")
