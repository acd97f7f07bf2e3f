"""Mutation: operators that write in place, read as their plain forms where nobody else sees the memory.

A net has no memory, only values. Writing into a tensor that another name still reads would have to be followed
through every alias; that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import fx

SHARING = (
    "reshape", "flatten", "contiguous", "to", "dropout", "feature_dropout", "alias", "view_as", "expand_as",
    "type_as", "unflatten", "detach_", "lift_fresh_copy", "broadcast_to", "movedim", "swapaxes", "numpy_T", "mT",
    "chunk", "tensor_split",
)  # fmt: skip
"""Operators that may hand on the memory of their first argument without being called views."""


class Aliases:
    """Which nodes share memory, and in which order nodes come. Built once for a graph."""

    def __init__(self, nodes: Iterable[fx.Node]) -> None:
        self.order = {node: place for place, node in enumerate(nodes)}
        self.roots: dict[fx.Node, fx.Node] = {}
        self.families: dict[fx.Node, list[fx.Node]] = {}
        for node in self.order:
            first = node.args[0] if self._shares(node) else None
            root = self.roots.get(first, node) if isinstance(first, fx.Node) else node
            self.roots[node] = root
            self.families.setdefault(root, []).append(node)

    def _shares(self, node: fx.Node) -> bool:
        if not node.args:
            return False
        target = node.target
        if not isinstance(target, torch._ops.OpOverload):
            return "getitem" in str(target)
        return target.is_view or target._schema.is_mutable or target._schema.name.split("::")[1] in SHARING

    def harmless(self, node: fx.Node) -> bool:
        """Whether the value before the write is read by nobody later, but under the written name or that of its base."""
        written = node.args[0]
        if not isinstance(written, fx.Node) or self.roots[written].op == "placeholder":
            return False
        here, base = self.order[node], sliced_base(written)
        family = self.families[self.roots[written]]
        earlier = [one for one in family if self.order[one] < here and one not in (written, base)]
        return not any(self.order[user] > here for one in earlier for user in one.users)


def plain_name(target: Any) -> str | None:
    """The operator that computes what `target` computes without writing in place; None where there is none."""
    base, overload = target._schema.name.split("::")[1], target._overloadname
    if not target._schema.is_mutable:
        return f"{target.namespace}.{base}.{overload}"
    plain = getattr(getattr(torch.ops, target.namespace), base.rstrip("_"), None)
    if not base.endswith("_") or plain is None or overload not in plain.overloads():
        return None
    return f"{target.namespace}.{base.rstrip('_')}.{overload}"


def sliced_base(written: fx.Node) -> fx.Node | None:
    """The tensor of which `written` is a slice; writing into the slice then makes a new tensor of the base."""
    base = written.args[0] if written.target is torch.ops.aten.slice.Tensor else None
    return base if isinstance(base, fx.Node) else None
