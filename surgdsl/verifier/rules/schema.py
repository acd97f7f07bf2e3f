"""What a rule is to the verifier: its grade, its metric, its arguments, and the check that only its instances pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from surgdsl.verifier.content import Load
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.weight import Weight

FREE = "any"


class Attested(str):
    """What a check says of a step whose claim it could not compute; the step is then attested, whatever its rule is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A schema of section 8: exact, bounded, lossy or opaque; `check` tells what it measured.

    `reduces` is the metric that falls, "" for a neutral rule, and FREE where whatever falls may be named.
    """

    grade: str
    reduces: str
    check: Callable[[Rewrite, Load], str]
    name: str = ""


def recoded(rewrite: Rewrite) -> tuple[Weight, Weight]:
    """The weight before and after a rule that re-encodes one param on its wire; V14 when the rule is another."""
    before, after = rewrite.only(rewrite.left).weight, rewrite.only(rewrite.right).weight
    if before is None or after is None:
        raise Reject("V14", "the rule takes a param and gives a param")
    alone = len(rewrite.left.wires) == len(rewrite.glue) == 1 and not rewrite.right.wires
    need(alone, "V14", "L and K are the wire of one param, R adds none")
    need((before.base, before.role) == (after.base, after.role), "V14", f"`{before.base}` changes its name or its role")
    return before, after
