"""Plans: the steps of a surgery resolved and tried on the net, with what each is predicted to save.

Counted metrics depend on shapes and encodings alone, so the prediction for them is exact, and a promise that cannot be
kept is refused here, before anything is trained. Accuracy is not predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from surgdsl.bridge.paging import Scratch
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Note, Refusal
from surgdsl.diagram.pushout import NoPushout
from surgdsl.language.claim import Counted, Require
from surgdsl.language.program import Recover, StepDecl
from surgdsl.metrics import count, ones
from surgdsl.planning.action import Action
from surgdsl.planning.allocation.allocation import Allocation
from surgdsl.planning.claims import asks, holds, shown
from surgdsl.planning.disorder import check_order
from surgdsl.planning.known import Known
from surgdsl.planning.opening import Opened
from surgdsl.planning.ordering import Ordering, ordering
from surgdsl.planning.pointing import pointing
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.resolving import resolve
from surgdsl.surgery.rewrite import laid

Counts = Mapping[str, int]


@frozen(eq=False)
class Planned:
    """A step with its actions, what is left alone and why, the metrics around it (recovery can move only nnz).

    `rewrites` is how many it takes, recovery aside.
    """

    declared: StepDecl
    actions: tuple[Action, ...]
    left_alone: tuple[str, ...]
    before: Counts
    after: Counts
    rewrites: int

    @property
    def recover(self) -> Recover | None:
        """The recovery that rides on the step."""
        return self.declared.recover


@frozen(eq=False)
class Plan:
    """A surgery, ready to be carried out."""

    opened: Opened
    steps: tuple[Planned, ...]
    ordering: Ordering
    chosen: str = ""
    """What was left open and how it was decided, for people."""
    allocation: Allocation | None = None
    """What was decided place by place."""

    @property
    def before(self) -> Counts:
        """The metrics of the input."""
        return self.steps[0].before

    @property
    def after(self) -> Counts:
        """The metrics of the result."""
        return self.steps[-1].after


def plan(opened: Opened) -> Plan:
    """Resolve every step on the result of the ones before, without training.

    Raises:
        Refusal: E05xx where a step cannot be or its order is not clear, E0801 (exit 3) where a counted promise would
            not hold.
    """
    assert not any(one.options for one in opened.surgery.steps), "what is left open is decided before"
    rankings = Rankings(opened)
    order = ordering(opened.surgery, rankings)
    check_order(opened.surgery, order)
    known, state, number = Known(rankings), opened.start, 0
    with pointing(opened.program.model(opened.surgery.model).source.span):
        counts = count(state.net, state.weights, ones(state.net))
    steps: list[Planned] = []
    for declared in opened.surgery.steps:
        before = counts
        with pointing(declared.span):
            found = resolve(declared, state, known)
            first = number
            for action in found.actions:
                state, number = _tried(declared, action, state, number, opened.scratch)
        counts = count(state.net, state.weights, ones(state.net))
        steps.append(Planned(declared, found.actions, found.left_alone, before, counts, number - first))
    made = Plan(opened, tuple(steps), order)
    promises = (*opened.surgery.requires, *opened.surgery.targets)
    check_counted([one for one in promises if not _later(one)], made.before, made.after)
    return made


def _later(promise: Require) -> bool:
    """Whether only the result can tell: it rests on somebody else's Python."""
    return isinstance(promise.claim, Counted) and asks(promise.claim)


def _tried(declared: StepDecl, action: Action, state: State, number: int, scratch: Scratch) -> tuple[State, int]:
    """The state after an action, foreseen, and the number of the rewrite that comes next."""
    try:
        for rewrite in action.foresee(state, number, declared.name):
            state, number = laid(rewrite, scratch).after, number + 1
    except NoPushout as refused:
        notes = tuple(Note(None, str(fault)) for fault in refused.faults)
        told = f"step `{declared.name}` cannot be done: {action.note}"
        raise Refusal(Diagnostic("E0508", told, declared.span, notes=notes)) from refused
    return state, number


def check_counted(promises: Sequence[Require], before: Counts, after: Counts) -> None:
    """Refuse what would break a counted promise, with the best that is reached.

    Asked of a plan, and again of the result: training can make a weight zero, or a zero a weight, so nnz is only nearly
    foreseen.

    Raises:
        Refusal: E0801 with exit code 3, one diagnostic for each promise.
    """
    broken = [
        Diagnostic(
            "E0801",
            "this cannot be met by the steps of the plan",
            one.span,
            f"best reached: {shown(one.claim, before, after)}",
        )
        for one in promises
        if isinstance(one.claim, Counted) and not holds(one.claim, before, after)
    ]
    if broken:
        raise Refusal(*broken, exit_code=3)
