"""Mutation: operators that write in place, read as their plain forms where nobody else sees the memory.

A net has no memory, only values. Writing into a tensor that another name still reads would have to be followed
through every alias; that is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import fx

FRESH = frozenset({
    "linear", "bilinear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "embedding", "softmax", "log_softmax",
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "adaptive_avg_pool3d", "adaptive_max_pool1d", "relu6", "selu", "log_sigmoid", "prelu", "matmul", "outer", "pad",
    "hstack", "vstack", "repeat_interleave", "scaled_dot_product_attention", "upsample_nearest1d",
    "upsample_nearest2d", "upsample_nearest3d", "upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d",
})  # fmt: skip
"""Composed operators that are known to return memory of their own."""

OVERLAPPING = ("unfold", "as_strided", "expand", "expand_as", "broadcast_to", "broadcast_tensors", "meshgrid")
"""Operators after which several elements may lie in one place."""


def shares(node: fx.Node) -> bool:
    """Whether the value of a call may lie in the memory of an argument.

    Views and writes say so in their schemas. Operators with a kernel of their own return new memory; those that are
    composed of others, and blocks, may hand an argument on without saying so, as a dropout does that is switched off.
    """
    target = node.target
    if node.op != "call_function" or not isinstance(target, torch._ops.OpOverload):
        return node.op == "call_function"
    if target.is_view or target._schema.is_mutable:
        return True
    composed = torch._C._dispatch_has_kernel_for_dispatch_key(target.name(), "CompositeImplicitAutograd")
    hidden = base_name(target) == "lift" or base_name(target).startswith("unsafe_")
    return hidden or (composed and base_name(target) not in FRESH)


def _lenders(node: fx.Node) -> list[fx.Node]:
    """The nodes in whose memory the value of a call may lie: the first argument, of a view or a write; else any.

    The results of an operator that returns new memory lie apart from each other; only one taken twice is shared.
    """
    if not shares(node):
        return []
    target, source = node.target, node.args[0] if node.args else None
    if target is operator.getitem and isinstance(source, fx.Node) and not shares(source):
        return [one for one in source.users if one.args[1:] == node.args[1:]]
    if isinstance(target, torch._ops.OpOverload) and (target.is_view or target._schema.is_mutable):
        return [one for one in node.args[:1] if isinstance(one, fx.Node)]
    return list(node.all_input_nodes)


class Aliases:
    """Which nodes share memory, and in which order nodes come. Built once for a graph."""

    def __init__(self, nodes: Iterable[fx.Node]) -> None:
        self.order = {node: place for place, node in enumerate(nodes)}
        self.families: dict[fx.Node, list[fx.Node]] = {}
        for node in self.order:
            family = self.families[node] = [node]
            for other in _lenders(node):
                if self.families.get(other, family) is not family:
                    family = self._joined(family, self.families[other])

    def _joined(self, first: list[fx.Node], second: list[fx.Node]) -> list[fx.Node]:
        small, large = sorted((first, second), key=len)
        large += small
        self.families.update(dict.fromkeys(small, large))
        return large

    def harmless(self, node: fx.Node) -> bool:
        """Whether a write is seen only under the written name or its base, and leaves what its plain form gives."""
        written = node.args[0]
        if not isinstance(written, fx.Node):
            return False
        here, base, family = self.order[node], sliced_base(written), self.families[written]
        earlier = [one for one in family if self.order[one] < here]
        if any(one.op == "placeholder" or base_name(one.target) in OVERLAPPING for one in earlier):
            return False
        if any(self.order[user] > here for one in earlier if one not in (written, base) for user in one.users):
            return False
        return all(_keeps_dtype(written, other) for other in node.all_input_nodes)


def _keeps_dtype(written: fx.Node, other: fx.Node) -> bool:
    """Whether the plain form, which promotes, has the dtype that writing keeps."""
    first, second = written.meta.get("val"), other.meta.get("val")
    if not isinstance(first, torch.Tensor) or not isinstance(second, torch.Tensor):
        return True
    return torch.promote_types(first.dtype, second.dtype) == first.dtype


def base_name(target: Any) -> str:
    """An operator's name without namespace and overload: ``relu_``; empty for anything else."""
    return target._schema.name.split("::")[1] if isinstance(target, torch._ops.OpOverload) else ""


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
