"""Every row of the table beside torch: what is typed here torch computes, with just these shapes and dtypes.

Calls are drawn at random, so most are refused by both; the other tests of operators draw what fits.
"""

from __future__ import annotations

import random
from typing import Any, cast

import pytest
import torch

from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations import CATALOGUE, call_of
from surgdsl.verifier.reject import Reject
from tests.verifier.calls import operator
from tests.verifier.test_operators import drawn

torch.set_num_threads(1)
NAMES = {
    "F32": torch.float32, "F16": torch.float16, "I64": torch.int64, "BOOL": torch.bool, "I32": torch.int32,
    "U8": torch.uint8, "F64": torch.float64, "BF16": torch.bfloat16, "I16": torch.int16, "I8": torch.int8,
}  # fmt: skip
BACK = {dtype: name for name, dtype in NAMES.items()}
UNABLE = ("not implemented", "not supported", "unsupported", "Only supports", "could not be ", "Declaration:")
"""What torch says of a call that it has no kernel for, or of a number where it wants a tensor."""
VALUES = (
    "overflow", "must be in range", "probability", "At least one of", "must either both", "exactly one of",
    "must align", "larger than", "ZeroDivision", "D tensor", "D or ", "approximate", "rounding_mode", "must be greater",
    "layout", "device", "pin_memory", "aten::empty_strided", "torch.trunc", "required", "not finite", "dimensional",
)  # fmt: skip
"""What it says of values that the page does not ask of."""


def plain(value: Any, source: Any) -> Any:
    """An attribute as torch takes it; tensors come from `source`."""
    if isinstance(value, list):
        return [plain(item, source) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return torch.float32 if value == "torch.float32" else value
    given = cast("dict[str, Any]", value)
    if "tensors" in given:
        return [next(source) for _ in range(given["tensors"])]
    return float.fromhex(given["float"]) if "float" in given else None


def called(operation: Operation, wires: dict[str, Sort]) -> list[Sort]:
    """The sorts that torch gives."""
    zeros, sorts = cast("Any", torch.zeros), (wires[wire] for wire in operation.sources)
    made: Any = (zeros(sort.shape, dtype=NAMES[sort.dtype]) for sort in sorts)
    attributes, arguments, named = operation.attributes, list[Any](), dict[str, Any]()
    for argument in operator(operation.name)._schema.arguments:  # noqa: SLF001
        given: Any = plain(attributes[argument.name], made) if argument.name in attributes else next(made)
        if argument.name == "indices" and type(given) is list:
            given = [cast("Any", one)[0] if type(one) is list else one for one in cast("list[Any]", given)]
        if type(given) is int and "List" in str(argument.type):
            given = [given]
        if argument.kwarg_only and given is not None:
            named[argument.name] = given
        elif not argument.kwarg_only:
            arguments.append(given)
    found = operator(operation.name)(*arguments, **named)
    several = cast("list[torch.Tensor]", found if isinstance(found, tuple | list) else [found])
    return [Sort(BACK[one.dtype], tuple(one.shape)) for one in several]


def answer(operation: Operation, wires: dict[str, Sort]) -> list[Sort] | str:
    """What torch gives, or says."""
    try:
        return called(operation, wires)
    except (RuntimeError, IndexError, ValueError, TypeError, ArithmeticError) as error:
        return f"{type(error)} {error}"


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name.startswith("aten.")])
def test_what_is_typed_torch_computes(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - it only has to repeat
    for _ in range(200):
        operation, wires = drawn(chance, name)
        if "extent" in str(operation.raw) or any(type(e) is str for sort in wires.values() for e in sort.shape):
            continue
        try:
            _, sorts, _ = call_of(operation, wires)
        except Reject:
            continue
        if any(type(extent) is int and extent < 1 for sort in sorts for extent in sort.shape):
            continue  # no wire has such a shape
        wanted = answer(operation, wires)
        if isinstance(wanted, str):
            assert any(word in wanted for word in UNABLE + VALUES), (operation.raw, wires, wanted)
        else:
            assert wanted == sorts, (operation.raw, wires)
