"""One lie among hundreds of steps on a hundred tensors, everything hashed anew: each is found, by its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.asking import code_of
from tests.verifier.long import CODES, SAID, WEIGHTS, Long, honest, planted

LAYERS, ROUNDS = 100, 3


@pytest.fixture(scope="module")
def whole() -> Long:
    return honest(Long(LAYERS), ROUNDS)


def test_the_long_certificate_is_accepted(whole: Long, tmp_path: Path) -> None:
    assert len(whole.steps) == LAYERS * (ROUNDS + 1)
    assert code_of(planted(whole, tmp_path / "job")) == ""


@pytest.mark.parametrize("name", SAID)
def test_a_step_that_says_something_else_is_found(name: str, whole: Long, tmp_path: Path) -> None:
    lie, code = SAID[name]
    assert code_of(planted(whole, tmp_path / "lie", lie, at=211)) == code


@pytest.mark.parametrize(("name", "at"), [*((name, 157) for name in WEIGHTS), *((name, 377) for name in CODES)])
def test_a_step_that_makes_other_weights_is_found(name: str, at: int, tmp_path: Path) -> None:
    lie, code = (WEIGHTS | CODES)[name]
    assert code_of(planted(honest(Long(LAYERS), ROUNDS, at, lie), tmp_path / "lie")) == code
