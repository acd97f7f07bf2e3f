"""Metrics: natural numbers that are sums over the operations of a net, one file each.

Sums make a step cheap to account for: what a rewrite changes is what it creates less what it deletes. Accuracy, which
is measured and not counted, stands beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from surgdsl.axis.extent import symbols
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import Step
from surgdsl.metrics import macs, nnz, params, size

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


def count(net: Net, weights: Mapping[str, Weight], binding: Mapping[str, int]) -> dict[str, int]:
    """Every metric of a net with its weights, by identifier.

    Raises:
        KeyError: `binding` lacks a symbol.
        Refusal: E0603, an operation without a cost rule.
    """
    return total(State(net, weights), net.graph.operations, binding)


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
