"""Rehearsing: what a step does to the net, to encodings and to provenance, without one value being read.

So steps can be tried in one order and in the other before anything is done. Where a value decides whether a weight is
recoded at all, it is taken to be: the term then says what might be there, and equal terms still mean equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.bridge.weight import State
from surgdsl.diagram.hashing import plan_hash
from surgdsl.diagram.item import Item, items
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.pushout import Step
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Action
from surgdsl.planning.known import Known
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.resolving import resolve
from surgdsl.recovery.tuning import trained
from surgdsl.surgery.prune import Cutting, Prune

FLOATS = ("F64", "F32", "F16", "BF16")
"""What training moves."""


@frozen(eq=False)
class Stage:
    """A state with bare weights, the kept indices of the start's axes, and how many rewrites led to it."""

    state: State
    kept: Mapping[str, tuple[int, ...]] = field(factory=dict[str, tuple[int, ...]])
    number: int = 0


@frozen(eq=False)
class Rehearsal:
    """The stage after a step; what it did; which items of the stage before it deletes and which it reads and keeps."""

    after: Stage
    did: tuple[object, ...]
    deletes: frozenset[Item]
    reads: frozenset[Item]

    @property
    def touches(self) -> frozenset[Item]:
        """What it deletes or reads."""
        return self.deletes | self.reads


def opening_stage(state: State) -> Stage:
    """The start, without its values."""
    return Stage(State(state.net, {name: evolve(weight, parts={}) for name, weight in state.weights.items()}))


def rehearse(rankings: Rankings, step: StepDecl, stage: Stage) -> Rehearsal:
    """Do `step` without values.

    Raises:
        Refusal: the step has nothing to do here.
        NoPushout: it cannot be done here.
        Unforeseen: what it does depends on values.
    """
    known = Known(rankings, dict(stage.kept))
    actions = resolve(step, stage.state, known).actions
    state, steps = _done(actions, stage, step.name, rankings)
    here = items(stage.state.net.graph.wires, stage.state.net.graph.operations)
    deletes = frozenset[Item]().union(*(one.match.deletes for one in steps)) & here
    reads = frozenset[Item]().union(*(one.match.reads for one in steps)) & here - deletes
    if step.recover is not None:
        every = items((), stage.state.net.params())
        state, deletes, reads = _trained(state, step), deletes | every, here - deletes - every
    after = Stage(state, known.kept, stage.number + max(len(steps), len(actions)))
    return Rehearsal(after, tuple(map(_intent, actions)), deletes, reads)


def _intent(action: Action) -> object:
    """What an action does, wherever it does it: another step may take tensors out of an axis, but not positions."""
    return (action.axis, action.size, action.keep) if isinstance(action, Prune) else action


def _done(actions: Sequence[Action], stage: Stage, step: str, rankings: Rankings) -> tuple[State, list[Step]]:
    """The actions one after the other; cuts of several axes at once, which comes to the same."""
    cuts = [one for one in actions if isinstance(one, Prune)]
    if len(cuts) == len(actions):
        coupling = rankings.coupled(stage.state.net)
        keep = {one.found(coupling): np.array(one.keep, dtype=np.intp) for one in cuts}
        done, state = Cutting(stage.state, coupling, keep).carry_out(stage.number)
        return state, [done]
    state, steps = stage.state, list[Step]()
    for action in actions:
        for rewrite in action.foresee(state, stage.number + len(steps), step):
            steps.append(rewrite.derivation)
            state = rewrite.after
    return state, steps


def _trained(state: State, step: StepDecl) -> State:
    """The state with every weight moved by a training that reads all of them."""
    run = f"{step.recover!r} after {plan_hash(state.net)}"
    operations = {
        name: _moved(operation, run) if name in state.weights and state.weights[name].dtype in FLOATS else operation
        for name, operation in state.net.graph.operations.items()
    }
    return evolve(state, net=evolve(state.net, graph=evolve(state.net.graph, operations=operations)))


def _moved(operation: Operation, run: str) -> Operation:
    payload = operation.payload
    assert payload is not None
    return evolve(operation, payload=evolve(payload, term=trained(payload.term, run)))
