"""Masking, resolved: from which weights a step leaves elements out, and how many stay in each.

Which ones they are is decided by the values at the moment of the step; how many is a matter of form alone.
"""

from __future__ import annotations

import math

from surgdsl.bridge.encoding import stored_count
from surgdsl.bridge.weight import State
from surgdsl.diagram.term import Made
from surgdsl.diagram.term import Mask as LargestOf
from surgdsl.language.functions import standard
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import ratio
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import weights
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import term_of


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One mask for each meant weight that stores more than is to stay."""
    actions, left_alone = list[Mask](), list[str]()
    judge = None if step.ranking in (None, standard("magnitude")) else known.rankings.judge(step)
    for base in weights(step, state):
        weight = state.weights[param(state, base)]
        size = math.prod(weight.shape)
        keep = max(1, math.ceil(ratio(step.at(base), "keep") * size))
        if judge is not None and not judge.fits(state, param(state, base)):
            left_alone.append(f"{base}: criterion {judge.criterion.name} does not speak of such weights")
        elif keep < (_most(state, base, size) if weight.bare else stored_count(weight)):
            actions.append(Mask(base, keep, size, None, judge))
        else:
            left_alone.append(f"{base}: no more than {keep} elements are stored already")
    return Resolved(tuple(actions), tuple(left_alone))


def _most(state: State, base: str, size: int) -> int:
    """How many elements of a bare weight are stored at most."""
    term = term_of(state.net.graph.operations[param(state, base)])
    while isinstance(term, Made) and len(term.reads) == 1:
        term = term.reads[0].term
    return term.keep if isinstance(term, LargestOf) else size
