"""Stages: the rounds of a step, their shares, and where they stand in an order."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagnostic import Source
from surgdsl.language import program
from surgdsl.language.staging import MOST, SHAPES, share

TEXT = """surg 1
use std.rules.{mask, quantize}
data rows { source = python("net:rows") }
model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }
surgery slim on net {
  step code = apply quantize(bits = 4bit) @b
  step last = apply mask(keep = 50%) @c
  step thin = apply mask(keep = 20%) @a in 3 stages cubic then recover { data = rows }
  order (thin | last) >> code
}
"""


def test_the_rounds_stand_where_the_step_stood() -> None:
    made = program(Source("slim.surg", TEXT)).surgeries[0]
    assert [one.name for one in made.steps] == ["last", "thin.1", "thin.2", "thin.3", "code"]
    assert str(made.order) == "(thin.1 >> thin.2 >> thin.3 | last) >> code"
    assert [one.recover is not None for one in made.steps] == [False, True, True, True, False]
    assert [made.steps[at].arguments["keep"] for at in (1, 2, 3)] == [
        Fraction(59, 135),
        Fraction(31, 135),
        Fraction(1, 5),
    ]


@given(st.fractions(0, 1), st.integers(1, MOST), st.sampled_from(sorted(SHAPES.values())))
def test_the_last_round_reaches_the_share_and_none_gives_back(keep: Fraction, count: int, exponent: int) -> None:
    shares = [share(keep, turn, count, exponent) for turn in range(1, count + 1)]
    assert shares[-1] == keep
    assert sorted(shares, reverse=True) == shares
    assert all(keep <= one <= 1 for one in shares)


@given(st.fractions(0, 1), st.integers(2, MOST))
def test_most_goes_early_by_the_cubic_schedule(keep: Fraction, count: int) -> None:
    gone = [1 - share(keep, turn, count, SHAPES["cubic"]) for turn in range(count + 1)]
    rounds = [after - before for before, after in pairwise(gone)]
    assert sorted(rounds, reverse=True) == rounds
