"""The report: what a person reads, and what a program reads. Text that comes from a certificate is escaped to ASCII.

Grades are computed here from what was checked; opaque steps come first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path

from surgdsl.verifier.claims import Finding
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.replay import Row

COLOURS = {"ok": "\x1b[32m", "FAIL": "\x1b[31m", "note": "\x1b[33m"}


@dataclass(slots=True)
class Report:
    """What has been found so far, in the order in which it was checked."""

    groups: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    rows: list[Row] = field(default_factory=list[Row])
    claims: list[Finding] = field(default_factory=list[Finding])
    rules: list[str] = field(default_factory=list[str])
    idle: list[str] = field(default_factory=list[str])
    found: dict[str, str] = field(default_factory=dict[str, str])
    signers: list[str] = field(default_factory=list[str])
    certificate: str = ""
    unbound: bool = True
    group: str = "form"
    reject: Reject | None = None

    def begin(self, group: str) -> None:
        """A group of checks starts."""
        self.group = group

    def done(self, message: str) -> None:
        """The group that was begun has passed."""
        self.groups.append(("ok", self.group, message))

    @property
    def opaque(self) -> list[str]:
        """Steps whose weights nobody can re-derive."""
        return [f"{row.step} ({row.rule})" for row in self.rows if row.grade == "opaque"]


def plain(text: str) -> str:
    r"""A text with everything but printable ASCII escaped.

    >>> plain("a\x1b[31m≤")
    'a\\x1b[31m\\u2264'
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


def lines_of_code() -> int:
    """How many lines the verifier has; 0 when it runs from an archive."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in Path(__file__).parent.rglob("*.py"))


def human(report: Report, colour: bool) -> Iterator[str]:
    """The printed report, line by line."""
    size = f" ({lines_of_code():,} lines; standard library and numpy)".replace(",", " ")
    yield f"surg-verify 1.0{size}" + (f"   certificate {report.certificate[:12]}" if report.certificate else "")
    if report.opaque:
        steps = ", ".join(dict.fromkeys(report.opaque))
        yield _line(
            "note",
            "opaque",
            f"{_some(report.opaque, 'step')} set weights that cannot be re-derived: {plain(steps)}",
            colour,
        )
    yield from (_line("note", "declared", plain(rule), colour) for rule in report.rules)
    for mark, group, message in report.groups:
        yield _line(mark, group, message, colour)
        if group == "rewrites":
            yield from _ledger(report)
    for claim in report.claims:
        yield _line("ok" if claim.holds else "FAIL", claim.grade, plain(claim.text), colour)
        yield f"                       {plain(claim.detail)}"
    if report.reject is not None:
        yield _line("FAIL", report.group, plain(report.reject.message), colour)
        yield f"Rejected: {report.reject.code} {plain(report.reject.message)}   (exit 4)"
        return
    if report.unbound:
        yield _line("note", "UNBOUND", "this holds for whatever it speaks of; bind it to yours with", colour)
        yield "          " + " ".join(f"--expect-{name} {digest}" for name, digest in report.found.items())
    yield _summary(report)


def machine(report: Report) -> Iterator[str]:
    """JSON lines: the version, the steps, and the verdict last."""
    yield json.dumps({"type": "version", "ui": "1.0"})
    for row in report.rows:
        states = {"before": dict(row.before), "after": dict(row.after)}
        yield json.dumps(
            {"type": "step", "step": row.step, "rule": row.rule, "grade": row.grade, "error": row.error, **states}
        )
    reject = report.reject
    verdict = {"type": "verdict", "accepted": reject is None, **({} if reject is None else {"code": reject.code})}
    claims = [{"text": c.text, "grade": c.grade, "holds": c.holds, "detail": c.detail} for c in report.claims]
    reason = "every check passed" if reject is None else reject.message
    rest = {"opaque": report.opaque, "rules": report.rules, "unbound": report.unbound, "signers": report.signers}
    yield json.dumps({**verdict, "reason": reason, "claims": claims, **rest})


def _ledger(report: Report) -> Iterator[str]:
    runs: list[list[Row]] = []
    for row in report.rows:
        if runs and (runs[-1][0].step, runs[-1][0].rule) == (row.step, row.rule):
            runs[-1].append(row)
        else:
            runs.append([row])
    keys = ("params/1", "nnz/1", "macs/1", "size/1")
    heads = " ".join(f"{key.partition('/')[0]:>13}" for key in keys)
    yield f"        {'step':<12} {'rule':<21} {'rewrites':>8}  {'grade':<8}{heads}"
    for run in runs[:1]:
        yield f"        {'(input)':<53}" + " ".join(f"{run[0].before[key]:>13}" for key in keys)
    for run in runs:
        first, last = run[0], run[-1]
        after = " ".join(f"{last.after[key] if last.after[key] != first.before[key] else '=':>13}" for key in keys)
        yield f"        {plain(first.step):<12} {plain(first.rule):<21} {len(run):>8}  {first.grade:<8}{after}"
        yield from (f"          {plain(row.error)}" for row in run if row.error)
    yield from (f"        {plain(name):<35} {0:>8}  asked for, nothing to do" for name in report.idle)


def _some(items: Sized, noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")


def _summary(report: Report) -> str:
    grades = [claim.grade for claim in report.claims]
    parts = [f"{grades.count(grade)} {grade}" for grade in ("proved", "measured", "trusted") if grade in grades]
    opaque = f", {_some(report.opaque, 'opaque step')} attested" if report.opaque else ""
    kinds = f" ({', '.join(parts)})" if parts else ""
    return f"Accepted: {_some(report.rows, 'rewrite')}, {_some(grades, 'claim')}{kinds}{opaque}."


def _line(mark: str, group: str, message: str, colour: bool) -> str:
    shown = f"{COLOURS[mark]}{mark:<5}\x1b[0m" if colour else f"{mark:<5}"
    return f"  {shown} {group:<13} {message}"
