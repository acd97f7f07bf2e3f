"""Rebuild: a net and its weights become a torch module again.

The module is a graph of ATen calls with the parameters under their own names, so it trains, moves between devices and
saves as any module does; sizes that vary are read from the inputs.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import fx, nn

from surgdsl.axis.extent import Polynomial, symbol, symbols, terms
from surgdsl.bridge.arguments import node_value, to_tensor
from surgdsl.bridge.decoding import place
from surgdsl.bridge.encoding import decode, dense
from surgdsl.bridge.weight import State
from surgdsl.diagram.hypergraph import topological
from surgdsl.diagram.operation import PARAM, Attribute, Operation, Tensors


def rebuild(state: State, *, stored: bool = False, batch_statistics: bool = False) -> fx.GraphModule:
    """The module that computes what the net says.

    Args:
        state: a net and its weights.
        stored: keep quantized and masked weights as their parts, decoded at every call, so that training moves
            codebooks, scales and kept elements while codes and masks stay. Otherwise every weight is one plain tensor.
        batch_statistics: batch norms normalise by the batch that they see and follow it with their running statistics,
            as in training.

    Returns:
        A module that takes the net's inputs in order and returns its outputs: a tensor, or a tuple where there are
        several.
    """
    root, graph = nn.Module(), fx.Graph()
    build = _Building(state, root, graph, stored=stored, batch_statistics=batch_statistics)
    for name, wire in state.net.inputs:
        build.values[wire] = graph.placeholder(name)
    build.sizes_of_inputs()
    for name in _order(state):
        build.operation(name, state.net.graph.operations[name])
    outputs = tuple(build.values[wire] for _, wire in state.net.outputs)
    graph.output(outputs[0] if len(outputs) == 1 else outputs)
    graph.eliminate_dead_code()
    module = fx.GraphModule(root, graph)
    return module.eval()


def _order(state: State) -> Iterator[str]:
    """Weights first, then calls, so that the code of the module reads from top to bottom."""
    operations = state.net.graph.operations
    yield from state.net.params()
    yield from (name for name in topological(state.net.graph) if operations[name].name != PARAM)


class _Building:
    """The graph as far as it is built: which node stands for each wire and each size."""

    def __init__(self, state: State, root: nn.Module, graph: fx.Graph, *, stored: bool, batch_statistics: bool) -> None:
        self.state, self.root, self.graph, self.stored = state, root, graph, stored
        self.batch_statistics = batch_statistics
        self.values: dict[str, fx.Node] = {}
        self.sizes: dict[Any, Any] = {}

    def sizes_of_inputs(self) -> None:
        """One size query for each symbol that is a whole dimension of an input."""
        for _, wire in self.state.net.inputs:
            for dimension, extent in enumerate(self.state.net.sort(wire).shape):
                if isinstance(extent, Polynomial) and extent not in self.sizes:
                    self.sizes[extent] = self.graph.call_function(
                        torch.ops.aten.sym_size.int, (self.values[wire], dimension)
                    )

    def operation(self, name: str, operation: Operation) -> None:
        """Put one operation into the graph."""
        if operation.name == PARAM:
            self.values[operation.targets[0]] = self._weight(name, operation)
            return
        target = _overload(operation.name)
        node = self.graph.call_function(target, *self._arguments(target, operation))
        if len(operation.targets) == 1 and not _returns_list(target):
            self.values[operation.targets[0]] = node
            return
        for number, wire in enumerate(operation.targets):
            self.values[wire] = self.graph.call_function(operator.getitem, (node, number))

    def _weight(self, name: str, operation: Operation) -> fx.Node:
        weight, payload = self.state.weights[name], operation.payload
        assert payload is not None
        held = weight if self.stored else dense(decode(weight), weight.dtype)
        return place(self.root, self.graph, payload.base, payload.role, held)

    def _arguments(self, target: Any, operation: Operation) -> tuple[tuple[Any, ...], dict[str, Any]]:
        wires, attributes = iter(operation.sources), dict(operation.attributes)
        if self.batch_statistics and operation.name == "aten.batch_norm.default":
            attributes["training"] = True
        found: list[Any] = []
        keywords: dict[str, Any] = {}
        for argument in target._schema.arguments:
            value = (
                self._argument(attributes[argument.name], wires)
                if argument.name in attributes
                else self.values[next(wires)]
            )
            if argument.kwarg_only:
                keywords[argument.name] = value
            else:
                found.append(value)
        return tuple(found), keywords

    def _argument(self, attribute: Attribute, wires: Iterator[str]) -> Any:
        if isinstance(attribute, Tensors):
            return [self.values[next(wires)] for _ in range(attribute.count)]
        if isinstance(attribute, tuple) and any(isinstance(item, Tensors) for item in attribute):
            return [self.values[next(wires)] if isinstance(item, Tensors) else None for item in attribute]
        self._prepare(attribute)
        return node_value(attribute, self.sizes)

    def _prepare(self, attribute: Attribute) -> None:
        """Make sure that every polynomial in an attribute has a node: products and sums of the inputs' sizes."""
        if isinstance(attribute, tuple):
            for item in attribute:
                self._prepare(item)
        if not isinstance(attribute, Polynomial) or attribute in self.sizes:
            return
        total: Any = None
        for monomial, count in terms(attribute).items():
            value: Any = count
            for name in monomial:
                value = self.graph.call_function(operator.mul, (value, self.sizes[symbol(name)]))
            total = value if total is None else self.graph.call_function(operator.add, (total, value))
        self.sizes[attribute] = total


def _overload(name: str) -> Any:
    namespace, operation, overload = name.split(".")
    return getattr(getattr(getattr(torch.ops, namespace), operation), overload)


def _returns_list(target: Any) -> bool:
    returns = target._schema.returns
    return len(returns) != 1 or not isinstance(returns[0].type, torch.TensorType)


def unbound(state: State) -> frozenset[str]:
    """Symbols that no input has as a whole dimension; a net with one cannot be run."""
    found = {
        extent
        for _, wire in state.net.inputs
        for extent in state.net.sort(wire).shape
        if isinstance(extent, Polynomial)
    }
    used = {name for sort in state.net.graph.wires.values() for extent in sort.shape for name in symbols(extent)}
    return frozenset(name for name in used if symbol(name) not in found)


__all__ = ["rebuild", "to_tensor", "unbound"]
