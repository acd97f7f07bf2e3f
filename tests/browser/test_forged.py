"""Both verifiers give one verdict, for one reason, on lies that nobody thought of and on numbers that are delicate."""

from tests.browser.differential import judged
from tests.browser.extremes import FAMILIES, asked
from tests.browser.forging import compared, told

BLIND, TYPED, HONEST = 150, 150, 70


def test_both_verifiers_give_one_code_on_random_edits() -> None:
    answers = compared(6, BLIND)
    assert [told(*answer) for answer in answers if answer[1].code != answer[2].code] == []
    rejected = sum(one.code != "" for _, one, _ in answers)
    assert BLIND * 3 // 4 <= rejected < BLIND


def test_both_verifiers_give_one_code_on_forgeries_that_are_hashed_anew() -> None:
    found = judged(range(TYPED))
    assert [one for one in found if not one.same or one.failed] == []
    assert len({one.command.code for one in found}) > 7


def test_both_verifiers_give_one_code_on_delicate_numbers() -> None:
    found = asked(4200, HONEST)
    assert [one for one in found if not one.fine] == []
    assert {family.__name__ for family in FAMILIES} == {one.family for one in found if one.command.code == ""}
