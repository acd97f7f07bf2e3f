"""Lies between the words of a file and its claims, and about bounds, losses and candidates; and the honest ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import scipy.stats

from tests.verifier import surgeries as s
from tests.verifier import test_figures as figures
from tests.verifier.corpus.telling import Build, Case, Json, at, edited, lied
from tests.verifier.forge import Forge, sha
from tests.verifier.test_accept import pruned_mlp

UNIT = 10**6
BETA: Any = scipy.stats.beta
ROWS = [[i, i % 3, i % 3, (i + (i % 20 == 4)) % 3] for i in range(40)]
LOSSES = [[i, 100_000 + 1000 * i, 110_000 + 1000 * i] for i in range(60)]


def measuring(*claims: Callable[[str, str], Json], rows: list[list[int]] = LOSSES) -> Build:
    """A cut whose effect is measured on forty rows, and on the losses of sixty others."""

    def forge() -> Forge:
        f = pruned_mlp()
        told = s.log(f, ROWS)
        losses = s.log(f, rows, kind="losses", loss="std.loss")
        f.claims = [claim(told, losses) for claim in claims]
        used = {claim["measured"]["evidence"] for claim in f.claims}
        f.blobs = {name: data for name, data in f.blobs.items() if name in used}
        return f

    return forge


def accuracy(candidates: int, tried: int, by: int = 0) -> Callable[[str, str], Json]:
    """At least half of the rows, with a bound that is right for so many candidates."""
    lowest = int(BETA.ppf(0.05 / candidates, 38, 3) * UNIT)  # Clopper and Pearson, of 38 rows of 40
    more = {"bound": str(Fraction(lowest + by, UNIT)), "candidates": tried, "confidence": "19/20"}
    return lambda told, _: s.measured(told, "1/2", measure="accuracy", relation=">=", **more)


def loss(bound: str, measure: str = "loss", limit: str = "1/2", **more: Any) -> Callable[[str, str], Json]:
    certain = {"bound": bound, "candidates": 1, "confidence": "9/10", **more}
    return lambda _, losses: s.measured(losses, limit, measure=measure, **certain)


def rise(_: str, losses: str) -> Json:
    return s.measured(losses, "1/100", measure="lossRise")


def wrong_log(told: str, _: str) -> Json:
    return s.measured(told, "1/2", measure="loss")


def texted(text: str, *claims: Json) -> Build:
    """A cut, a text, and claims that may not be those of the text."""

    def forge() -> Forge:
        f = pruned_mlp()
        f.text, f.claims = text, list(claims)
        return f

    return forge


HEAD = "surg 1\nuse std.metric.{nnz, params, size}\n"
TWO = HEAD + "surgery a on net {\n  require size(after) <= 4/5 * size(before)\n  require params(after) <= 30\n}\n"
SIZE = s.counted("size/1", "4/5")
PARAMS: Json = {
    "counted": {"left": figures.metric("params/1"), "relation": "<=", "right": figures.n(30)},
    "text": "params(after) <= 30",
}
HIDDEN = (
    HEAD + '# require size(after) <= 1B\ndata d { source = python("require:size") }\n'
    "surgery a on net {\n  step x = apply f(require_it = 3) @b  # require params(after) <= 1\n"
    "  target size(after) <= 80%*size( before ) # more\n  target minimize size(after)\n"
    "  require   params(after)\n    <= 30 }\nsurgery other on net { require size(after) <= 1B }\n"
)
AS_WRITTEN = {**SIZE, "text": "size(after) <= 80%*size( before )"}
FEW = {**PARAMS, "text": "few(after) <= 30"}


def sizes(claim: Json, limit: str) -> Json:
    """The claim with another limit and the words of before."""
    counted = claim["counted"]
    return {**claim, "counted": {**counted, "right": figures.n(limit)}}


def trained() -> Forge:
    """Recovery on the very rows that speak for the result, which the log does not say."""
    f = pruned_mlp()
    s.moved(f, "recover/1", {**s.TRAINED, "data": "test"}, lambda _, values: values * 2)
    f.claims = [s.measured(s.log(f, ROWS), "1/2")]
    return f


def poisoned() -> Forge:
    """A weight that is not finite, as it comes in; nobody promises that it is."""
    f = Forge()
    values = s.noise(2, 3)
    values[0, 0] = figures.np.nan
    y = f.op("linear.default", [f.input("x", ("B", 3)), f.param(s.dense("w", values))], ("B", 2), bias={"none": True})
    f.begin(("y", y), B=1)
    return f


def bound(build: Build) -> tuple[str, ...]:
    """The expectations of an auditor who knows all four."""
    f = build()
    told = {"input": f.first["manifest"], "graph": f.first["graph"], "output": f.manifest()}
    told["spec"] = sha(f.spec.encode())
    return ("--strict", *(text for name, digest in told.items() for text in (f"--expect-{name}", str(digest))))


def required(*texts: str) -> tuple[str, ...]:
    return tuple(word for text in texts for word in ("--require", text))


PROMISED: tuple[tuple[str, Build, tuple[str, ...]], ...] = (
    ("bounds", measuring(accuracy(1, 1), accuracy(4, 4)), ()),
    ("losses", measuring(loss("2/5", limit="2/5"), rise, loss("1/2", "lossRise", registered="7" * 64)), ()),
    ("bound", pruned_mlp, bound(pruned_mlp)),
    ("not-finite", poisoned, ()),
    (
        "required",
        measuring(accuracy(4, 4), rise),
        required(
            "params <= 80%",
            "macs(after) < 40mac",
            "accuracy >= 1/2 with confidence 90% among 4 candidates",
            "loss rise <= 2%",
            "accuracy drop <= 10% on test",
        ),
    ),
    ("words", texted(HIDDEN, AS_WRITTEN, PARAMS), ()),
    ("words-of-a-quoted-head", texted(TWO.replace("a on", 'a"b on').replace("{nnz", '{"a"nnz'), SIZE, PARAMS), ()),
    ("words-of-a-bare-head", texted(TWO.replace("a on net", "a on"), SIZE, PARAMS), ()),
    ("words-of-a-metric", texted(TWO.replace("params(after)", "few(after)"), SIZE, FEW), ()),
)
PROMISES: tuple[Case, ...] = (
    Case("M03", "less than is required", "V19", lied(pruned_mlp), required("params <= 50%")),
    Case("M03", "nothing that speaks for what is required", "V19", lied(pruned_mlp), required("accuracy >= 0%")),
    Case("M03", "a log of other data than is required", "V19", lied(measuring(accuracy(1, 1))), required(
        "accuracy >= 0% on holdout")),
    Case("M69", "more candidates than a bound allows", "V19", lied(measuring(accuracy(4, 4))), required(
        "accuracy >= 85% with confidence 95%")),
    Case("M45", "numbers that are not finite under strict", "V19", lied(poisoned), bound(poisoned)),
    Case("M03", "a promise left out", "V18", lied(texted(TWO, SIZE))),
    Case("M03", "no promise at all", "V18", lied(texted(TWO))),
    Case("M03", "a promise weakened under its words", "V18", lied(texted(TWO, SIZE, sizes(PARAMS, "33")))),
    Case("M03", "a promise of another metric under its words", "V18", lied(texted(TWO, SIZE, {
        **PARAMS, "counted": {**PARAMS["counted"], "left": figures.metric("macs/1", "after")}}))),
    Case("M03", "promises in another order", "V18", lied(texted(TWO, PARAMS, SIZE))),
    Case("M03", "a promise twice", "V18", lied(texted(TWO, SIZE, PARAMS, PARAMS))),
    Case("M03", "a promise that the text does not make", "V18", lied(texted(HEAD + "surgery a on net {}\n", SIZE))),
    Case("M03", "a promise that stands in a comment", "V18", lied(texted(
        HEAD + "surgery a on net {\n# require params(after) <= 30\n}\n", PARAMS))),
    Case("M03", "promises of two surgeries", "V18", lied(texted(
        TWO.replace("\n  require params", "}\nsurgery b on net { require params"), SIZE, PARAMS))),
    Case("M04", "braces that do not nest", "V18", lied(texted(TWO + "}\n", SIZE, PARAMS))),
    Case("M66", "a loss on a log of predictions", "V17", lied(measuring(wrong_log))),
    Case("M65", "a loss above one", "V03", lied(measuring(rise, rows=[*LOSSES[:-1], [59, 0, 1_000_001]]))),
    Case("M65", "a loss log with a row twice", "V17", lied(measuring(rise, rows=[*LOSSES[:-1], LOSSES[0]]))),
    Case("M67", "a rise of losses", "V18", lied(measuring(rise, rows=[[i, 100_000, 120_000] for i in range(60)]))),
    Case("M68", "a bound of losses forged low", "V17", lied(measuring(loss("1/7")))),
    Case("M68", "a share one millionth too high", "V17", lied(measuring(accuracy(1, 1, by=1)))),
    Case("M68", "a bound that is not divided among candidates", "V17", lied(measuring(accuracy(1, 4)))),
    Case("M68", "confidence in the wrong direction", "V03", edited(
        measuring(accuracy(1, 1)), at("<=", "claims", 0, "measured", "relation"))),
    Case("M69", "fewer candidates than the words say", "V18", edited(
        measuring(accuracy(4, 4)), at(1, "claims", 0, "measured", "candidates"))),
    Case("M69", "no candidates", "V03", edited(
        measuring(accuracy(1, 1)), at(0, "claims", 0, "measured", "candidates"))),
    Case("M69", "rows that training has seen", "V17", lied(trained)),
)  # fmt: skip
