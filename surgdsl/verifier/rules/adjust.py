"""adjust/1: weights take new values of the same form, as data decided; opaque, and checked as a recovery is."""

from __future__ import annotations

from surgdsl.verifier.content import Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules import recover
from surgdsl.verifier.rules.schema import Rule


def check(rewrite: Rewrite, load: Load) -> str:
    """The figures are in order; each param is replaced on its wire by one of the same form."""
    names = [row[0] for row in rewrite.arguments["figures"]]
    need(names == sorted(set(names)), "V03", "the figures are not sorted by name, each once")
    return recover.check(rewrite, load)


ADJUST = Rule("opaque", "", check)
