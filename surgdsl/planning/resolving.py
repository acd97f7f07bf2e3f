"""Resolving: a step of the file and a net become actions.

A selector that means nothing is refused with the nearest places that exist; one that means only what cannot be changed
is refused with the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from surgdsl.bridge.weight import State
from surgdsl.language.program import StepDecl
from surgdsl.planning import activations, correcting, declared, factoring, masking, pruning, quantizing, recalibrating
from surgdsl.planning.action import Resolved
from surgdsl.planning.known import Known
from surgdsl.planning.placing import placed
from surgdsl.planning.selecting import idle

FAMILIES: Mapping[str, Callable[[StepDecl, State, Known], Resolved]] = {
    "prune_channels": pruning.resolve,
    "mask": masking.resolve,
    "quantize": quantizing.resolve,
    "low_rank": factoring.resolve,
    "quantize_activations": activations.resolve,
    "recalibrate": recalibrating.resolve,
    "correct_bias": correcting.resolve,
}
"""How the steps of each rule that Python implements are resolved."""


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """The actions of `step` on `state`. Bare weights will do, if whatever may be done is to be taken for done.

    Raises:
        Refusal: E0501 the selector means no place, E0503 it means only what an interface holds, E0504 it means
            nothing that the step can change.
        Unforeseen: the weights are bare, and what the step does depends on their values.
    """
    step = placed(step, state)
    found = (declared.resolve if step.schemas else FAMILIES[step.rule])(step, state, known)
    if not found.actions:
        raise idle(step, found.left_alone)
    return found
