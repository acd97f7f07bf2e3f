"""How figures are told: no rounding that flatters, no list that floods."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surgdsl.report.figures import amount, ranges, share, table


def unfolded(text: str) -> list[int]:
    found: list[int] = []
    for run in text.split():
        low, _, high = run.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


@given(st.sets(st.integers(0, 200)))
def test_ranges_name_every_position_once(positions: set[int]) -> None:
    rising = sorted(positions)
    assert unfolded(ranges(rising, limit=300)) == rising


def test_a_long_list_says_how_much_is_left_out() -> None:
    assert ranges(range(0, 40, 2), limit=3) == "0 2 4 … 17 more"


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_share_has_the_sign_of_the_change(before: int, after: int) -> None:
    told = share(after, before)
    assert (told == "=") == (before == after)
    assert after >= before or told.startswith("-")
    assert after <= before or told.startswith("+")


@given(st.integers(0, 2**45))
def test_sizes_are_near_what_they_say(size: int) -> None:
    number, unit = amount("size/1", size).split()
    told = float(number.replace(",", "")) * {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]
    assert abs(told - size) <= max(1, size) * 0.051


def test_counts_are_exact() -> None:
    assert amount("params/1", 1234567) == "1,234,567"


def test_columns_stand_under_each_other() -> None:
    lines = list(table([("step", "rule", "params"), ("a", "prune", "-5.0 %"), ("narrow", "x", "=")]))
    assert len({len(line) for line in lines}) == 1
    assert lines[0] == "  step    rule   params"
