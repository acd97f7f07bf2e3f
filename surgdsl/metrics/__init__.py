"""Metrics: natural numbers that are sums over the operations of a net, one file each.

Sums make a step cheap to account for: what a rewrite changes is what it creates less what it deletes. Accuracy, which
is measured and not counted, stands beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from surgdsl.axis.extent import symbols
from surgdsl.bridge.encoding import stored_bytes
from surgdsl.bridge.weight import NUMPY, State, Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.payload import Affine, Codebook, innermost
from surgdsl.diagram.pushout import Step
from surgdsl.metrics import macs, nnz, params, size

Record = Mapping[str, int]
"""The properties of one weight."""
Contribution = Callable[[Operation, Net, Weight | None, Mapping[str, int]], int]

CATALOGUE: tuple[tuple[str, Contribution], ...] = (
    (macs.ID, macs.contribution),
    (nnz.ID, nnz.contribution),
    (params.ID, params.contribution),
    (size.ID, size.contribution),
)
"""Sorted by identifier, as certificates list them."""

METRICS: tuple[str, ...] = tuple(metric for metric, _ in CATALOGUE)


def contribution(
    metric: str, operation: Operation, net: Net, weight: Weight | None = None, binding: Mapping[str, int] | None = None
) -> int:
    """What one operation of `net` adds to `metric`; `weight` is its weight where it is one.

    Raises:
        KeyError: there is no such metric, or `binding` lacks a symbol.
        Refusal: E0603, an operation without a cost rule.
    """
    return dict(CATALOGUE)[metric](operation, net, weight, binding or {})


class Counts(dict[str, int]):
    """Every metric of a net by identifier; `weights` holds what each weight adds, for metrics of the user's own."""

    def __init__(self, metrics: Mapping[str, int], weights: Sequence[Record]) -> None:
        super().__init__(metrics)
        self.weights = tuple(weights)


def count(net: Net, weights: Mapping[str, Weight], binding: Mapping[str, int]) -> Counts:
    """Every metric of a net with its weights.

    Raises:
        KeyError: `binding` lacks a symbol.
        Refusal: E0603, an operation without a cost rule.
    """
    records = [properties(weights[name]) for name in net.params() if name in weights]
    found = {
        "macs/1": sum(macs.contribution(one, net, None, binding) for one in net.graph.operations.values()),
        "nnz/1": sum(one["nnz"] for one in records),
        "params/1": sum(one["count"] for one in records),
        "size/1": sum(one["size"] for one in records),
    }
    return Counts(found, records)


def properties(weight: Weight) -> Record:
    """What a comprehension over the weights can ask of one: count, nnz, size in bytes, and bits for each element.

    >>> import numpy as np
    >>> from surgdsl.bridge.encoding import dense
    >>> properties(dense(np.array([0, 1, 2], dtype=np.float32)))
    {'bits': 32, 'count': 3, 'nnz': 2, 'size': 12}
    """
    return {
        "bits": bits(weight),
        "count": math.prod(weight.shape),
        "nnz": nnz.nonzero(weight),
        "size": stored_bytes(weight),
    }


def bits(weight: Weight) -> int:
    """The width of one stored element: of its code where there are codes, else of its dtype."""
    match innermost(weight.encoding):
        case Codebook(width) | Affine(width):
            return width
        case _:
            return 8 * NUMPY[weight.dtype].itemsize


def total(state: State, names: Iterable[str], binding: Mapping[str, int]) -> dict[str, int]:
    """Every metric, summed over the operations called `names`."""
    chosen = [(name, state.net.graph.operations[name]) for name in names]
    return {
        metric: sum(add(operation, state.net, state.weights.get(name), binding) for name, operation in chosen)
        for metric, add in CATALOGUE
    }


def recount(
    before: Mapping[str, int], step: Step, states: tuple[State, State], binding: Mapping[str, int]
) -> dict[str, int]:
    """The metrics after `step`, from those before: only what it deletes and creates is looked at.

    Args:
        before: the metrics of the first state.
        step: the pushout between the two states.
        states: before and after it.
        binding: a value for each symbol.
    """
    rule = step.match.rule
    lost = total(states[0], [step.match.operations[name] for name in rule.deleted.operations], binding)
    gained = total(states[1], [step.comatch_operations[name] for name in rule.created.operations], binding)
    return {metric: before[metric] - lost[metric] + gained[metric] for metric in METRICS}


def ones(net: Net) -> dict[str, int]:
    """The binding that gives every symbol of the net the value 1, sorted by name."""
    found = {name for sort in net.graph.wires.values() for extent in sort.shape for name in symbols(extent)}
    return dict.fromkeys(sorted(found), 1)
