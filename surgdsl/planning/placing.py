"""Placing: the places of a model that fulfil the condition of a selector, as they are when its step comes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import evolve

from surgdsl.bridge.encoding import stored_bytes
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal, hint
from surgdsl.diagram.operation import PARAM
from surgdsl.language.condition import Condition, Denied, Joined, Measure, Place, kinds
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Unforeseen


def placed(step: StepDecl, state: State) -> StepDecl:
    """`step` with its selector limited to the places that fulfil its condition.

    Raises:
        Refusal: E0501, a kind that no layer of the model is of.
        Unforeseen: the condition asks for sizes, and the weights are bare.
    """
    where = step.selector.where
    if where is None:
        return step
    if _sizes(where) and any(weight.bare for weight in state.weights.values()):
        raise Unforeseen(step.name)
    known = places(state)
    names = sorted({kind for place in known.values() for kind in place.kinds})
    for one in kinds(where):
        if one.name not in names:
            label = hint(one.name, names)
            helps = (f"there are {', '.join(names)}",)
            told = f"no layer of the model is of kind `{one.name}`"
            raise Refusal(Diagnostic("E0501", told, one.span, label, help=helps))
    meant = frozenset(path for path, place in known.items() if where.holds(place))
    return evolve(step, selector=evolve(step.selector, places=meant))


def _sizes(where: Condition) -> bool:
    match where:
        case Joined(_, left, right):
            return _sizes(left) or _sizes(right)
        case Denied(inner):
            return _sizes(inner)
        case _:
            return isinstance(where, Measure) and where.name == "size"


def places(state: State) -> Mapping[str, Place]:
    """Every path of the model at which something is computed or stored, and what is there."""
    found: dict[str, Place] = {}
    for name, operation in state.net.graph.operations.items():
        payload = operation.payload
        path = payload.base.rpartition(".")[0] if payload else operation.path
        before = found.get(path, Place(path))
        if operation.name == PARAM:
            weight = state.weights[name]
            params, size = before.params + math.prod(weight.shape), before.size + stored_bytes(weight)
            found[path] = evolve(before, params=params, size=size)
        else:
            found[path] = evolve(before, kinds=before.kinds | {operation.name.split(".")[1]})
    return found
