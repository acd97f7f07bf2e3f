"""Runs of a sweep compared: the front is what the definition says, and the picture is one that can be drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from surgdsl.language.program import Goal, SweepDecl, Varied
from surgdsl.report.pareto import Ran, Scores, front, kept, record, told
from surgdsl.report.scatter import scatter

figures = st.tuples(*[st.integers(0, 4).map(Fraction)] * 2)
scores = st.lists(st.none() | figures, max_size=8)


@given(scores)
def test_the_front_is_what_the_definition_says(made: list[Scores]) -> None:
    def better(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and any(
            a < b for a, b in zip(one, other, strict=True)
        )

    for one, good in zip(made, front(made), strict=True):
        assert good == (one is not None and not any(other is not None and better(other, one) for other in made))


@given(scores)
def test_something_is_kept_where_there_is_something(made: list[Scores]) -> None:
    assert any(front(made)) == any(one is not None for one in made)


def sweep(*goals: Goal) -> SweepDecl:
    return SweepDecl("frontier", "slim", (Varied("share", ("50%", "75%")),), goals, 8)


def ran(number: int, made: Scores) -> Ran:
    return Ran(number, {"share": f"{number}%"}, made, "" if made else "E0801 <too> much")


SIZE, ACCURACY = Goal("size(after)", measure=""), Goal("accuracy(after)", measure="accuracy.after")


def test_accuracy_is_better_large() -> None:
    runs = [ran(1, (Fraction(10), Fraction(1, 2))), ran(2, (Fraction(10), Fraction(3, 4)))]
    assert kept(sweep(SIZE, ACCURACY), runs) == (False, True)


@given(scores)
def test_the_picture_has_a_point_for_each_run_with_a_result(made: list[Scores]) -> None:
    for declared in (sweep(SIZE, ACCURACY), sweep(SIZE)):
        runs = [ran(number, one and one[: len(declared.goals)]) for number, one in enumerate(made, 1)]
        picture = ET.fromstring(scatter(declared, runs))  # noqa: S314 - our own text
        points = picture.findall(".//{http://www.w3.org/2000/svg}circle")
        assert len(points) == sum(one is not None for one in made)
        assert all(0 <= float(one.get(axis) or -1) <= 720 for one in points for axis in ("cx", "cy"))


def test_the_table_and_the_record() -> None:
    runs = [ran(1, (Fraction(1024), Fraction(9, 10))), ran(2, None)]
    declared = sweep(SIZE, ACCURACY)
    assert list(told(declared, runs)) == [
        "sweep frontier over slim    2 runs",
        "  run        share  size(after)  accuracy(after)",
        "  1    kept     1%        1,024          90.00 %",
        "  2             2%            -                -",
        "  run 2 has no result: E0801 <too> much",
    ]
    made = record(declared, runs, {})
    assert [one["figures"] for one in made["runs"]] == [["1024", "9/10"], None]
    assert [one["better"] for one in made["goals"]] == ["small", "large"]
