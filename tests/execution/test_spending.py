"""Budgets: time and memory are asked at every stage, and end a run that has spent them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.execution.spending import check, peak, watched
from surgdsl.language import Budget

HOUR, MIB = Fraction(3600), Fraction(2**20)


@pytest.mark.parametrize(
    ("budget", "seconds", "held", "kept"),
    [
        (Budget(), 1e9, 2**60, True),
        (Budget(wall=HOUR), 3600.0, 2**60, True),
        (Budget(wall=HOUR), 3600.1, 0, False),
        (Budget(memory=MIB), 1e9, 2**20, True),
        (Budget(memory=MIB), 0.0, 2**20 + 1, False),
    ],
)
def test_what_is_within_the_budget_goes_on(budget: Budget, seconds: float, held: int, kept: bool) -> None:
    if kept:
        return check(budget, seconds, held, "training")
    with pytest.raises(Refusal, match="E0805 the budget is spent before this stage: training") as refused:
        check(budget, seconds, held, "training")
    assert refused.value.exit_code == 3
    return None


def test_every_stage_is_asked_and_told() -> None:
    told: list[str] = []
    say = watched(Budget(memory=Fraction(2 * peak() + 2**30)), lambda stage, _: told.append(stage))
    say("planning", "")
    assert told == ["planning"]
    with pytest.raises(Refusal, match="E0805"):
        watched(Budget(memory=Fraction(1)), lambda stage, _: told.append(stage))("training", "")
    assert told == ["planning"]
