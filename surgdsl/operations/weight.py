"""Weights: every dimension of a tensor is born as an axis.

Axes are named after the layer: ``conv1.weight`` has ``conv1:out`` and ``conv1:in``; other tensors number theirs.
"""

from __future__ import annotations

from surgdsl.axis.unification import Unification
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, makes_zero


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """A weight's sort is its wire's; there is nothing to derive it from."""
    del operation, sources
    raise IllTyped("a weight has the sort that it was given")


def born(operation: Operation, sort: Sort, unification: Unification) -> Dims:
    """Fresh axes; the dims of kernels beyond the first two are told apart by number."""
    base = operation.payload.base if operation.payload else "weight"
    layer, shape, fresh = base.removesuffix(".weight"), sort.shape, unification.fresh
    if len(shape) < 2 or layer == base:
        return tuple([fresh(f"{base}:{i}", extent) for i, extent in enumerate(shape)])
    kernel = [fresh(f"{base}:{i}", extent) for i, extent in enumerate(shape[2:], 2)]
    return (fresh(f"{layer}:out", shape[0]), fresh(f"{layer}:in", shape[1]), *kernel)


def relation(call: Call) -> tuple[Dims, ...]:
    """Every dim is born here."""
    return (born(call.operation, call.targets[0], call.unification),)


WEIGHT = Signature((PARAM,), typing, relation, zero=makes_zero)
