"""No forgery is believed: two thousand of them here, and the forger itself on certificates that nobody forged."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verifier import forger
from tests.verifier.forger import Honest
from tests.verifier.paper import Paper
from tests.verifier.truth import untrue

GOOD = forger.honest(Path(__file__).parent / "corpus" / "good")


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(given=st.sampled_from(GOOD), random=st.randoms(use_true_random=False))
def test_no_forgery_is_believed(given: Honest, random: Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    forgery = forger.forge(given, random, tmp_path_factory.getbasetemp() / "forged")
    assert not forgery.how.startswith(("LIE", "crash")), forgery


@pytest.mark.parametrize("given", GOOD, ids=[given.name for given in GOOD])
def test_an_honest_certificate_is_hashed_anew_to_itself_and_is_true(given: Honest, tmp_path: Path) -> None:
    paper = given.paper.copy()
    states = paper.renew(count=True)
    assert paper.statement == given.paper.statement
    assert untrue(paper, states) == ""
    assert Paper(paper.write(tmp_path / "same")).statement == given.paper.statement


def test_every_edit_is_made() -> None:
    """Each finds something to change in some certificate, and then it is not the certificate that it was."""
    for name, edit in forger.EDITS.items():
        made = 0
        for number in range(3 * len(GOOD)):
            first = GOOD[number % len(GOOD)].paper
            paper = first.copy()
            try:
                edit(paper, Random(number))  # noqa: S311 - chance that repeats
            except (forger.edits.Nothing, *forger.FAULTS):
                continue
            made += vars(paper) != vars(first)
        assert made, name


def test_a_lie_that_is_believed_is_seen() -> None:
    """Were the verifier to accept these, the forger would say so."""
    lies = {"edit_metric": "counts", "edit_claim": "the claim", "edit_boundary": "the boundary"}
    for name, what in lies.items():
        seen = 0
        for number in range(60):
            random = Random(number)  # noqa: S311 - chance that repeats
            paper = GOOD[number % len(GOOD)].paper.copy()
            try:
                forger.EDITS[name](paper, random)
                states = paper.renew(count=False)
                seen += untrue(paper, states).startswith(what) if states else 0
            except (forger.edits.Nothing, *forger.FAULTS):
                continue
        assert seen, name


def test_weights_that_no_rule_makes_are_seen() -> None:
    """One bit of what a step makes is turned, and everything hashed anew."""
    seen = 0
    for number in range(80):
        random = Random(number)  # noqa: S311 - chance that repeats
        paper = GOOD[number % len(GOOD)].paper.copy()
        try:
            forger.EDITS["part_of_a_step"](paper, random)
            states = paper.renew(count=True)
            seen += "step" in untrue(paper, states) if states else 0
        except (forger.edits.Nothing, *forger.FAULTS):
            continue
    assert seen
