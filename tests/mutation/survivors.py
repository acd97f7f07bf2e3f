"""Why a mutant that survives may live: nothing can tell it from the verifier, or what tells it does no harm."""

from __future__ import annotations

from typing import NamedTuple

from tests.mutation.mutants import Mutant


class Argued(NamedTuple):
    """A mutant, or all of a function whose text holds some words, and the argument."""

    module: str
    function: str
    before: str
    after: str
    why: str


ARGUED: tuple[Argued, ...] = ()


def argument(mutant: Mutant) -> str:
    """Why a mutant may survive; "" when nobody said."""
    for row in ARGUED:
        place = f"surgdsl.verifier.{row.module}" == mutant.module and row.function == mutant.function
        if place and row.before in mutant.before and row.after in mutant.after:
            return row.why
    return ""
