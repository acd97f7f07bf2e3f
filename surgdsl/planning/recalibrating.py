"""Recalibrating, resolved: which batch norms have their statistics measured anew."""

from __future__ import annotations

from functools import partial

from surgdsl.bridge.moments import NORM
from surgdsl.bridge.weight import State
from surgdsl.diagram.payload import Dense
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import data
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import selected
from surgdsl.rules.ground import FLOATING
from surgdsl.surgery.recalibrate import Recalibrate, statistics


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One action for all meant batch norms that have statistics of their own."""
    operations = state.net.graph.operations
    found = {name: one for name, one in operations.items() if one.name == NORM}
    meant = selected(step, (one.path for one in found.values()))
    bases, left_alone = list[str](), list[str]()
    for name, one in found.items():
        if one.path not in meant:
            continue
        pair = statistics(state.net, name)
        if pair is None:
            left_alone.append(f"{one.path}: it has no statistics of its own")
        elif any(state.weights[each].encoding != Dense() or state.weights[each].dtype not in FLOATING for each in pair):
            left_alone.append(f"{one.path}: its statistics are not stored as plain floats")
        elif (payload := operations[pair[0]].payload) is not None:
            bases.append(payload.base)
    if not bases:
        return Resolved((), tuple(left_alone or ["there is no batch norm"]))
    rows = data(step)
    action = Recalibrate(tuple(bases), rows, partial(known.rankings.opened.rows, rows))
    return Resolved((action,), tuple(left_alone))
