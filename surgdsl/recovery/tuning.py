"""Tuning: fine-tuning as a rewrite, so that it stands in the derivation with everything else.

L is every weight that training moved, K their wires, R the tuned ones in the same encodings. Neutral: it changes no
count, and it is opaque: what it did to the values can be measured and not derived.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from surgdsl.bridge.running import Schedule, answers, tune
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagram.hashing import plan_hash
from surgdsl.diagram.term import Term, along, made
from surgdsl.surgery.rewrite import Rewrite, replace, rewritten_params, term_of

RULE = "recover/1"


def recover(
    state: State,
    rows: Rows,
    plan: Schedule,
    exact: tuple[Fraction, Fraction],
    number: int,
    step: str,
    teacher: State,
    progress: Callable[[int, int, float], None] | None = None,
) -> Rewrite | None:
    """Train and put the tuned weights in place; None where training moved nothing.

    Args:
        state: the net and its weights.
        rows: what to train on.
        plan: the schedule.
        exact: the relative change that asked for it, and the rate, as they are stated in the certificate.
        number: the index of the rewrite.
        step: the declared step that it heals.
        teacher: the model before surgery, whose answers are learnt from beside the labels.
        progress: told epoch, epochs and loss.
    """
    tuned = tune(state, rows, plan, answers(teacher, rows), progress)
    moved = {name: weight for name, weight in tuned.weights.items() if _differs(weight, state.weights[name])}
    if not moved:
        return None
    run = f"{rows.name} {plan!r} after {plan_hash(state.net)}"
    operations = state.net.graph.operations
    asked = rewritten_params(
        state, {name: (moved[name], trained(term_of(operations[name]), run)) for name in operations if name in moved}
    )
    derivation, after = replace(state, RULE, asked, number)
    change, rate = exact
    arguments = {
        "data": rows.name, "epochs": str(plan.epochs), "batch": str(plan.batch), "seed": str(plan.seed),
        "rate": str(rate), "change": str(change),
    }  # fmt: skip
    note = f"{plan.epochs} epochs on {rows.name}, rate {float(rate):.3g}, change {float(change):.1%}"
    return Rewrite(RULE, step, "neutral", None, arguments, note, derivation, state, after)


def trained(term: Term, run: str) -> Term:
    """Where a weight comes from that a training moved.

    Training reads the whole model, so it is told which run it was and not what it read: no slice sinks below it.
    """
    return made(RULE, (along(term),), {"run": run})


def _differs(new: Weight, old: Weight) -> bool:
    return any(not np.array_equal(part, old.parts[role]) for role, part in new.parts.items())
