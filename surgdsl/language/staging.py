"""Stages: a step that is done in several rounds becomes as many steps, each with its share and its recovery.

By the cubic schedule most goes early, while there is much to choose from: after round t of T, of the share that goes in
the end, 1 - (1 - t/T)³ is gone. Source: Zhu and Gupta 2017, equation 1, from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve

from surgdsl.diagnostic import hint
from surgdsl.language import tree
from surgdsl.language.composition import Arrow, Beside, Composition, Then, side_by_side, then
from surgdsl.language.fitting import whole
from surgdsl.language.program import StepDecl
from surgdsl.language.scope import Scope

SHAPES = {"cubic": 3, "linear": 1}
"""The exponent of each schedule."""
MOST = 100


def staged(scope: Scope, node: tree.Step, step: StepDecl) -> tuple[StepDecl, ...]:
    """``… in 5 stages cubic``: the rounds of `step`, called ``name.1`` and so on; itself where it has no stages."""
    if node.stages is None:
        return (step,)
    shape = node.stages.shape or tree.Word("cubic")
    count = whole(scope, node.stages.count, 1, MOST)
    keep = step.arguments.get("keep")
    if shape.text not in SHAPES:
        scope.refuse("E0101", f"unknown schedule `{shape}`", shape.span, hint(shape.text, SHAPES) or "expected cubic")
    if step.rule != "mask" or not isinstance(keep, Fraction):
        label = "a `mask` with a given `keep` is, since that is a share of all weights in every round"
        scope.refuse("E0408", f"`{step.rule}` is not carried out in stages in this version", node.stages.span, label)
    if count is None or shape.text not in SHAPES or not isinstance(keep, Fraction):
        return (step,)
    shares = (share(keep, turn, count, SHAPES[shape.text]) for turn in range(1, count + 1))
    return tuple(
        evolve(step, name=f"{step.name}.{turn}", arguments={**step.arguments, "keep": one})
        for turn, one in enumerate(shares, 1)
    )


def share(keep: Fraction, turn: int, count: int, exponent: int) -> Fraction:
    """What stays after round `turn` of `count`; the last one reaches `keep`.

    >>> [str(share(Fraction(1, 5), turn, 4, 3)) for turn in (1, 2, 3, 4)]
    ['43/80', '3/10', '17/80', '1/5']
    """
    return 1 - (1 - keep) * (1 - (1 - Fraction(turn, count)) ** exponent)


def composed(order: Composition, rounds: Mapping[str, tuple[StepDecl, ...]]) -> Composition:
    """`order` with the rounds of every step in the place of the step, one after the other."""
    match order:
        case Arrow(name):
            return (
                then(*(Arrow(one.name, span=order.span) for one in rounds.get(name, ()))) if name in rounds else order
            )
        case Then(stages):
            return then(*(composed(one, rounds) for one in stages))
        case Beside(parts):
            return side_by_side(*(composed(one, rounds) for one in parts))
