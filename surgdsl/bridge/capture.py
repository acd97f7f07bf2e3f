"""Capture: a torch module becomes a net and its weights, through torch.export without decompositions.

Exporting keeps `linear`, `conv2d` and `batch_norm` whole, which is what the axis algebra reads. Bookkeeping (size queries, assertions) disappears;
writing in place is turned into its plain form where nothing else sees the memory, and refused where something does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from surgdsl.axis.extent import Extent
from surgdsl.bridge.arguments import Arguments, DTYPES, extent_of, node_value, to_array
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.payload import Dense, Given, Payload
from surgdsl.diagram.sort import Sort

Dynamic = Mapping[str, Mapping[int, str]]
"""Which dimensions vary: by input name, dimension → symbol."""


def capture(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    dynamic: Dynamic | None = None,
    ranges: Mapping[str, tuple[int, int]] | None = None,
) -> State:
    """The net of `module` in eval mode, numbered canonically, with its weights.

    Args:
        module: any module that torch.export accepts; it is left as it was.
        args, kwargs: example inputs; a dimension that varies needs an example of at least 2.
        dynamic: the dimensions that vary, by input name.
        ranges: lowest and highest size of each symbol.

    Raises:
        Refusal: E0601 where the module cannot be exported, E0602 where what it exports to cannot be a net.
    """
    with _evaluating(module):
        program = _exported(module, tuple(args), dict(kwargs or {}), dynamic or {}, ranges or {})
        return _Reading(program, dynamic or {}).state()


@contextmanager
def _evaluating(module: nn.Module) -> Any:
    """Eval mode for a while; afterwards every submodule is in the mode in which it was."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _exported(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dynamic: Dynamic,
    ranges: Mapping[str, tuple[int, int]],
) -> torch.export.ExportedProgram:
    names = {name for sizes in dynamic.values() for name in sizes.values()}
    symbols = {name: _dimension(name, ranges.get(name)) for name in names}
    try:
        shapes = _shapes(module, args, kwargs, dynamic, symbols) if dynamic else None
        return torch.export.export(module, args, kwargs, dynamic_shapes=shapes, strict=False)
    except Refusal:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise Refusal(
            Diagnostic("E0601", "the model cannot be exported", help=(f"torch.export says: {reason}",))
        ) from error


def _dimension(name: str, bounds: tuple[int, int] | None) -> Any:
    low, high = bounds or (1, 1 << 20)
    return torch.export.Dim(name, min=low, max=high)


def _shapes(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], dynamic: Dynamic, symbols: Mapping[str, Any]
) -> Any:
    """The `dynamic_shapes` of torch.export: a tree as the arguments are, by the names of the forward's parameters."""
    import inspect

    bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    unknown = set(dynamic) - set(bound)
    if unknown:
        raise Refusal(
            Diagnostic("E0601", "the model cannot be exported", help=(f"its forward has no argument `{min(unknown)}`",))
        )
    return {
        name: {place: symbols[size] for place, size in dynamic[name].items()}
        if name in dynamic
        else pytree.tree_map(lambda _: None, value)
        for name, value in bound.items()
    }


class _Reading:
    """One pass over an exported graph. A class only because the pass has state; it lives as long as the call."""

    def __init__(self, program: torch.export.ExportedProgram, dynamic: Dynamic) -> None:
        self.program, self.dynamic = program, dynamic
        self.symbols: dict[str, str] = {}
        self.wires: dict[str, Sort] = {}
        self.operations: dict[str, Operation] = {}
        self.weights: dict[str, Weight] = {}
        self.values: dict[Any, Any] = {}
        self.shared: dict[tuple[Any, ...], str] = {}
        self.roots: dict[Any, Any] = {}
        self.inputs: list[tuple[str, str]] = []

    def state(self) -> State:
        """Read every node, drop what reaches no output, number canonically."""
        outputs: tuple[tuple[str, str], ...] = ()
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "output":
                outputs = self._outputs(node)
            else:
                self._call(node)
        net = Net(Hypergraph(self.wires, self.operations), tuple(self.inputs), outputs)
        order = number(net)
        live = {name: net.graph.operations[name] for name in order.operations}
        wires = {wire: self.wires[wire] for wire in order.wires}
        live_net = Net(Hypergraph(wires, live), net.inputs, outputs)
        weights = {
            f"o{place}": self.weights[name] for place, name in enumerate(order.operations) if name in self.weights
        }
        return State(renumber(live_net), weights)

    def _placeholder(self, node: Any) -> None:
        spec = next(spec for spec in self.program.graph_signature.input_specs if spec.arg.name == node.name)
        kind = spec.kind.name
        if kind == "USER_INPUT":
            self._input(node, spec)
            return
        roles = {"PARAMETER": "parameter", "BUFFER": "buffer", "CONSTANT_TENSOR": "constant"}
        if kind not in roles or spec.target is None:
            raise _unfit(f"`{node.name}` is a {kind.lower()}, which is not a tensor")
        role = roles[kind] if spec.persistent is not False else "constant"
        tensor = (
            self.program.state_dict[spec.target]
            if spec.target in self.program.state_dict
            else self.program.constants[spec.target]
        )
        self._weight(node, spec.target, role, tensor)

    def _input(self, node: Any, spec: Any) -> None:
        if not isinstance(node.meta.get("val"), torch.Tensor):
            self.values[node] = getattr(spec.arg, "value", None)
            return
        for place, name in self.dynamic.get(node.name, {}).items():
            size = node.meta["val"].shape[place]
            if isinstance(size, torch.SymInt):
                self.symbols[str(size.node.expr)] = name
        self.inputs.append((node.name, self._wire(node, node.name, node.meta["val"])))

    def _weight(self, node: Any, name: str, role: str, tensor: torch.Tensor) -> None:
        """A shared tensor is one weight, whatever names it has: the first one stays."""
        identity = (
            (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype) if tensor.numel() else (name,)
        )
        if identity in self.shared:
            self.values[node] = self.shared[identity]
            return
        wire = self._wire(node, name, tensor)
        self.shared[identity] = wire
        self.operations[name] = Operation(
            PARAM, (), (wire,), (), Payload(name, role, Dense(), Given(name)), name.rpartition(".")[0]
        )
        self.weights[name] = dense(to_array(tensor), DTYPES[tensor.dtype])

    def _wire(self, node: Any, name: str, tensor: torch.Tensor, key: Any = None) -> str:
        if tensor.dtype not in DTYPES:
            raise _unfit(f"`{name}` has the dtype {tensor.dtype}, which certificates do not have")
        self.wires[name] = Sort(DTYPES[tensor.dtype], tuple(self._extent(size) for size in tensor.shape))
        self.values[node if key is None else key] = name
        return name

    def _extent(self, size: Any) -> Extent:
        return extent_of(size, self.symbols)

    def _call(self, node: Any) -> None:
        value = node.meta.get("val")
        if node.op != "call_function":
            raise _unfit(f"`{node.name}` is a {node.op}")
        if isinstance(value, (torch.SymInt, int)) and not isinstance(value, bool):
            self.values[node] = self._extent(value)
            return
        if str(node.target).startswith("<built-in function getitem>"):
            self.values[node] = self.values[(node.args[0], node.args[1])]
            self.roots[node] = self.roots.get(node.args[0], node.args[0])
            return
        if not isinstance(node.target, torch._ops.OpOverload):
            raise _unfit(f"`{node.name}` calls {node.target}, which is not an ATen operator")
        if value is None:
            if node.users:
                raise _unfit(f"`{node.name}` computes something that is not a tensor")
            return
        self._operation(node, value)

    def _operation(self, node: Any, value: Any) -> None:
        name = self._out_of_place(node)
        read = Arguments(node, self.values, self.symbols)
        sources, attributes = read.collect(tuple(value.shape) if isinstance(value, torch.Tensor) else None)
        if isinstance(value, torch.Tensor):
            targets = (self._wire(node, node.name, value),)
        else:
            parts = enumerate(value)
            targets = tuple(self._wire(node, f"{node.name}.{place}", part, (node, place)) for place, part in parts)
        self.operations[node.name] = Operation(name, sources, targets, attributes, None, module_path(node))
        if node.target.is_view and node.args:
            self.roots[node] = self.roots.get(node.args[0], node.args[0])

    def _out_of_place(self, node: Any) -> str:
        """The plain name of an operator; one that writes in place stands for it when nothing else sees what is overwritten."""
        name = f"{node.target.namespace}.{node.target._schema.name.split('::')[1]}.{node.target._overloadname}"
        if not node.target._schema.is_mutable:
            return name
        base = node.target._schema.name.split("::")[1]
        plain = getattr(getattr(torch.ops, node.target.namespace), base.rstrip("_"), None)
        written = node.args[0] if node.args else None
        if not base.endswith("_") or plain is None or node.target._overloadname not in plain.overloads():
            raise _unfit(f"`{node.name}` writes in place and has no plain form")
        root = self.roots.get(written, written)
        order = {other: place for place, other in enumerate(self.program.graph.nodes)}
        family = [other for other in order if self.roots.get(other, other) is root]
        later = [user for member in family for user in member.users if order[user] > order[node]]
        if root.op == "placeholder" or written is not root or later:
            raise _unfit(
                f"`{node.name}` at `{module_path(node)}` writes into memory that is read elsewhere; use the form that is not in place"
            )
        return name.replace(f".{base}.", f".{base.rstrip('_')}.")

    def _outputs(self, node: Any) -> tuple[tuple[str, str], ...]:
        leaves = node.args[0]
        names = _names(self.program.call_spec.out_spec, len(leaves))
        if any(not isinstance(self.values.get(leaf), str) for leaf in leaves):
            raise _unfit("an output is not a tensor")
        return tuple((name, self.values[leaf]) for name, leaf in zip(names, leaves, strict=True))


def _names(spec: Any, count: int) -> tuple[str, ...]:
    """Outputs are called as the keys of a returned dictionary, else `output`, or `output0`, `output1`, …"""
    tree = pytree.tree_unflatten(list(range(count)), spec)
    if isinstance(tree, Mapping) and all(isinstance(place, int) for place in tree.values()):
        return tuple(str(key) for key, _ in sorted(tree.items(), key=lambda item: item[1]))
    return ("output",) if count == 1 else tuple(f"output{place}" for place in range(count))


def module_path(node: Any) -> str:
    """The path of the module in which a node was called: ``layer1.0.conv1``; empty at the root."""
    stack = [entry[0] for entry in (node.meta.get("nn_module_stack") or {}).values() if isinstance(entry[0], str)]
    paths = [path for path in stack if not path.startswith("_")]
    return paths[-1].replace("L['self'].", "").replace("L['self']", "") if paths else ""


def _unfit(reason: str) -> Refusal:
    return Refusal(Diagnostic("E0602", "what the model exports to cannot be a net", help=(reason,)))


__all__ = ["Dynamic", "capture", "module_path", "node_value"]
