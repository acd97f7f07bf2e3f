"""Linear maps: y = x·wᵀ + b over the last dimension."""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.axis.extent import evaluate, product
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand
from surgdsl.operations.subscripts import Letter, aligned, carried


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, i], w[o, i], b[o] → y[…, o]."""
    del operation
    x, w, *bias = sources
    demand(
        len(w.shape) == 2 and len(x.shape) > 0 and x.shape[-1] == w.shape[1],
        "the input does not have as many features as the weight",
    )
    demand(all(b.shape == w.shape[:1] for b in bias), "the bias does not fit the weight")
    return (Sort(x.dtype, (*x.shape[:-1], w.shape[0])),)


def relation(call: Call) -> tuple[Dims, ...]:
    """x[-1] ~ w[1]; y[-1] = w[0] ~ b[0]."""
    x, w, *bias = call.dims
    call.tie(x[-1], w[1])
    for b in bias:
        call.tie(b[0], w[0])
    return ((*x[:-1], w[0]),)


def zero(call: Call) -> bool:
    """Zero where the weight and the bias are, or the input where nothing is added."""
    x, _, *bias = call.dims
    target: tuple[Letter, ...] = (*aligned(len(x) - 1)[0], "o")
    subscripts = ((*target[:-1], "i"), ("o", "i"), *(("o",) for _ in bias))
    factors, terms = (0, 1), range(2, len(call.dims))
    return carried(call, subscripts, target, factors, any) and carried(call, subscripts, target, terms, all)


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """∏ x[:-1] · o · i; the bias counts nothing."""
    del operation
    return evaluate(product((*targets[0].shape, sources[1].shape[1])), binding)


LINEAR = Signature(("aten.linear.default",), typing, relation, cost, zero=zero)
