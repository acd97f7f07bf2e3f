"""Quantizing, resolved: which weights a step stores in few bits.

A weight that would take more bytes than before is left alone, and so is one that is quantized already.
"""

from __future__ import annotations

from surgdsl.bridge.encoding import stored_bytes
from surgdsl.bridge.weight import State
from surgdsl.diagram.payload import Dense, innermost
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import weights
from surgdsl.surgery.recode import Quantize, param


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One recoding for each meant weight that is not quantized and becomes smaller."""
    del known
    actions, left_alone = list[Quantize](), list[str]()
    for base in weights(step, state):
        weight = state.weights[param(state, base)]
        arguments = step.at(base).arguments
        bits, scheme = arguments["bits"], str(arguments["scheme"])
        assert isinstance(bits, int)
        action = Quantize(base, bits, scheme)
        if not isinstance(innermost(weight.encoding), Dense):
            left_alone.append(f"{base}: already quantized")
        elif not weight.bare and stored_bytes(action.recode(weight)) >= stored_bytes(weight):
            left_alone.append(
                f"{base}: its {'codebook' if scheme == 'kmeans' else 'scales'} would take more than is saved"
            )
        else:
            actions.append(action)
    return Resolved(tuple(actions), tuple(left_alone))
