"""Transposed convolutions, in one to three spatial dimensions, grouped and depthwise among them.

The weight has its inputs first: with g groups they are g ⊗ i, and the output channels are g ⊗ o. Cutting a group takes
its inputs and its outputs along, and the literal `groups` follows.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.axis.dim import fuse
from surgdsl.axis.extent import Extent, evaluate, multiply, product
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.naming import rename
from surgdsl.operations.signature import (
    Call,
    Cut,
    Dims,
    IllTyped,
    Signature,
    demand,
    integer,
    integers,
    replaced,
)
from surgdsl.operations.subscripts import loose


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, g·i, …], w[g·i, o, k…], b[g·o] → y[n, g·o, …]."""
    x, w, *bias = sources
    rank, groups = len(w.shape) - 2, integer(operation, "groups")
    demand(rank >= 1 and len(x.shape) == rank + 2, "a convolution needs a batch dimension")
    demand(x.shape[1] == w.shape[0], "the input does not have as many channels as the weight")
    inputs = w.shape[0]
    demand(isinstance(inputs, int) and groups >= 1 and inputs % groups == 0, "groups do not divide the inputs")
    out = multiply(w.shape[1], groups)
    demand(all(b.shape == (out,) for b in bias), "the bias does not fit the weight")
    settings = zip(
        x.shape[2:],
        w.shape[2:],
        *(integers(operation, name, rank) for name in ("stride", "padding", "dilation", "output_padding")),
        strict=True,
    )
    return (Sort(x.dtype, (x.shape[0], out, *(_spread(*setting) for setting in settings))),)


def _spread(extent: Extent, kernel: Extent, stride: int, padding: int, dilation: int, extra: int) -> int:
    """How far the kernels reach when each input position sets one down."""
    if not isinstance(extent, int) or not isinstance(kernel, int):
        raise IllTyped("a kernel is spread over a dimension whose size is symbolic")
    reach = (extent - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
    demand(reach >= 1, "nothing would be left")
    return reach


def relation(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ w[0] ~ g ⊗ i; y[1] = g ⊗ w[1] ~ b[0]; spatial dims are pinned."""
    x, w, *bias = call.dims
    groups, inputs = integer(call.operation, "groups"), call.sources[1].shape[0]
    layer = call.operation.path or "model"
    if groups == 1:
        rename(call, w[0], (f"{layer}:out",), "inputs")
    rename(call, w[1], (f"{layer}:in",), "filters")
    call.tie(x[1], w[0])
    out = w[1]
    if groups > 1:
        demand(isinstance(inputs, int), "the number of channels is symbolic")
        assert isinstance(inputs, int)
        group = call.unification.fresh(f"{layer}:groups", groups)
        call.tie(w[0], fuse(group, call.unification.fresh(f"{layer}:inputs", inputs // groups)))
        out = fuse(group, w[1])
    for b in bias:
        call.tie(b[0], out)
    if not (call.zeros[0] or call.zeros[1]):
        call.blur((x[1],), "neither the input nor a computed weight is zero there")
    space = tuple(call.fresh(f"space{i}", i + 2) for i in range(len(w) - 2))
    call.pin((*w[2:], *x[2:], *space), "a kernel is spread over it")
    return ((x[0], out, *space),)


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """n · i · o/g · ∏ kernel · ∏ input positions; what falls outside the output counts."""
    del operation, targets
    return evaluate(product((*sources[0].shape, *sources[1].shape[1:])), binding)


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """`groups` is what remains of the output channels over those of a group."""
    channels, per_group = cut.targets[0].shape[1], cut.sources[1].shape[1]
    if not isinstance(channels, int) or not isinstance(per_group, int):
        raise IllTyped("the number of channels is symbolic")
    return replaced(cut.operation.attributes, groups=channels // per_group)


def zero(call: Call) -> bool:
    """Zero where the filters and the bias are; along a batch that may be cut, a bias is added to what the input has."""
    across = not loose(call, call.dims[0][0]) or (call.zeros[0] and len(call.zeros) == 2)
    return all(call.zeros[1:]) and across


TRANSPOSED = Signature(
    ("aten.conv_transpose1d.default", "aten.conv_transpose2d.input", "aten.conv_transpose3d.input"),
    typing,
    relation,
    cost,
    retune,
    zero,
)
