"""Deciding: every value of every `choose` is planned, and the best candidate that keeps the counted promises is taken.

Plans change nothing and are exact in what is counted, so trying them all is honest; ties go to the first in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product

from attrs import evolve, frozen

from surgdsl.diagnostic import Diagnostic, Note, Refusal
from surgdsl.formula.fields import Undefined
from surgdsl.language.program import SurgeryDecl, Value, shown
from surgdsl.planning.allocation.allotting import allot
from surgdsl.planning.claims import value
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import Plan, plan

Told = Callable[[str, str], None]
Choice = Mapping[str, Mapping[str, Value]]
"""For each step that leaves something open, the value of each of its options."""

DECIDES = ("E0503", "E0504", "E0505", "E0508", "E0801")
"""Refusals that speak of the values which were tried; any other speaks of the file, and ends the search."""
FEW = 6


@frozen(eq=False)
class Candidate:
    """A choice, spelled; what it scores, or why it is none."""

    text: str
    plan: Plan | None
    score: Fraction | None
    refusal: Refusal | None = None

    @property
    def why(self) -> str:
        """The first reason against it."""
        if self.refusal is None:
            return "its figure is undefined"
        first = self.refusal.diagnostics[0]
        return first.label if first.code == "E0801" else first.message


def decide(opened: Opened, told: Told) -> Plan:
    """The plan of a surgery, its choices decided.

    Raises:
        Refusal: E0804 with exit code 3 where no candidate can be carried out and keeps what is promised; whatever
            planning refuses of every candidate.
    """
    goal = opened.surgery.objective
    if goal is not None and goal.damage:
        return allot(opened, told)
    choices = tuple(_choices(opened.surgery))
    if choices == ({},):
        return plan(opened)
    tried: list[Candidate] = []
    for number, choice in enumerate(choices, 1):
        told("planning", f"candidate {number}/{len(choices)}")
        tried.append(_tried(opened, choice))
    return _best(opened, tried)


def _choices(surgery: SurgeryDecl) -> Iterator[Choice]:
    """Every combination, the last step turning fastest, as the file lists the values."""
    names = [(step.name, name) for step in surgery.steps for name in step.options]
    for values in product(*(values for step in surgery.steps for values in step.options.values())):
        choice: dict[str, dict[str, Value]] = {}
        for (step, name), one in zip(names, values, strict=True):
            choice.setdefault(step, {})[name] = one
        yield choice


def _tried(opened: Opened, choice: Choice) -> Candidate:
    text = ", ".join(f"{step}.{name} = {shown(one)}" for step, values in choice.items() for name, one in values.items())
    steps = tuple(one.decided(choice.get(one.name, {})) for one in opened.surgery.steps)
    try:
        made = plan(evolve(opened, surgery=evolve(opened.surgery, steps=steps)))
    except Refusal as refusal:
        if any(one.code not in DECIDES for one in refusal.diagnostics):
            raise
        return Candidate(text, None, None, refusal)
    return Candidate(text, made, _score(opened.surgery, made))


def _score(surgery: SurgeryDecl, made: Plan) -> Fraction | None:
    """What the file says to make small, with its sign turned where that is to be large; stored bytes by default."""
    if surgery.objective is None or surgery.objective.expr is None:
        return Fraction(made.after["size/1"])
    try:
        found = value(surgery.objective.expr, made.before, made.after)
    except Undefined:
        return None
    return -found if surgery.objective.largest else found


def _best(opened: Opened, tried: list[Candidate]) -> Plan:
    goal = opened.surgery.objective
    ranked = [(one.score, at) for at, one in enumerate(tried) if one.score is not None]
    if not ranked:
        _all_alike(tried)
        notes = tuple(Note(None, f"{one.text}: {one.why}") for one in tried[:FEW])
        more = (f"and {len(tried) - FEW} more",) if len(tried) > FEW else ()
        told = f"none of the {len(tried)} candidates of `{opened.surgery.name}` can be taken"
        raise Refusal(Diagnostic("E0804", told, opened.surgery.span, notes=notes, help=more), exit_code=3)
    best = tried[min(ranked)[1]]
    assert best.plan is not None
    by = f"{'maximize' if goal.largest else 'minimize'} {goal.text}" if goal else "minimize size(after)"
    return evolve(best.plan, chosen=f"{best.text}    best of {len(tried)} by {by}, {len(ranked)} of them feasible")


def _all_alike(tried: list[Candidate]) -> None:
    """Refuse what every candidate is refused for in the same words: that is no matter of values.

    Raises:
        Refusal: the one that all have in common.
    """
    reasons = {one.refusal and one.refusal.diagnostics for one in tried}
    first = tried[0].refusal
    if len(reasons) == 1 and first is not None and all(one.code != "E0801" for one in first.diagnostics):
        raise first
