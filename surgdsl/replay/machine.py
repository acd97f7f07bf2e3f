"""The machine: a net of a certificate, run by torch operator by operator.

Only operators that the verifier types are run, on the arguments that the certificate writes out; nothing else decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from surgdsl.verifier.content import Load
from surgdsl.verifier.digest import ITEMSIZE
from surgdsl.verifier.extent import value as extent_at
from surgdsl.verifier.net import Net, Operation
from surgdsl.verifier.weight import Weight

TORCH = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
ROUNDING = "aten.fake_quantize_per_tensor_affine.default"
"""Has no kernel for float64; what it gives is a number of float32 anyhow."""

Sizes = Mapping[str, int]
Tensors = dict[str, torch.Tensor]


def decoded(weight: Weight, load: Load) -> torch.Tensor:
    """The elements of a weight, in its dtype and shape."""
    dtype, runs = TORCH[weight.dtype], [np.array(run) for run in load(weight).decoded()]
    flat = np.concatenate(runs) if runs else np.zeros(0, np.uint8)
    if flat.dtype.kind == "f":  # computed from codes; all else are the words that are stored
        return torch.as_tensor(flat).to(dtype).reshape(weight.shape)
    return torch.as_tensor(flat.astype(f"u{ITEMSIZE[weight.dtype]}")).view(dtype).reshape(weight.shape)


def weights(net: Net, load: Load) -> Tensors:
    """Every weight of a net, by the wire that carries it."""
    found = ((operation.targets[0], operation.weight) for operation in net.operations.values() if operation.weight)
    return {wire: decoded(weight, load) for wire, weight in found}


def widened(tensors: Tensors) -> Tensors:
    """The same numbers, floats in float64."""
    return {name: one.double() if one.is_floating_point() else one for name, one in tensors.items()}


def run(net: Net, held: Tensors, inputs: Tensors, sizes: Sizes, wide: bool) -> list[torch.Tensor]:
    """The outputs of a net, in order.

    Args:
        net: what is run.
        held: its weights, by wire.
        inputs: by name.
        sizes: what the symbols of extents stand for.
        wide: compute in float64, whatever the net says; weights and inputs are to be wide too.
    """
    wires = {**held, **{wire: inputs[name] for name, wire in net.inputs}}
    ends = {wire for _, wire in net.outputs}
    order = [net.operations[identity] for identity in net.order()]
    last = {wire: place for place, operation in enumerate(order) for wire in operation.sources}
    for place, operation in enumerate(order):
        if operation.weight is None:
            made = call(operation, [wires[wire] for wire in operation.sources], sizes, wide)
            wires.update(zip(operation.targets, made, strict=True))
        for wire in {*operation.sources, *operation.targets} - ends:
            if last.get(wire, -1) <= place:
                wires.pop(wire, None)
    return [wires[wire] for _, wire in net.outputs]


def call(operation: Operation, sources: list[torch.Tensor], sizes: Sizes, wide: bool) -> tuple[torch.Tensor, ...]:
    """What one operator makes of tensors."""
    _, name, overload = operation.name.split(".")
    target: Any = getattr(getattr(torch.ops.aten, name), overload)
    narrow = wide and operation.name == ROUNDING
    left = iter([one.float() for one in sources] if narrow else sources)
    attributes, plain, named = operation.attributes, list[Any](), dict[str, Any]()
    for argument in target._schema.arguments:  # noqa: SLF001 - torch has no other door to a schema
        given = attributes.get(argument.name, {"tensor": True})
        value = _value(given, left, sizes, wide)
        if str(argument.type) in ("Device", "Optional[Device]"):
            value = torch.device("cpu")
        if argument.kwarg_only:
            named[argument.name] = value
        else:
            plain.append(value)
    with torch.no_grad():
        made = target(*plain, **named)
    found = (made,) if isinstance(made, torch.Tensor) else tuple(made)
    return tuple(one.double() for one in found) if narrow else found


def _value(given: Any, sources: Iterator[torch.Tensor], sizes: Sizes, wide: bool) -> Any:
    if isinstance(given, list):  # of tensors, those that are there are counted one by one
        items: list[Any] = given  # pyright: ignore[reportUnknownVariableType]
        return [_value({"tensor": True} if one == {"tensors": 1} else one, sources, sizes, wide) for one in items]
    match given:
        case {"tensor": _}:
            return next(sources)
        case {"tensors": int(count)}:
            return [next(sources) for _ in range(count)]
        case {"extent": extent}:
            return extent_at(extent, sizes)
        case {"float": text}:
            return float.fromhex(text)
        case _:
            return _word(given, wide)


def _word(given: Any, wide: bool) -> Any:
    if isinstance(given, dict):
        return None
    if not isinstance(given, str) or not given.startswith("torch."):
        return given
    known = getattr(torch, given.removeprefix("torch."))
    return torch.float64 if wide and known in (torch.float32, torch.float16, torch.bfloat16) else known
