"""Constant folding: what depends on no input and no weight is computed once, at capture.

Attention masks, position indices and window tables are built by dozens of operations, many of them in place; folded,
they are one constant each.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import fx
from torch.fx.node import map_arg

LARGEST = 1 << 26
"""Elements; what is larger stays a computation."""


FILLS: Mapping[str, int | str] = {
    "aten.new_zeros.default": "0",
    "aten.new_ones.default": "1",
    "aten.new_full.default": 2,
    "aten.zeros_like.default": "0",
    "aten.ones_like.default": "1",
    "aten.full_like.default": 1,
}
"""Creators after the kind of another tensor, with the number they fill with, or the position of the argument that is
it."""


class Folder:
    """The values of constant nodes, as far as an exported graph was read."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def give(self, node: fx.Node, tensor: torch.Tensor) -> None:
        """Say that a node is this constant; it may be written to, so it is copied."""
        if not _absent(tensor):
            self.known[node] = tensor.detach().cpu().clone()

    def create(self, node: fx.Node) -> bool:
        """Compute a tensor that takes only its kind from another one: ``x.new_zeros(3, 3)`` does not depend on x."""
        fill = FILLS.get(str(node.target))
        value = node.meta.get("val")
        if fill is None or not isinstance(value, torch.Tensor) or _symbolic_shape(value) or value.numel() > LARGEST:
            return False
        number = node.args[fill] if isinstance(fill, int) else float(fill)
        if not isinstance(number, (bool, int, float)):
            return False
        self.known[node] = torch.full(tuple(value.shape), number, dtype=value.dtype)
        return True

    def fold(self, node: fx.Node) -> bool:
        """Compute a call whose arguments are all known; False where they are not."""
        if node.target is operator.getitem and node.args[0] in self.known:
            self.known[node] = self.known[node.args[0]][node.args[1]]
            return True
        if self.create(node):
            return True
        if not isinstance(node.target, torch._ops.OpOverload) or not _foldable(node):
            return False
        if any(argument not in self.known for argument in node.all_input_nodes) or _symbolic(node):
            return False
        if not node.all_input_nodes and node.meta.get("val") is None:
            return False
        args: Any = map_arg(node.args, self.known.__getitem__)
        kwargs: Any = map_arg(node.kwargs, self.known.__getitem__)
        with torch.no_grad():
            self.known[node] = node.target(*args, **_on_processor(kwargs))
        return True


def _foldable(node: fx.Node) -> bool:
    assert isinstance(node.target, torch._ops.OpOverload)
    value = node.meta.get("val")
    parts = value if isinstance(value, (tuple, list)) else (value,)
    small = all(
        not isinstance(part, torch.Tensor) or (not _symbolic_shape(part) and part.numel() <= LARGEST) for part in parts
    )
    return small and torch.Tag.nondeterministic_seeded not in node.target.tags


def _symbolic(node: fx.Node) -> bool:
    """Whether an argument is a size that varies."""
    return any(
        isinstance(argument.meta.get("val"), (torch.SymInt, torch.SymFloat, torch.SymBool))
        for argument in node.all_input_nodes
    )


def _symbolic_shape(tensor: torch.Tensor) -> bool:
    return any(isinstance(size, torch.SymInt) for size in tensor.shape)


def _absent(tensor: torch.Tensor) -> bool:
    return tensor.is_meta or type(tensor).__name__ == "FakeTensor"


def _on_processor(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: torch.device("cpu") if isinstance(value, torch.device) else value for name, value in kwargs.items()}
