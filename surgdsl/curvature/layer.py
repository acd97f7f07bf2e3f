"""Layers: a weight as the matrix that its solver works on, and where the layer reads what that matrix multiplies.

A linear layer multiplies rows, a convolution patches: for each of its groups a matrix of filters, whose columns are
input channels times kernel positions, row-major. Other readers of weights have no such matrix here.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from surgdsl.bridge.weight import Array
from surgdsl.curvature.solution import Values
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.operations.signature import integer, integers

LINEAR = "aten.linear.default"
CONVOLUTIONS = tuple(f"aten.conv{rank}d.{form}" for rank in (1, 2, 3) for form in ("default", "padding"))


@frozen
class Layer:
    """An operation that multiplies a weight of its own with what it reads.

    `window` is the kernel, its stride, padding before and after, and dilation, for each spatial dimension; empty for a
    linear layer.
    """

    name: str
    """Of the operation."""
    wire: str
    """What it reads."""
    weight: str
    """The operation that produces its weight."""
    bias: str | None
    """The one that produces its bias."""
    shape: tuple[int, ...]
    """Of the weight."""
    groups: int = 1
    window: tuple[tuple[int, int, tuple[int, int], int], ...] = ()

    @property
    def inputs(self) -> int:
        """d, the columns of its matrix."""
        return int(np.prod(self.shape[1:]))

    def matrices(self, values: Array) -> Values:
        """The weight, as float64[groups, outputs of each, d]."""
        return np.ascontiguousarray(values, dtype=np.float64).reshape(self.groups, -1, self.inputs)

    def tensor(self, matrices: Values) -> Values:
        """The inverse of `matrices`."""
        return matrices.reshape(self.shape)


def layer(net: Net, name: str) -> Layer | None:
    """The operation as a layer; nothing where it is none, or its weight is no param of a known shape."""
    operation = net.graph.operations[name]
    if operation.name != LINEAR and operation.name not in CONVOLUTIONS:
        return None
    x, w, *rest = operation.sources
    weight, bias = _param(net, w), _param(net, rest[0]) if rest else None
    shape = tuple(extent for extent in net.sort(w).shape if isinstance(extent, int))
    if weight is None or len(shape) != len(net.sort(w).shape):
        return None
    if operation.name == LINEAR:
        return Layer(name, x, weight, bias, shape)
    window = _window(operation, shape[2:])
    return Layer(name, x, weight, bias, shape, integer(operation, "groups"), window)


def layers(net: Net, weight: str) -> tuple[Layer, ...] | None:
    """All readers of a weight, in the order of the graph; nothing where one of them is no layer that multiplies by it.

    Args:
        net: the net.
        weight: the operation that produces it.
    """
    (wire,) = net.graph.operations[weight].targets
    found = [layer(net, name) for name in dict.fromkeys(net.graph.consumers[wire])]
    kept = tuple(one for one in found if one is not None and one.weight == weight)
    own = all(net.graph.operations[one.name].sources.count(wire) == 1 for one in kept)
    return kept if kept and own and len(kept) == len(found) else None


def _param(net: Net, wire: str) -> str | None:
    producers = net.graph.producers[wire]
    return producers[0] if producers and net.graph.operations[producers[0]].name == PARAM else None


def _window(operation: Operation, kernel: tuple[int, ...]) -> tuple[tuple[int, int, tuple[int, int], int], ...]:
    rank, padding = len(kernel), operation.attribute("padding")
    strides, dilations = integers(operation, "stride", rank), integers(operation, "dilation", rank)
    if padding == "same":  # what is odd goes behind, as torch has it
        wide = [step * (size - 1) for size, step in zip(kernel, dilations, strict=True)]
        margins = [(one // 2, one - one // 2) for one in wide]
    else:
        even = (0,) * rank if padding == "valid" else integers(operation, "padding", rank)
        margins = [(one, one) for one in even]
    return tuple(zip(kernel, strides, margins, dilations, strict=True))
