"""Hollow modules: shapes without values, as torch builds them on its meta device; a weight file fills the net.

A module that is built with values costs its own size in memory before a file is read. One that is built hollow costs
nothing: its weights are the mapped tensors of the file, and a tensor takes memory only while it is looked at.
"""

from __future__ import annotations

from collections.abc import Container

import torch
from attrs import evolve
from torch import nn

from surgdsl.bridge.arguments import DTYPES, to_array
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.storage import Tensors
from surgdsl.bridge.weight import State, Weight


def hollow(module: nn.Module) -> bool:
    """Whether a parameter or a buffer of the module has no values."""
    return any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers()))


def emptied(module: nn.Module) -> Tensors:
    """Moves the whole module to the meta device, and gives the values that parts of it had."""
    named = (*module.named_parameters(), *module.named_buffers())
    held = {name: (DTYPES[tensor.dtype], to_array(tensor)) for name, tensor in named if not tensor.is_meta}
    module.to(torch.device("meta"))
    return held


def filled(state: State, tensors: Tensors, named: Container[str]) -> tuple[State, list[str]]:
    """The state with its weights taken from `tensors`, and the names of those that are not there.

    Args:
        state: the net of an emptied module.
        tensors: values by name.
        named: the names of the module's parameters and buffers; other weights are constants, which have values.
    """
    weights, missing = dict[str, Weight](), list[str]()
    for name, weight in state.weights.items():
        payload = state.net.graph.operations[name].payload
        assert payload is not None
        weights[name] = weight
        if payload.base in tensors:
            dtype, array = tensors[payload.base]
            weights[name] = dense(array, dtype)
        elif payload.base in named:
            missing.append(payload.base)
    return evolve(state, weights=weights), missing
