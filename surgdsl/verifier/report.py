"""The report: what a person reads, and what a program reads. Text that comes from a certificate is escaped to ASCII.

Grades are computed here from what was checked; opaque steps come first, and what nobody certifies comes last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from surgdsl.verifier.claims import Finding
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.replay import Row
from surgdsl.verifier.schema import METRICS

COLOURS = {"ok": "\x1b[32m", "FAIL": "\x1b[31m", "note": "\x1b[33m"}
UNCERTIFIED = (
    "Not certified: speed, energy and memory at run time; that steps which are not exact keep the function; that logs",
    "are what the models predict on fair rows that nobody trained on; robustness, fairness, privacy, backdoors; what",
    "is attested: opaque steps, facts, notes. See docs/certificate.md, section 12.",
)
STEP = ("step", "rule", "grade", "error", "note", "before", "after")


@dataclass(slots=True)
class Report:
    """What has been found so far, in the order in which it was checked; `found` is what a verdict is about."""

    groups: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    rows: list[Row] = field(default_factory=list[Row])
    claims: list[Finding] = field(default_factory=list[Finding])
    rules: list[str] = field(default_factory=list[str])
    idle: list[str] = field(default_factory=list[str])
    found: dict[str, Any] = field(default_factory=dict[str, Any])
    unbound: bool = True
    group: str = "form"
    reject: Reject | None = None

    def begin(self, group: str) -> None:
        """A group of checks starts."""
        self.group = group

    def done(self, message: str) -> None:
        """The group that was begun has passed."""
        self.groups.append((self.group, message))

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


def human(report: Report, colour: bool) -> Iterator[str]:
    """The printed report, line by line."""

    def line(mark: str, group: str, message: str) -> str:
        shown = f"{COLOURS[mark]}{mark:<5}\x1b[0m" if colour else f"{mark:<5}"
        return f"  {shown} {group:<13} {plain(message)}"

    found = {key: str(value)[:12] for key, value in report.found.items()}
    row = f", number {found['sequence']}, in place of {found['supersedes']}" if "supersedes" in found else ""
    yield "surg-verify 1.0" + (f"   certificate {found['certificate']}{row}" if found else "")
    if report.opaque:
        steps = ", ".join(dict.fromkeys(report.opaque))
        yield line("note", "opaque", f"{some(report.opaque, 'step')} set weights that cannot be re-derived: {steps}")
    yield from (line("note", "declared", rule) for rule in report.rules)
    for group, message in report.groups:
        yield line("ok", group, message)
        if group == "rewrites":
            yield from _ledger(report)
    for claim in report.claims:
        yield line("ok" if claim.holds else "FAIL", claim.grade, claim.text)
        yield f"                       {plain(claim.detail)}"
    if report.reject is not None:
        yield line("FAIL", report.group, report.reject.message)
        yield f"Rejected: {report.reject.code} {plain(report.reject.message)}   (exit 4)"
        return
    if report.unbound:
        yield line("note", "UNBOUND", "this holds for whatever it speaks of; bind it to yours with")
        yield "          " + " ".join(
            f"--expect-{name} {report.found[name]}" for name in ("input", "graph", "output", "spec")
        )
    yield from UNCERTIFIED
    yield _summary(report)


def machine(report: Report) -> Iterator[str]:
    """JSON lines: the version, the steps, and the verdict last."""
    reject, reason = report.reject, "every check passed"
    verdict = {"type": "verdict", "accepted": reject is None}
    if reject is not None:
        verdict, reason = {**verdict, "code": reject.code}, reject.message
    rest = {name: getattr(report, name) for name in ("opaque", "rules", "idle", "unbound")}
    said = {"claims": [asdict(claim) for claim in report.claims], "uncertified": " ".join(UNCERTIFIED), **report.found}
    yield json.dumps({"type": "version", "ui": "1.0"})
    yield from (json.dumps({"type": "step"} | {key: getattr(row, key) for key in STEP}) for row in report.rows)
    yield json.dumps({**verdict, "reason": reason, **rest, **said})


def _ledger(report: Report) -> Iterator[str]:
    yield f"        {'step':<12} {'rule':<21} {'rewrites':>8}  {'grade':<8}" + _cells(*(key[:-2] for key in METRICS))
    yield from (f"        {'(input)':<53}{_cells(*map(row.before.get, METRICS))}" for row in report.rows[:1])
    for (step, rule), run in groupby(report.rows, lambda row: (row.step, row.rule)):
        rows = list(run)
        first, last = rows[0].before, rows[-1].after
        cells = _cells(*(last[key] if last[key] != first[key] else "=" for key in METRICS))
        yield f"        {plain(step):<12} {plain(rule):<21} {len(rows):>8}  {rows[0].grade:<8}{cells}"
        yield from (f"          {plain(row.error)}" for row in rows if row.error)
    yield from (f"        {plain(name):<35} {0:>8}  asked for, nothing to do" for name in report.idle)


def _cells(*values: object) -> str:
    return " ".join(f"{value:>13}" for value in values)


def _summary(report: Report) -> str:
    grades = [claim.grade for claim in report.claims]
    parts = [f"{grades.count(grade)} {grade}" for grade in ("proved", "measured", "trusted") if grade in grades]
    opaque = f", {some(report.opaque, 'opaque step')} attested" if report.opaque else ""
    kinds = f" ({', '.join(parts)})" if parts else ""
    return f"Accepted: {some(report.rows, 'rewrite')}, {some(grades, 'claim')}{kinds}{opaque}."


def some(items: list[Any], noun: str) -> str:
    """A number of things in words."""
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")
