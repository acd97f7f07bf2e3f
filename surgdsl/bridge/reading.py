"""Reading: an exported graph becomes a net and its weights, node by node.

Bookkeeping (size queries, assertions, blocks that switch gradients off) disappears, constants are folded, writing in
place is turned into its plain form where nothing else sees the memory, and refused where something does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import fx
from torch.utils import _pytree as pytree

from surgdsl.axis.extent import Extent
from surgdsl.bridge.arguments import DTYPES, Arguments, extent_of, to_array
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.folding import Folder
from surgdsl.bridge.mutation import Aliases, plain_name, sliced_base
from surgdsl.bridge.normal import Attributes, Spoken, normal_form
from surgdsl.bridge.weight import NUMPY, State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.canonical import number, renumber
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation, Tensors
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given

Dynamic = Mapping[str, Mapping[int, str]]
"""Which dimensions vary: by input name, dimension → symbol."""

ROLES = {"PARAMETER": "parameter", "BUFFER": "buffer", "CONSTANT_TENSOR": "constant"}
BLOCKS = {"wrap_with_set_grad_enabled": 1, "wrap_with_autocast": 4}
"""Blocks that only set a mode, and the position of their body among the arguments."""


class Reading:
    """One pass over an exported graph. A class only because the pass has state; it lives as long as the call."""

    def __init__(self, program: torch.export.ExportedProgram, dynamic: Dynamic) -> None:
        self.program, self.dynamic = program, dynamic
        self.specs = {spec.arg.name: spec for spec in program.graph_signature.input_specs}
        self.symbols: dict[str, str] = {}
        self.wires: dict[str, Sort] = {}
        self.operations: dict[str, Operation] = {}
        self.weights: dict[str, Weight] = {}
        self.values: dict[Any, Any] = {}
        self.shared: dict[tuple[Any, ...], str] = {}
        self.folder = Folder()
        self.inputs: list[tuple[str, str]] = []
        self.prefix = ""

    def state(self) -> State:
        """Read every node, drop what reaches no output, number canonically."""
        self._read(self.program.graph.nodes)
        leaves = next(node for node in self.program.graph.nodes if node.op == "output").args[0]
        net = Net(Hypergraph(self.wires, self.operations), tuple(self.inputs), self._outputs(leaves))
        order = number(net)
        live = {name: net.graph.operations[name] for name in order.operations}
        live_net = Net(Hypergraph({wire: self.wires[wire] for wire in order.wires}, live), net.inputs, net.outputs)
        weights = {
            f"o{place}": self.weights[name] for place, name in enumerate(order.operations) if name in self.weights
        }
        return State(renumber(live_net), weights)

    def _read(self, nodes: Iterable[fx.Node]) -> None:
        found = list(nodes)
        aliases = Aliases(found)
        for node in found:
            if node.op == "placeholder" and node not in self.values:
                self._placeholder(node)
            elif node.op == "call_function":
                self._call(node, aliases)

    def _placeholder(self, node: fx.Node) -> None:
        if node in self.folder.known:
            return
        spec = self.specs[node.name]
        kind = spec.kind.name
        if kind == "USER_INPUT":
            self._input(node, spec)
            return
        if kind not in ROLES or spec.target is None:
            raise unfit(f"`{node.name}` is a {kind.lower()}, which is not a tensor")
        role = ROLES[kind] if spec.persistent is not False else "constant"
        held: Mapping[str, Any] = self.program.state_dict
        tensor = held[spec.target] if spec.target in held else self.program.constants[spec.target]
        if not isinstance(tensor, torch.Tensor):
            raise unfit(f"`{node.name}` is not a tensor")
        if kind == "CONSTANT_TENSOR":
            self.folder.give(node, tensor)
        if node not in self.folder.known:
            self._weight(node, spec.target, role, tensor)

    def _input(self, node: fx.Node, spec: Any) -> None:
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
            tensor.untyped_storage()._cdata,
            tensor.storage_offset(),
            tuple(tensor.shape),
            tensor.stride(),
            tensor.dtype,
        )
        if identity in self.shared and tensor.numel():
            self.values[node] = self.shared[identity]
            return
        wire = self._wire(node, name, tensor)
        self.shared[identity] = wire
        payload = Payload(name, role, Dense(), Given(name))
        self.operations[name] = Operation(PARAM, (), (wire,), (), payload, name.rpartition(".")[0])
        self.weights[name] = _held(tensor)

    def _wire(self, node: Any, name: str, tensor: torch.Tensor) -> str:
        if tensor.dtype not in DTYPES:
            raise unfit(f"`{name}` has the dtype {tensor.dtype}, which certificates do not have")
        self.wires[name] = Sort(DTYPES[tensor.dtype], tuple(self._extent(size) for size in tensor.shape))
        self.values[node] = name
        return name

    def _extent(self, size: Any) -> Extent:
        return extent_of(size, self.symbols)

    def _call(self, node: fx.Node, aliases: Aliases) -> None:
        value = node.meta.get("val")
        if self.folder.fold(node):
            return
        if isinstance(value, (torch.SymInt, int)) and not isinstance(value, bool):
            self.values[node] = self._extent(value)
        elif "getitem" in str(node.target):
            self.values[node] = self.values[node.args]
        elif str(node.target) in BLOCKS:
            self._block(node)
        elif not isinstance(node.target, torch._ops.OpOverload):
            raise unfit(f"`{node.name}` calls {node.target}, which is not an ATen operator")
        elif value is not None:
            self._operation(node, value, aliases)
        elif node.users:
            raise unfit(f"`{node.name}` computes something that is not a tensor")

    def _block(self, node: fx.Node) -> None:
        """A block that only sets a mode is read in place."""
        place = BLOCKS[str(node.target)]
        if str(node.target) == "wrap_with_autocast" and node.args[2]:
            raise unfit(f"`{node.name}` casts by itself; capture the model without autocast")
        inner = node.args[place]
        assert isinstance(inner, fx.Node)
        body = getattr(node.graph.owning_module, str(inner.target))
        operands = node.args[place + 1 :]
        for inner, outer in zip((one for one in body.graph.nodes if one.op == "placeholder"), operands, strict=True):
            if outer in self.folder.known:
                self.folder.known[inner] = self.folder.known[outer]
            else:
                self.values[inner] = self.values[outer] if isinstance(outer, fx.Node) else outer
        before, self.prefix = self.prefix, f"{self.prefix}{node.name}."
        self._read(body.graph.nodes)
        self.prefix = before
        for number_, result in enumerate(next(one for one in body.graph.nodes if one.op == "output").args[0]):
            if result in self.folder.known:
                self._known(result)
            self.values[(node, number_)] = self.values[result]

    def _operation(self, node: fx.Node, value: Any, aliases: Aliases) -> None:
        name = self._name(node, aliases)
        for argument in node.all_input_nodes:
            if argument in self.folder.known and argument not in self.values:
                self._known(argument)
        parts = value if isinstance(value, (tuple, list)) else (value,)
        if not all(isinstance(part, torch.Tensor) for part in parts):
            raise unfit(f"`{node.name}` computes something that is not a tensor")
        shapes = tuple(tuple(map(self._extent, part.shape)) for part in parts)
        sources, attributes = Arguments(node, self.values, self.symbols).collect()
        if name.startswith(("aten.cat.", "aten.concat")):
            sources, attributes = self._joined(sources, dict(attributes))
        first = self.wires[sources[0]].shape if sources else ()
        said = normal_form(Spoken(name, sources, dict(attributes), first, shapes))
        targets = self._targets(node, value)
        spelled = tuple(sorted(said.attributes.items()))
        self.operations[self.prefix + node.name] = Operation(
            said.name, said.sources, targets, spelled, None, module_path(node)
        )
        if _writes(node):
            self._written(node)

    def _joined(self, sources: tuple[str, ...], attributes: Attributes) -> tuple[tuple[str, ...], Attributes]:
        """The arguments of a concatenation without the tensors that hold nothing, which no certificate can state."""
        found = tuple(wire for wire in sources if 0 not in self.wires[wire].shape)
        return (found, {**attributes, "tensors": Tensors(len(found))}) if found else (sources, attributes)

    def _written(self, node: fx.Node) -> None:
        """From here on the written name means the new value; if it is a slice, its base means what it was cut into."""
        written = node.args[0]
        self.values[written] = self.values[node]
        base = sliced_base(written) if isinstance(written, fx.Node) else None
        if base is None or not isinstance(written, fx.Node):
            return
        view = self.operations[self.prefix + written.name]
        stem = f"{self.prefix}{node.name}.base"
        sources = view.sources[0], self.values[node]
        self.wires[stem] = self.wires[view.sources[0]]
        self.values[base] = stem
        self.operations[stem] = Operation(
            "aten.slice_scatter.default", sources, (stem,), view.attributes, None, module_path(node)
        )

    def _targets(self, node: fx.Node, value: Any) -> tuple[str, ...]:
        stem = self.prefix + node.name
        if isinstance(value, torch.Tensor):
            return (self._wire(node, stem, value),)
        return tuple(self._wire((node, place), f"{stem}.{place}", part) for place, part in enumerate(value))

    def _known(self, node: fx.Node) -> None:
        """A folded value that an operation reads becomes a constant."""
        tensor = self.folder.known[node]
        if not isinstance(tensor, torch.Tensor):
            self.values[node] = tensor
            return
        name = f"constant.{self.prefix}{node.name}_value"
        self._weight(node, name, "constant", tensor)

    def _name(self, node: fx.Node, aliases: Aliases) -> str:
        name = plain_name(node.target)
        if name is None:
            raise unfit(f"`{node.name}` writes in place and has no plain form")
        if _writes(node) and not aliases.harmless(node):
            where = f" at `{module_path(node)}`" if module_path(node) else ""
            raise unfit(
                f"`{node.name}`{where} writes into memory that is read elsewhere; use the form that is not in place"
            )
        return name

    def _outputs(self, leaves: Iterable[Any]) -> tuple[tuple[str, str], ...]:
        found = list(leaves)
        for leaf in found:
            if leaf in self.folder.known and leaf not in self.values:
                self._known(leaf)
        names = _names(self.program.call_spec.out_spec, len(found))
        given = [
            (name, self.values.get(leaf)) for name, leaf in zip(names, found, strict=True) if isinstance(leaf, fx.Node)
        ]
        if not given or any(not isinstance(wire, str) or wire not in self.wires for _, wire in given):
            raise unfit("an output is not a tensor")
        return tuple((name, str(wire)) for name, wire in given)


def _writes(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _held(tensor: torch.Tensor) -> Weight:
    """A weight with its values; of a tensor that is only a shape, with a stand-in that takes no memory."""
    dtype = DTYPES[tensor.dtype]
    if tensor.is_meta or type(tensor).__name__ == "FakeTensor":
        return Weight(
            Dense(),
            dtype,
            tuple(tensor.shape),
            {"values": np.broadcast_to(np.zeros((), NUMPY[dtype]), tuple(tensor.shape))},
        )
    return dense(to_array(tensor), dtype)


def _names(spec: Any, count: int) -> tuple[str, ...]:
    """Outputs are called as the keys of a returned dictionary, else `output`, or `output0`, `output1` and so on."""
    try:
        tree = pytree.tree_unflatten(list(range(count)), spec)
    except (TypeError, ValueError, AttributeError):
        tree = None
    if isinstance(tree, Mapping) and set(tree.values()) == set(range(count)):
        by_place = {place: str(key) for key, place in tree.items()}
        return tuple(by_place[place] for place in range(count))
    return ("output",) if count == 1 else tuple(f"output{place}" for place in range(count))


def module_path(node: Any) -> str:
    """The path of the module in which a node was called: ``layer1.0.conv1``; empty at the root."""
    stack = [entry[0] for entry in (node.meta.get("nn_module_stack") or {}).values() if isinstance(entry[0], str)]
    paths = [path for path in stack if not path.startswith("_")]
    return paths[-1].replace("L['self'].", "").replace("L['self']", "") if paths else ""


def unfit(reason: str) -> Refusal:
    """The refusal of a graph that cannot be a net."""
    return Refusal(Diagnostic("E0602", "what the model exports to cannot be a net", help=(reason,)))
