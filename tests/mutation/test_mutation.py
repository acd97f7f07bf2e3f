"""The checks are alive: of a fixed sample of mutants each is told from the verifier by the case that once killed it."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import PLAIN, cases, said, tried
from tests.mutation.verifier import Verifier

KILLERS: dict[str, str] = json.loads(Path(__file__).with_name("killers.json").read_bytes())
SAMPLE = 60
TEXT = '''
LIMIT = 3

def told(values: list[int]) -> bool:
    """Words."""
    need(len(values) < LIMIT and values != [], "V01", "few")
    found = [value for value in values if value > 0]
    found += values
    return all(found)
'''


def test_what_is_changed() -> None:
    found = [(one.kind, one.before, one.after) for one in mutants("m", TEXT)]
    assert ("number", "3", "(4)") in found
    assert ("check", 'need(len(values) < LIMIT and values != [], "V01", "few")', "pass") in found
    assert ("part", "len(values) < LIMIT and values != []", "(values != [])") in found
    assert ("comparison", "len(values) < LIMIT", "(len(values) <= LIMIT)") in found
    assert ("part", "value > 0", "True") in found
    assert ("effect", "found += values", "pass") in found
    assert ("quantifier", "all", "any") in found
    assert ("answer", "all(found)", "True") in found


def test_a_mutant_is_the_text_but_for_one_place() -> None:
    for one in mutants("m", TEXT):
        assert one.applied(TEXT) == TEXT.replace(one.before, one.after) or TEXT.count(one.before) > 1
        compile(one.applied(TEXT), "m", "exec")


def test_a_sample_of_the_checks_is_alive() -> None:
    verifier = Verifier()
    given = (one for name, path in verifier.paths.items() for one in mutants(name, path.read_text(encoding="utf-8")))
    by_name = {one.name: one for one in given}
    corpus = {case.name: case for case in cases()}
    sample = [by_name[name] for name in islice((name for name in KILLERS if name in by_name), SAMPLE)]

    def survives(mutant: Mutant) -> bool:
        verifier.install(mutant, plain=mutant.module == PLAIN)
        case = corpus[KILLERS[mutant.name]]
        return said(case) == case.code

    assert len(sample) == SAMPLE, "too many functions have changed since: make mutation-verifier"
    assert [one for one, lives in tried(sample, survives, 1) if lives is True] == []
