"""Arguments: between the calls of an exported graph and the attributes of operations, both ways.

Every argument of an operator's schema is written out, defaults included, so that a net says all there is to say about
a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
import torch

from surgdsl.axis.extent import Extent, Polynomial, normal
from surgdsl.bridge.weight import NUMPY, Array
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.operation import Attribute, Tensors

DTYPES: Mapping[torch.dtype, str] = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""The name of each dtype in certificates."""

TORCH: Mapping[str, torch.dtype] = {name: dtype for dtype, name in DTYPES.items()}

UNBOUNDED = 2**63 - 1
"""How ATen writes "to the end" of a slice."""


def to_array(tensor: torch.Tensor) -> Array:
    """The elements of a tensor on any device; BF16 as raw bits."""
    plain = tensor.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        return plain.view(torch.uint16).numpy().copy()
    return plain.numpy().copy()


def to_tensor(array: Array, dtype: str, device: torch.device | str = "cpu") -> torch.Tensor:
    """The tensor of an array; a copy, so that training never writes into a weight."""
    if dtype == "BF16":
        return torch.from_numpy(array.astype(NUMPY["BF16"]).copy()).view(torch.bfloat16).to(device)
    return torch.from_numpy(array.copy()).to(device)


def extent_of(size: Any, symbols: Mapping[str, str]) -> Extent:
    """A size of torch as an extent, its symbols renamed.

    Raises:
        Refusal: E0602, the size is not a polynomial with natural coefficients.
    """
    if isinstance(size, int):
        return size
    expression = sympy.sympify(size.node.expr)
    if expression.is_Integer:
        return int(expression)
    names = sorted(expression.free_symbols, key=str)
    try:
        terms = sympy.Poly(expression, *names).terms()
    except sympy.PolynomialError:
        raise _odd(expression) from None
    if any(not coefficient.is_Integer or coefficient < 0 for _, coefficient in terms):
        raise _odd(expression)
    renamed = [symbols.get(str(name), str(name)) for name in names]
    return normal(
        {
            tuple(sorted(n for n, power in zip(renamed, powers, strict=True) for _ in range(power))): int(c)
            for powers, c in terms
        }
    )


def _odd(expression: Any) -> Refusal:
    help_ = (f"a dimension has the size {expression}; fix the dimensions that windows slide over to one size",)
    return Refusal(Diagnostic("E0602", "what the model exports to cannot be a net", help=help_))


class Arguments:
    """The arguments of one call, read against its operator's schema."""

    def __init__(self, node: Any, values: Mapping[Any, Any], symbols: Mapping[str, str]) -> None:
        self.node, self.values, self.symbols = node, values, symbols

    def collect(self) -> tuple[tuple[str, ...], tuple[tuple[str, Attribute], ...]]:
        """Source wires in schema order, and the sorted attributes."""
        sources: list[str] = []
        attributes: list[tuple[str, Attribute]] = []
        for place, argument in enumerate(self.node.target._schema.arguments):
            value = (
                self.node.args[place]
                if place < len(self.node.args)
                else self.node.kwargs.get(argument.name, argument.default_value)
            )
            wire = self._wire(value)
            if wire is not None:
                sources.append(wire)
                continue
            attributes.append((argument.name, self._attribute(value, sources)))
        found = dict(attributes)
        if self.node.target._schema.name == "aten::slice":
            found |= self._bounds(found)
        return tuple(sources), tuple(sorted(found.items()))

    def _wire(self, value: Any) -> str | None:
        known = self.values.get(value) if isinstance(value, torch.fx.Node) else None
        return known if isinstance(known, str) else None

    def _attribute(self, value: Any, sources: list[str]) -> Attribute:
        if isinstance(value, torch.fx.Node):
            return self.values[value]
        if isinstance(value, (list, tuple)):
            return self._sequence(list(value), sources)
        if isinstance(value, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
            return str(value)
        if isinstance(value, torch.SymInt):
            return extent_of(value, self.symbols)
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise Refusal(
            Diagnostic(
                "E0602",
                "what the model exports to cannot be a net",
                help=(f"`{self.node.name}` has an argument {value!r}",),
            )
        )

    def _sequence(self, items: list[Any], sources: list[str]) -> Attribute:
        wires = [self._wire(item) for item in items]
        if items and all(wire is not None for wire in wires):
            sources += [wire for wire in wires if wire is not None]
            return Tensors(len(wires))
        if not any(wire is not None for wire in wires):
            return tuple(self._attribute(item, sources) for item in items)
        sources += [wire for wire in wires if wire is not None]
        return tuple(None if wire is None else Tensors(1) for wire in wires)

    def _bounds(self, found: Mapping[str, Attribute]) -> dict[str, Attribute]:
        """A slice's start and end as positions inside the input, where its extent is a number."""
        (value, place) = self.node.args[0].meta["val"], found["dim"]
        extent = extent_of(value.shape[place], self.symbols) if isinstance(place, int) else 0
        start, end = found.get("start"), found.get("end")
        if not isinstance(extent, int):
            return {"start": start or 0, "end": extent if end in (None, UNBOUNDED) else end}
        return {"start": _clip(start, 0, extent), "end": _clip(end, extent, extent)}


def _clip(bound: Attribute, default: int, extent: int) -> Attribute:
    """A bound as a position from 0 to `extent`; one that varies with the input stays as it is."""
    if bound is None:
        return default
    if not isinstance(bound, int):
        return bound
    return max(0, min(bound + extent if bound < 0 else bound, extent))


def node_value(attribute: Attribute, sizes: Mapping[Any, Any]) -> Any:
    """An attribute as torch takes it; `sizes` holds what stands for polynomials in the graph that is being built."""
    if isinstance(attribute, Polynomial):
        return sizes[attribute]
    if isinstance(attribute, tuple):
        return [node_value(item, sizes) for item in attribute]
    if isinstance(attribute, str) and attribute.startswith("torch."):
        return getattr(torch, attribute.removeprefix("torch."))
    return attribute
