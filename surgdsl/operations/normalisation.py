"""Batch normalisation with frozen statistics: an affine map of each channel by itself."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.group_norm import instance_zero
from surgdsl.operations.signature import Call, Dims, Signature, demand


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] with c-long weight, bias, mean and variance, as far as given → the same."""
    x, *given = sources
    demand(operation.attribute("training") is False, "batch statistics in use: capture the model in eval mode")
    demand(
        len(x.shape) >= 2 and all(tensor.shape == x.shape[1:2] for tensor in given),
        "the statistics do not fit the channels",
    )
    return (x,)


def relation(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ weight ~ bias ~ mean ~ variance."""
    x, *given = call.dims
    for tensor in given:
        call.tie(tensor[0], x[1])
    return (x,)


BATCH_NORM = Signature(("aten.batch_norm.default",), typing, relation, zero=instance_zero)
