"""Rewrites: one step of surgery as it was done, the pushout with the weights that follow it.

The families of this room say what R is and what its weights are; forming the rule, the match and the square is the
same for all and done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from surgdsl.bridge.paging import Scratch, release
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.payload import Payload
from surgdsl.diagram.pushout import Step, apply
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Term


@frozen(slots=False, eq=False)
class Rewrite:
    """A step that was done: by which rule, for which declared step, on what, and with what result."""

    rule: str
    """The identifier of the schema, for example ``prune-channels/1``."""
    step: str
    kind: str
    """``reduce`` or ``neutral``."""
    reduces: str | None
    arguments: Mapping[str, Any]
    """As the certificate has them, but wires are named as in the rule."""
    note: str
    derivation: Step
    before: State
    after: State


@frozen(slots=False, eq=False)
class Replacement:
    """What a family asks for: L and K by the host's own names, R∖K by new ones, and the weights of created params."""

    left: Hypergraph
    glue: Hypergraph
    wires: Mapping[str, Sort]
    operations: Mapping[str, Operation]
    weights: Mapping[str, Weight] = field(factory=dict[str, Weight])


def created(name: str) -> str:
    """The name in R of what takes the place of `name`."""
    return f"{name}+"


def replace(state: State, rule: str, asked: Replacement, number: int) -> tuple[Step, State]:
    """Form the span, match it where it was read off, and take the pushout; the weights go along.

    Args:
        state: the net G and its weights.
        rule: the identifier of the schema.
        asked: L, K and R∖K. L lies in G under its own names, so the match is an inclusion.
        number: the index of the rewrite; new items are called ``s{number}.k``.

    Raises:
        NoPushout: with every reason why the step cannot be.
    """
    right = Hypergraph({**asked.glue.wires, **asked.wires}, {**asked.glue.operations, **asked.operations})
    span = Rule(rule, asked.left, asked.glue, right)
    match = Match(
        span, state.net, {wire: wire for wire in asked.left.wires}, {name: name for name in asked.left.operations}
    )
    step = apply(match, f"s{number}")
    weights = dict(state.weights)
    for name in span.deleted.operations:
        weights.pop(name, None)
    weights |= {step.comatch_operations[name]: weight for name, weight in asked.weights.items()}
    return step, State(step.result, weights)


def laid(rewrite: Rewrite, scratch: Scratch) -> Rewrite:
    """The rewrite with the large tensors that it made moved to the disk, and those that it read given back to it."""
    for name in rewrite.derivation.match.operations.values():
        for part in rewrite.before.weights[name].parts.values() if name in rewrite.before.weights else ():
            release(part)
    made = {
        name: scratch.moved(weight)
        for name in rewrite.derivation.comatch_operations.values()
        if (weight := rewrite.after.weights.get(name)) is not None
    }
    if all(weight is rewrite.after.weights[name] for name, weight in made.items()):
        return rewrite
    return evolve(rewrite, after=evolve(rewrite.after, weights={**rewrite.after.weights, **made}))


def around(state: State, names: tuple[str, ...]) -> Hypergraph:
    """The sub-hypergraph of some operations with all their wires, in the order of the net."""
    operations = {name: state.net.graph.operations[name] for name in names}
    ports = dict.fromkeys(wire for operation in operations.values() for wire in operation.sources + operation.targets)
    return Hypergraph({wire: state.net.sort(wire) for wire in ports}, operations)


def rewritten_param(state: State, name: str, weight: Weight, term: Term) -> Replacement:
    """The replacement of one weight by another on the same wire, which `term` says where it is from."""
    return rewritten_params(state, {name: (weight, term)})


def rewritten_params(state: State, news: Mapping[str, tuple[Weight, Term]]) -> Replacement:
    """The replacement of some weights by others on the same wires, in the order given."""
    left = around(state, tuple(news))
    operations = {
        created(name): evolve(operation, payload=derived(operation, *news[name]))
        for name, operation in left.operations.items()
    }
    return Replacement(
        left, Hypergraph(left.wires), {}, operations, {created(name): weight for name, (weight, _) in news.items()}
    )


def derived(operation: Operation, weight: Weight, term: Term) -> Payload:
    """The payload of the weight that takes the place of `operation`'s, made as `term` says."""
    assert operation.payload is not None
    return evolve(operation.payload, encoding=weight.encoding, term=term)


def term_of(operation: Operation) -> Term:
    """Where the weight of an operation comes from."""
    assert operation.payload is not None
    return operation.payload.term


def layers(state: State) -> Mapping[str, tuple[str, ...]]:
    """Matrix-like parameters that a user means by naming a layer: path → params, in the order of the net."""
    found: dict[str, list[str]] = {}
    for name, operation in state.net.params().items():
        payload = operation.payload
        if operation.name == PARAM and payload and payload.role == "parameter" and len(state.weights[name].shape) >= 2:
            found.setdefault(payload.base.rpartition(".")[0], []).append(name)
    return {path: tuple(names) for path, names in found.items()}
