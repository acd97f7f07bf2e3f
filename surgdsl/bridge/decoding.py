"""Decoding in torch: stored parts become a weight inside the graph, differentiably in whatever is not a code or a mask.

Training a quantized or masked net then moves its codebooks, scales and kept elements and nothing else, so what a step
promised stays true.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch import fx, nn

from surgdsl.bridge.arguments import to_tensor
from surgdsl.bridge.encoding import channels, codes, kept, part_names
from surgdsl.bridge.weight import NUMPY, Weight
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, innermost


def place(root: nn.Module, graph: fx.Graph, base: str, role: str, weight: Weight) -> fx.Node:
    """Put a weight into `root` under its name, and the nodes that decode it into `graph`."""
    names, inner = part_names(base, weight.encoding), innermost(weight.encoding)
    if isinstance(inner, Dense):
        node = _held(root, graph, names["values"], role, weight, "values")
    elif isinstance(inner, Codebook):
        book = _held(root, graph, names["codebook"], role, weight, "codebook")
        node = graph.call_function(
            torch.ops.aten.index_select.default, (book, 0, _index(root, graph, names["codes"], codes(weight)))
        )
    else:
        node = _affine(root, graph, names, role, weight)
    if not isinstance(weight.encoding, Masked):
        if isinstance(inner, Dense):
            return node
        return graph.call_function(torch.ops.aten.view.default, (node, list(weight.shape)))
    where = _index(root, graph, names["mask"], kept(weight).reshape(-1).nonzero()[0])
    flat = graph.call_function(_scattered, (node, where, math.prod(weight.shape)))
    return graph.call_function(torch.ops.aten.view.default, (flat, list(weight.shape)))


def _affine(root: nn.Module, graph: fx.Graph, names: dict[str, str], role: str, weight: Weight) -> fx.Node:
    """scale · (code − zero); scales are held in the dtype of the weight, which is what training moves."""
    grid = innermost(weight.encoding)
    assert isinstance(grid, Affine)
    parts = {**weight.parts, "scale": weight.parts["scale"].astype(NUMPY[weight.dtype]).reshape(-1)}
    scale = _held(root, graph, names["scale"], role, evolve(weight, parts=parts), "scale")
    channel = channels(weight)
    zero = grid.middle if grid.symmetric else weight.parts["zero"].reshape(-1).astype("float32")[channel]
    steps = codes(weight).astype("float32") - np.float32(zero)
    chosen = graph.call_function(
        torch.ops.aten.index_select.default, (scale, 0, _index(root, graph, f"{names['scale']}_of", channel))
    )
    return graph.call_function(
        torch.ops.aten.mul.Tensor, (chosen, _fixed(root, graph, names["codes"], torch.from_numpy(steps)))
    )


def _scattered(values: torch.Tensor, where: torch.Tensor, count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=values.dtype, device=values.device).index_put((where,), values)


def _held(root: nn.Module, graph: fx.Graph, name: str, role: str, weight: Weight, part: str) -> fx.Node:
    dtype = weight.dtype
    tensor = to_tensor(weight.parts[part], dtype)
    if role == "parameter" and tensor.is_floating_point():
        _attach(root, name, nn.Parameter(tensor))
        return graph.get_attr(name)
    return _fixed(root, graph, name, tensor, persistent=role != "constant")


def _index(root: nn.Module, graph: fx.Graph, name: str, numbers: Any) -> fx.Node:
    return _fixed(root, graph, name, torch.from_numpy(numbers.astype("int64")))


def _fixed(root: nn.Module, graph: fx.Graph, name: str, tensor: torch.Tensor, *, persistent: bool = True) -> fx.Node:
    _attach(root, name, tensor, persistent=persistent)
    return graph.get_attr(name)


def _attach(root: nn.Module, name: str, tensor: torch.Tensor, *, persistent: bool = True) -> None:
    """Hang a tensor under a dotted name, with modules for the parts before the last dot."""
    *parents, leaf = name.split(".")
    holder = root
    for parent in parents:
        if not hasattr(holder, parent):
            holder.add_module(parent, nn.Module())
        holder = getattr(holder, parent)
    if isinstance(tensor, nn.Parameter):
        holder.register_parameter(leaf, tensor)
    else:
        holder.register_buffer(leaf, tensor, persistent=persistent)
