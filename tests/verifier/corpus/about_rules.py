"""Lies about rules, and others that no other case tells: the checks that reject them reject nothing else here."""

from __future__ import annotations

from tests.verifier import surgeries as s
from tests.verifier.conftest import job as every_rule
from tests.verifier.corpus.about_steps import cutting, instance, pushout, step, surgery
from tests.verifier.corpus.telling import Case, Json, at, edited
from tests.verifier.forge import tagged


def another_chain(statement: Json) -> None:
    """The last step's chain is another, under a right head and seal."""
    predicate = statement["predicate"]
    predicate["steps"][-1]["chain"] = "0" * 64
    predicate.pop("seal")
    predicate["seal"] = tagged("surg-seal-v1", statement)


MATCHED = (
    "a rule that is not for this step", "a variable missing", "a size that is negative", "wires in another order",
    "two wires that are one", "a wire of K that is not glue", "boxes in another order", "a weight twice",
    "weights in another order", "another operator in L", "an argument that the rule does not state",
    "one weight for two boxes", "a dtype of K", "nothing decreases", "weights that are encoded",
    "a weight that nothing gives", "a rule that reduces something else", "a rule that is called neutral",
    "a neutral rule that is called a gain",
)  # fmt: skip
COMPUTED = (
    "another bias", "a weight that is not finite", "a formula that names nothing",
    "a value whose last bit depends on a library", "a value with an axis too many", "a product turned",
    "halves exchanged", "half a product", "one half twice", "singular vectors inside of a formula",
    "a bound just too low", "a bound at no number", "no bound told", "a bound for an exact rule",
)  # fmt: skip
RULES: tuple[Case, ...] = (
    Case("M62", "a seed changed under the old seal", "V04", edited(s.mlp, at(8, "seed"), reseal=False)),
    Case("M33", "a chain that is another under a right head", "V05", edited(every_rule, another_chain, reseal=False)),
    step("M16", "a rise that nobody announced"),
    step("M37", "two interfaces of one name"),
    step("M52", "facts out of order"),
    step("M36", "a match that is not total"),
    step("M36", "local ids out of order"),
    pushout("M36", "K loses a producer"),
    pushout("M36", "K gains a producer"),
    cutting("M08", "another role"),
    cutting("M35", "another encoding"),
    surgery("M08", "a weight under another name"),
    surgery("M42", "a mask that goes"),
    surgery("M42", "no neighbours at all"),
    surgery("M42", "a mask that moves under its codes"),
    *(instance("M35", what) for what in MATCHED),
    *(instance("M43", what) for what in COMPUTED),
)
