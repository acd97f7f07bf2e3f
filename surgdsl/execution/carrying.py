"""Carrying out: the actions of a plan, one rewrite after the other, with recovery where the file asks for it.

Indices that a plan chose stay chosen; masks and codebooks are of the weights as they are when their step comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from attrs import frozen

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.execution.ahead import LEAST, ahead
from surgdsl.language.program import Recover
from surgdsl.planning.action import Action
from surgdsl.planning.plan import Plan, Planned
from surgdsl.planning.pointing import pointing
from surgdsl.recovery.schedule import change, schedule
from surgdsl.recovery.tuning import RULE as RECOVER
from surgdsl.recovery.tuning import recover
from surgdsl.surgery.rewrite import Rewrite, laid

Told = Callable[[str, str], None]
"""Progress: a stage, and a detail of it."""

AFTER_ALL = "recover"
"""The step name of a recovery that heals the whole surgery."""


@frozen(eq=False)
class Carried:
    """The rewrites that were done, and the state that they led to."""

    rewrites: tuple[Rewrite, ...]
    final: State


def carry(plan: Plan, told: Told, threads: int = 1, least: int = LEAST) -> Carried:
    """Do every step of the plan, in order; with several threads the large weights of a layer are made side by side.

    Raises:
        Refusal: E0720 there are too few rows to train on, E0803 (exit 3) a recovery diverged.
    """
    state, done = plan.opened.start, list[Rewrite]()
    with ahead(threads, least) as computed:
        for planned in plan.steps:
            name, before = planned.declared.name, state
            computed.begin(_beside(plan, planned), state)
            for number, action in enumerate(planned.actions, 1):
                heard = partial(_heard, told, f"step {name}", f"{number}/{len(planned.actions)}")
                heard(action.note)
                with pointing(planned.declared.span):
                    made = computed.done(action).rewrites(state, len(done), name, heard)
                    done += (laid(one, plan.opened.scratch) for one in made)
                state = done[-1].after
            if planned.recover:
                state = _recovered(plan, planned.recover, before, state, name, done, told)
    if plan.opened.surgery.recover:
        state = _recovered(plan, plan.opened.surgery.recover, plan.opened.start, state, AFTER_ALL, done, told)
    return Carried(tuple(done), state)


def _heard(told: Told, stage: str, counted: str, detail: str) -> None:
    told(stage, f"{counted} {detail}")


def _beside(plan: Plan, planned: Planned) -> list[Action]:
    """What a step does, and what the later steps of its layer do."""
    layer = next(layer for layer in plan.ordering.layers if planned.declared.name in layer)
    rest = plan.steps[plan.steps.index(planned) :]
    return [action for one in rest if one.declared.name in layer for action in one.actions]


def _recovered(
    plan: Plan, asked: Recover, before: State, state: State, step: str, done: list[Rewrite], told: Told
) -> State:
    rows = plan.opened.rows(asked.data)
    delta = change(before, state).relative
    wanted, rate = schedule(delta, asked, len(rows), plan.opened.surgery.seed)
    if min(len(rows), wanted.batch) < 2:
        why = "one row has no statistics: a batch takes two or more"
        raise Refusal(Diagnostic("E0720", f"`{asked.data}` cannot be trained on so", asked.span, why))

    stage = f"recovering {'at the end' if step == AFTER_ALL else step}"

    def heard(epoch: int, epochs: int, loss: float) -> None:
        told(stage, f"epoch {epoch}/{epochs}, loss {loss:.4f}")

    told(stage, "")
    with pointing(asked.span):
        rewrite = recover(state, rows, wanted, (delta, rate), len(done), step, plan.opened.start, heard)
    if rewrite is None:
        return state
    done.append(rewrite)
    return rewrite.after


def obligations(plan: Plan, rewrites: Sequence[Rewrite]) -> tuple[tuple[str, str], ...]:
    """(step, rule) in the order in which the file asks for them, recovery in rows of its own."""
    rows: list[tuple[str, str]] = []
    for planned in plan.steps:
        name = planned.declared.name
        rules = (rewrite.rule for rewrite in rewrites if rewrite.step == name and rewrite.rule != RECOVER)
        rows += [(name, rule) for rule, _ in groupby(rules)]
        if planned.recover:
            rows.append((name, RECOVER))
    if plan.opened.surgery.recover:
        rows.append((AFTER_ALL, RECOVER))
    return tuple(rows)
