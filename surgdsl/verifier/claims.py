"""Claims: what the file requires, evaluated from the verifier's own counts and from the logs, row by row.

The text of a claim is that of the file; its structure is what is checked, and what the verdict prints below the text.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.formula import Ground, attested, evaluate, spell
from surgdsl.verifier.reject import need
from surgdsl.verifier.requirement import Reading
from surgdsl.verifier.statistics import UNIT, highest, lowest, mean

RELATIONS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}
MEASURED_ROWS = 200_000
SAID = ("confidence", "left", "limit", "measure", "relation", "right")
KINDS = {"accuracy": "predictions", "accuracyDrop": "predictions", "loss": "losses", "lossRise": "losses"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim: what it says, on what grade of evidence, whether it holds, and the numbers."""

    text: str
    grade: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A log, added up: rows that are right, or losses in millionths, and rows lost and won."""

    kind: str
    data: str
    rows: int
    before: int
    after: int
    lost: int
    won: int
    words: str


Logs = Mapping[str, Evidence]


def counted(claim: dict[str, Any], text: str, ground: Ground) -> Finding:
    """A claim over what is counted here; V21 when it holds a number of Python that the auditor has not named."""
    given = sorted(attested(claim["left"]) | attested(claim["right"]))
    for reference, sha in given:
        need(sha in ground.trusted, "V21", f"the claim `{text}` trusts {reference}: --trust {sha}, if you do")
    left, right = evaluate(claim["left"], ground), evaluate(claim["right"], ground)
    sign = claim["relation"]
    detail = f"{spell(claim['left'])} {sign} {spell(claim['right'])}: {number(left)} {sign} {number(right)}"
    detail += "".join(f"; trusts {reference}, SHA-256 {sha}" for reference, sha in given)
    return Finding(text, "trusted" if given else "proved", RELATIONS[sign](left, right), detail)


def measured(claim: Mapping[str, Any], text: str, log: Evidence) -> Finding:
    """A claim over a log; V17 when a bound is stated that is better than the one recomputed."""
    measure, relation, limit = claim["measure"], claim["relation"], Fraction(claim["limit"])
    need(KINDS[measure] == log.kind, "V17", f"a log of {log.kind} says nothing of {measure}")
    figures = {"accuracyDrop": log.before - log.after, "lossRise": log.after - log.before}
    value = figures.get(measure, log.after) / Fraction(log.rows * (UNIT if log.kind == "losses" else 1))
    said, shown = measure, number(value)
    if "confidence" in claim:
        value, best, above = Fraction(claim["bound"]), bound(claim, log), measure == "accuracy"
        fair = value <= best if above else value >= best
        need(fair, "V17", f"the recorded bound {value} is better than {best}, which the rows of the log give")
        said += f" with confidence {number(Fraction(claim['confidence']))}, "
        said += f"one of {claim['candidates']} candidates, " if claim["candidates"] > 1 else ""
        said += f"registered {claim['registered']}, " if "registered" in claim else ""
        said += f"at {'least' if above else 'most'} {number(value)},"
    detail = f"{said} {relation} {number(limit)} on {log.data}: {shown}; {log.words}"
    return Finding(text, "measured", RELATIONS[relation](value, limit), detail)


def bound(claim: Mapping[str, Any], log: Evidence) -> Fraction:
    """The bound that a log gives a measure at a confidence, that many candidates having been compared on its rows."""
    confidence, measure, rows = Fraction(claim["confidence"]), claim["measure"], log.rows
    need(0 < confidence < 1, "V18", "a confidence lies strictly between 0 and 1")
    need(rows <= MEASURED_ROWS, "V20", f"a bound over more than {MEASURED_ROWS} rows")
    beta = (1 - confidence) / claim["candidates"]
    if measure == "accuracy":
        found = lowest(log.after, rows, beta)
    elif measure == "accuracyDrop":
        found = highest(log.lost, rows, beta / 2) - lowest(log.won, rows, beta / 2)
    elif measure == "loss":
        found = mean(Fraction(log.after, UNIT), rows, beta)
    else:  # half of 1 + after − before lies between 0 and 1
        found = 2 * mean(Fraction(rows * UNIT + log.after - log.before, 2 * UNIT), rows, beta) - UNIT
    return Fraction(found, UNIT)


def summed(log: dict[str, Any]) -> Evidence:
    """A log added up, in numbers and in words."""
    rows, data = log["rows"], log["data"]
    seen = f"; {data['seen']} of these rows were also trained or calibrated on" if "seen" in data else ""
    if log["kind"] == "losses":
        before, after = (sum(row[side] for row in rows) for side in (1, 2))
        words = f"{log['loss']}, {len(rows)} rows{seen}"
        return Evidence("losses", data["name"], len(rows), before, after, 0, 0, words)
    was, is_ = ([row[1] == row[side] for row in rows] for side in (2, 3))
    before, after, lost, won = sum(was), sum(is_), sum(map(operator.gt, was, is_)), sum(map(operator.lt, was, is_))
    words = f"{before}/{len(rows)} right before, {after}/{len(rows)} after, {lost} lost, {won} won{seen}"
    return Evidence("predictions", data["name"], len(rows), before, after, lost, won, words)


def check_log(log: dict[str, Any], before: str, after: str, seen: set[str]) -> None:
    """The log speaks of these two models, holds every row once and in order, and its labels are the data's; V17.

    `seen` are the names of the data that steps of the surgery looked at.
    """
    need((log["before"], log["after"]) == (before, after), "V17", "the log is of other models")
    rows, data = log["rows"], log["data"]
    need(len(rows) == data["rows"], "V17", "the log has not as many rows as the data")
    need([row[0] for row in rows] == list(range(len(rows))), "V17", "a row of the log is missing, repeated or moved")
    need(data.get("seen", 0) <= len(rows), "V17", "more rows were seen than there are")
    need(data["name"] not in seen or data.get("seen") == len(rows), "V17", "a step has seen the rows of the log")
    if log["kind"] == "predictions":
        labels = struct.pack(f"<{len(rows)}q", *(row[1] for row in rows))
        found = digests.tensor("I64", (len(rows),), digests.leaves("I64", labels))
        need(found == data["labels"], "V17", "the labels of the log are not those of the data")


def evaluated(claim: dict[str, Any], logs: Logs, ground: Ground) -> Finding:
    """A claim over what is counted here or over its log."""
    if "counted" in claim:
        return counted(claim["counted"], claim["text"], ground)
    return measured(claim["measured"], claim["text"], logs[claim["measured"]["evidence"]])


def agreed(finding: Finding, claim: dict[str, Any], reading: Reading | None, logs: Logs) -> Finding:
    """The finding of a claim that says what was read of its text, V18 otherwise; more candidates are stricter."""
    if reading is None:
        return replace(finding, detail=f"{finding.detail}; what the text says was not read")
    found = claim.get(reading.kind, {})
    same = {key: found[key] for key in found if key in SAID} == reading.structure
    if "evidence" in found:
        fits = found.get("candidates", 1) >= reading.candidates and ("registered" in found) == reading.registered
        same = same and fits and logs[found["evidence"]].data == reading.data
    need(same, "V18", f"the claim is not what its text says: {claim['text']}")
    return finding


def require(reading: Reading, text: str, ground: Ground, logs: Logs, claims: list[dict[str, Any]]) -> None:
    """What an auditor asks, on the verifier's own figures; V19 where it does not hold or nothing here decides it."""
    said, findings = reading.structure, list[Finding]()
    if reading.kind == "counted":
        findings.append(counted(said, text, ground))
    for claim in (claim["measured"] for claim in claims if "measured" in claim and reading.kind == "measured"):
        log = logs[claim["evidence"]]
        if log.kind == KINDS[said["measure"]] and reading.data in ("", log.data):
            asked = {**said, "candidates": max(reading.candidates, claim.get("candidates", 1))}
            sure = {"bound": bound(asked, log)} if "confidence" in said else {}
            findings.append(measured(asked | sure, text, log))
    need(bool(findings), "V19", f"nothing in this certificate decides `{text}`")
    for finding in findings:
        need(finding.holds, "V19", f"`{text}` is not met: {finding.detail}")


def together(claims: list[dict[str, Any]]) -> str:
    """The confidence in all claims at once, in words; nothing where none has one."""
    rows = [claim["measured"] for claim in claims if "confidence" in claim.get("measured", {})]
    joint = 1 - sum((1 - Fraction(row["confidence"]) for row in rows), Fraction(0))
    sure = f"with confidence {number(joint)}" if joint > 0 else "with no confidence"
    words = f"; all bounds together hold {sure}, if rows were drawn independently and candidates fixed before"
    return words if rows else ""


def settle(findings: list[Finding]) -> None:
    """V18 unless every claim holds."""
    for finding in findings:
        need(finding.holds, "V18", f"the claim `{finding.text}` is not supported: {finding.detail}")


def number(value: Fraction) -> str:
    """A rational for people: exact when it is short, else rounded to six digits."""
    return str(value.numerator) if value.denominator == 1 else f"{Decimal(value.numerator) / value.denominator:.6g}"
