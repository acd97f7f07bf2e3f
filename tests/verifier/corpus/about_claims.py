"""Lies about what is promised and by whom: expectations, claims, logs, statistics, names, signatures."""

from __future__ import annotations

from collections.abc import Callable

from tests.verifier import surgeries as s
from tests.verifier import test_figures as figures
from tests.verifier.conftest import job as every_rule
from tests.verifier.corpus.about_steps import step
from tests.verifier.corpus.telling import Build, Case, Json, at, edited, lied, logged
from tests.verifier.forge import Forge
from tests.verifier.test_accept import pruned_mlp
from tests.verifier.test_bytes import small

OTHER = str(s.residual().first["manifest"])


def with_rows(change: Callable[[list[list[int]]], object]) -> Callable[[Json], None]:
    def apply(log: Json) -> None:
        change(log["rows"])

    return apply


def relabelled(log: Json) -> None:
    """Rows that the model gets right, by other labels."""
    for row in log["rows"]:
        row[1] = row[3]


def recount(log: Json) -> None:
    log["data"]["rows"] += 1


def exact(left: str, limit: str) -> Build:
    """A claim that would hold if numbers were rounded."""

    def forge() -> Forge:
        f = pruned_mlp()
        f.claims = [s.counted(left, limit)]
        return f

    return forge


def python() -> Forge:
    return figures.job((figures.python("3/2"), "<=", figures.n(2)))


def python_high() -> Forge:
    return figures.job((figures.python("5/2"), "<=", figures.n(2)))


CLAIMS: tuple[Case, ...] = (
    Case("M01", "the certificate of another model", "V19", lied(pruned_mlp), ("--expect-input", OTHER)),
    Case("M01", "the certificate of another graph", "V19", lied(pruned_mlp), ("--expect-graph", OTHER)),
    Case("M01", "the certificate of another result", "V19", lied(pruned_mlp), ("--expect-output", OTHER)),
    Case("M01", "unbound under strict", "V19", lied(pruned_mlp), ("--strict",)),
    Case("M03", "a claim on what did not change", "V18", lied(exact("macs/1", "1/2"))),
    Case("M04", "another text than was asked for", "V19", lied(pruned_mlp), ("--expect-spec", "0" * 64)),
    Case("M19", "a ratio rounded up", "V18", lied(exact("params/1", "152941/200000"))),
    step("M19", "a rational that is not in lowest terms"),
    step("M19", "a claim that divides by zero"),
    Case("M65", "a row missing", "V17", logged(small, with_rows(lambda rows: rows.pop()))),
    Case("M65", "a row twice", "V17", logged(small, with_rows(lambda rows: rows.append(rows[0])))),
    Case("M65", "rows out of order", "V17", logged(small, with_rows(lambda rows: rows.reverse()))),
    Case("M66", "a log of another model before", "V17", logged(small, lambda log: log.update(before="0" * 64))),
    Case("M66", "a log of another model after", "V17", logged(small, lambda log: log.update(after=log["before"]))),
    Case("M66", "other labels", "V17", logged(small, relabelled)),
    Case("M67", "a count of rows", "V17", logged(small, recount)),
    Case("M67", "one prediction that is wrong", "V18", logged(
        small, with_rows(lambda rows: rows[0].__setitem__(3, 0)))),
    step("M68", "a bound forged low"),
    step("M68", "a confidence beyond the evidence"),
    step("M68", "a confidence of one"),
    step("M68", "a limit that the bound passes"),
    Case("M71", "a grade of its own", "V03", edited(every_rule, at("proved", "claims", 2, "grade"))),
    step("M71", "a claim that is not strict"),
    Case("M71", "Python that nobody trusts", "V21", lied(python)),
    Case("M71", "Python that breaks its promise", "V18", lied(python_high), ("--trust", figures.SHA)),
    Case("M74", "an escape in the name of a step", "V03", edited(every_rule, at("\x1b[2Jnarrow", "steps", 0, "step"))),
    Case("M74", "an escape in the name of a data set", "V03", logged(
        small, lambda log: log["data"].update(name="\x1b[31mtest"))),
    step("M74", "an unknown field with another case"),
)  # fmt: skip
