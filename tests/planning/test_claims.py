"""Counted promises: exact arithmetic, every relation, and a division by zero that keeps nothing."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.language.claim import Apply, Counted, Metric, Number
from surgdsl.planning.claims import RELATIONS, holds, shown, value

BEFORE, AFTER = {"params/1": 1000, "size/1": 4000}, {"params/1": 300, "size/1": 0}
NUMBERS = st.fractions(max_denominator=50)
ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
}


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(ARITHMETIC)))
def test_values_are_exact(left: Fraction, right: Fraction, name: str) -> None:
    assert value(Apply(name, (Number(left), Number(right))), BEFORE, AFTER) == ARITHMETIC[name](left, right)


@given(NUMBERS, NUMBERS)
def test_relations_are_those_of_numbers(left: Fraction, right: Fraction) -> None:
    found = {name: holds(Counted(Number(left), name, Number(right)), BEFORE, AFTER) for name in RELATIONS}
    assert found == {"<=": left <= right, "<": left < right, ">=": left >= right, ">": left > right}


def test_metrics_are_read_at_their_side() -> None:
    assert value(Metric("params", "before"), BEFORE, AFTER) == 1000
    assert value(Metric("params", "after"), BEFORE, AFTER) == 300
    claim = Counted(
        Metric("params", "after"), "<=", Apply("mul", (Number(Fraction(3, 10)), Metric("params", "before")))
    )
    assert holds(claim, BEFORE, AFTER)
    assert shown(claim, BEFORE, AFTER) == "300 <= 300 holds"


def test_what_does_not_hold_says_by_how_much() -> None:
    claim = Counted(Metric("params", "after"), "<", Apply("div", (Metric("params", "before"), Number(Fraction(7)))))
    assert shown(claim, BEFORE, AFTER) == "300 < 142.857 does not hold"


@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_a_division_by_zero_keeps_no_promise(relation: str) -> None:
    ratio = Apply("div", (Metric("params", "after"), Metric("size", "after")))
    claim = Counted(ratio, relation, Number(Fraction(1)))
    assert not holds(claim, BEFORE, AFTER)
    assert shown(claim, BEFORE, AFTER) == "a division by zero"
