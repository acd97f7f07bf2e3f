"""Calls of ATen operators as a graph records them: every argument of the schema written out, defaults included."""

from __future__ import annotations

from typing import Any, cast

import torch

from surgdsl.verifier.net import Operation, Sort, parse_operation

DTYPES = {torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL", torch.uint8: "U8"}
Wires = dict[str, Sort]


def operator(name: str) -> Any:
    packet, overload = name.removeprefix("aten.").split(".")
    return getattr(getattr(torch.ops.aten, packet), overload)


def tensors_of(value: Any) -> list[torch.Tensor]:
    """The tensors in an argument: one, a list of them, or none."""
    items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, torch.Tensor)]


def recorded(
    name: str, arguments: tuple[Any, ...], shape: tuple[int, ...], dtype: str = "F32"
) -> tuple[Operation, Wires]:
    """The operation and its wires; the target "y" is stated to have this shape."""
    wires, sources, attributes = Wires(), list[str](), list[list[Any]]()
    for at, argument in enumerate(operator(name)._schema.arguments):  # noqa: SLF001
        value = arguments[at] if at < len(arguments) else argument.default_value
        found = tensors_of(value)
        for tensor in found:
            sources.append(str(len(wires)))
            wires[sources[-1]] = Sort(DTYPES[tensor.dtype], tuple(tensor.shape))
        if not isinstance(value, torch.Tensor):
            attributes.append([argument.name, {"tensors": len(found)} if found else written(value)])
    wires["y"] = Sort(dtype, shape)
    raw = {"op": name, "attributes": sorted(attributes), "sources": sources, "targets": ["y"]}
    return parse_operation(raw, wires, ""), wires


def written(value: Any) -> Any:
    match value:
        case None:
            return {"none": True}
        case float():
            return {"float": value.hex()}
        case list() | tuple():
            return [written(item) for item in cast("list[Any]", value)]
        case bool() | int() | str():
            return value
        case _:
            return str(value)
