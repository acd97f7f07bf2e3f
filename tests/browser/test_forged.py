"""Both verifiers give one verdict on lies that nobody thought of."""

from tests.browser.forging import compared

LIES = 300


def test_both_verifiers_give_one_verdict_on_random_lies() -> None:
    answers = compared(6, LIES)
    apart = [
        (case.source, case.edits, one, other) for case, one, other in answers if (one.code == "") != (other.code == "")
    ]
    assert apart == []
    # Where a certificate has several faults, the order of checks decides, and that is not the same to the last detail.
    codes = [(case.source, case.edits, one, other) for case, one, other in answers if one.code != other.code]
    assert len(codes) <= LIES // 25, codes
    rejected = sum(one.code != "" for _, one, _ in answers)
    assert LIES * 3 // 4 <= rejected < LIES
