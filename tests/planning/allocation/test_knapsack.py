"""Knapsacks: what is found equals trying everything, a bound is one, and nothing else than the best is called exact."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.planning.allocation import programming
from surgdsl.planning.allocation.knapsack import Choices, Infeasible, Optimum, hull, relax, solve
from surgdsl.planning.allocation.programming import Program

SIZES = st.sampled_from([3, 40, 10**6, 2**40])


@st.composite
def choices(draw: st.DrawFn, layers: int = 6, options: int = 4) -> Choices:
    """Random classes; numbers of one magnitude, small ones so that there are ties."""
    count, size = draw(st.integers(1, layers)), draw(SIZES)
    widths = [draw(st.integers(1, options)) for _ in range(count)]
    costs = tuple(tuple(draw(st.integers(0, size)) for _ in range(width)) for width in widths)
    loads = tuple(tuple(draw(st.integers(0, size)) for _ in range(width)) for width in widths)
    return Choices(costs, loads, draw(st.integers(0, size * count)))


def brute(one: Choices) -> tuple[int, int] | None:
    """The least cost of all, and the least load at that cost."""
    every = product(*(range(len(row)) for row in one.costs))
    return min(((one.cost(picks), one.load(picks)) for picks in every if one.load(picks) <= one.limit), default=None)


def found(one: Choices) -> Optimum | None:
    try:
        return solve(one)
    except Infeasible:
        return None


@given(choices())
@settings(max_examples=300, deadline=None)
def test_what_is_found_is_the_least_of_all(one: Choices) -> None:
    best, made = brute(one), found(one)
    assert (best is None) == (made is None)
    if made is not None:
        assert best == (made.cost, one.load(made.picks))
        assert made.gap == 0


def eight_by_four(seed: int) -> Choices:
    """Eight layers of four widths, as bits are: what is lost falls by about a factor of four a bit."""
    draw = np.random.default_rng(seed)
    sizes = draw.integers(1_000, 3_000_000, 8)
    weights = draw.lognormal(0, 2, 8)
    loads = tuple(tuple(int(size) * bits // 8 + 4 * 2**bits for bits in (2, 3, 4, 8)) for size in sizes)
    costs = tuple(tuple(int(1e12 * one * 4.0**-bits) for bits in (2, 3, 4, 8)) for one in weights)
    low, high = sum(map(min, loads)), sum(map(max, loads))
    return Choices(costs, loads, int(low + draw.uniform(0.05, 0.9) * (high - low)))


@pytest.mark.parametrize("seed", range(4))
def test_eight_layers_of_four_widths_equal_all_65536_choices(seed: int) -> None:
    one = eight_by_four(seed)
    made = solve(one)
    assert brute(one) == (made.cost, one.load(made.picks))


@pytest.mark.parametrize("seed", range(12))
def test_it_is_never_worse_than_uniform_or_greedy(seed: int) -> None:
    one = eight_by_four(seed)
    rivals = [tuple(at for _ in one.costs) for at in range(4)]
    uniform = [one.cost(picks) for picks in rivals if one.load(picks) <= one.limit]
    assert solve(one).cost <= min([one.cost(relax(one).greedy), *uniform])


@given(choices())
@settings(max_examples=100, deadline=None)
def test_the_relaxation_is_a_bound(one: Choices) -> None:
    best = brute(one)
    if best is not None:
        relaxed = relax(one)
        assert relaxed.bound <= best[0]
        assert one.load(relaxed.greedy) <= one.limit


def test_where_too_few_may_be_held_the_gap_is_told() -> None:
    draw = np.random.default_rng(3)
    loads = tuple(tuple(int(one) for one in draw.integers(1, 10**6, 5)) for _ in range(30))
    costs = tuple(tuple(10**6 - one for one in row) for row in loads)
    one = Choices(costs, loads, sum(map(min, loads)) * 2)
    made = solve(one, states=2)
    assert one.load(made.picks) <= one.limit
    assert made.bound <= solve(one).cost <= made.cost
    assert made.gap == Fraction(made.cost - made.bound, made.cost)


def test_equals_are_decided_by_their_load_and_then_by_their_place() -> None:
    assert solve(Choices(((1, 1, 1),), ((5, 3, 3),), 9)).picks == (1,)


def test_what_cannot_be_kept_says_the_least_that_can_be_reached() -> None:
    with pytest.raises(Infeasible) as none:
        solve(Choices(((0, 1), (0, 1)), ((7, 5), (9, 6)), 10))
    assert none.value.least == 11


def test_a_hull_has_no_corner_above_the_line_between_its_neighbours() -> None:
    assert hull((8, 5, 4, 0), (0, 1, 2, 3)) == (0, 1, 3)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Random classes under two limits."""
    one, other = draw(choices(4, 3)), draw(st.integers(0, 10**6))
    second = tuple(tuple(draw(st.integers(0, 10**6)) for _ in row) for row in one.costs)
    return Program(one.costs, (one.loads, second), (one.limit, other * 2))


@given(programs())
@settings(max_examples=60, deadline=None)
def test_under_several_limits_too_it_is_the_least_of_all(one: Program) -> None:
    every = [picks for picks in product(*(range(len(row)) for row in one.costs)) if one.keeps(picks)]
    costs = [sum(row[pick] for row, pick in zip(one.costs, picks, strict=True)) for picks in every]
    if not every:
        with pytest.raises(Infeasible):
            programming.solve(one)
        return
    made = programming.solve(one)
    assert one.keeps(made.picks)
    assert made.cost - min(costs) <= 1e-9 * max(costs)
    assert made.bound <= min(costs) * (1 + Fraction(1, 10**6)) + 1
