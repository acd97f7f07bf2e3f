"""Batch normalisation: with frozen statistics, an affine map of each channel by itself.

Without any statistics of its own it takes those of what it is given, as in the standardisation of a weight.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.group_norm import instance_zero
from surgdsl.operations.signature import Call, Dims, Signature, demand


def by_batch(operation: Operation) -> bool:
    """Whether it normalises by the mean and variance of its input."""
    return operation.attribute("training") is not False


def stateless(operation: Operation) -> bool:
    """Whether there are no running statistics that it would update."""
    attributes = dict(operation.attributes)
    return all(name in attributes and attributes[name] is None for name in ("running_mean", "running_var"))


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] with c-long weight, bias, mean and variance, as far as given → the same."""
    x, *given = sources
    demand(not by_batch(operation) or stateless(operation), "batch statistics in use: capture the model in eval mode")
    demand(
        len(x.shape) >= 2 and all(tensor.shape == x.shape[1:2] for tensor in given),
        "the statistics do not fit the channels",
    )
    return (x,)


def relation(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ weight ~ bias ~ mean ~ variance; by the batch, all other dims are worked over."""
    x, *given = call.dims
    for tensor in given:
        call.tie(tensor[0], x[1])
    if by_batch(call.operation):
        call.blur((x[0], *x[2:]), "a norm is taken over it")
    return (x,)


BATCH_NORM = Signature(("aten.batch_norm.default",), typing, relation, zero=instance_zero)
