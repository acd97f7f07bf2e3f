"""Claims: what the file requires, evaluated from the verifier's own counts and from the prediction log, row by row.

The text of a claim is shown, never believed: what is checked is its structure, and that is what the verdict prints.
"""

from __future__ import annotations

import operator
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.formula import Ground, attested, evaluate, spell
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.statistics import drop

RELATIONS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}
MEASURED_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim: what it says, on what grade of evidence, whether it holds, and the numbers."""

    text: str
    grade: str
    holds: bool
    detail: str


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


def measured(claim: dict[str, Any], text: str, log: dict[str, Any]) -> Finding:
    """A claim over a prediction log; V17 when the recorded bound is below the recomputed one."""
    rows, limit = log["rows"], Fraction(claim["limit"])
    before, after = (sum(row[1] == row[side] for row in rows) for side in (2, 3))
    lost = sum(row[1] == row[2] != row[3] for row in rows)
    won = sum(row[1] == row[3] != row[2] for row in rows)
    value = Fraction(after if claim["measure"] == "accuracy" else before - after, len(rows))
    counts = f"{before}/{len(rows)} right before, {after}/{len(rows)} after, {lost} lost, {won} won"
    said = claim["measure"]
    if "confidence" in claim:
        confidence, bound = Fraction(claim["confidence"]), Fraction(claim["bound"])
        need(0 < confidence < 1, "V18", "a confidence lies strictly between 0 and 1")
        need(len(rows) <= MEASURED_ROWS, "V20", f"a bound over more than {MEASURED_ROWS} rows")
        least = drop(lost, won, len(rows), confidence)
        need(bound >= least, "V17", f"the recorded bound {bound} is below {least}, which the rows of the log give")
        said = f"{said} with confidence {number(confidence)}, at most {number(bound)},"
        value = bound
    detail = f"{said} {claim['relation']} {number(limit)} on {log['data']['name']}: {number(value)}; {counts}"
    return Finding(text, "measured", RELATIONS[claim["relation"]](value, limit), detail)


def check_log(log: dict[str, Any], before: str, after: str) -> None:
    """The log speaks of these two models, holds every row once and in order, and its labels are the data's; V17."""
    need((log["before"], log["after"]) == (before, after), "V17", "the prediction log is of other models")
    rows = log["rows"]
    need(len(rows) == log["data"]["rows"], "V17", "the prediction log has not as many rows as the data")
    need([row[0] for row in rows] == list(range(len(rows))), "V17", "a row of the log is missing, repeated or moved")
    labels = struct.pack(f"<{len(rows)}q", *(row[1] for row in rows))
    found = digests.tensor("I64", (len(rows),), digests.chunks(labels))
    need(found == log["data"]["labels"], "V17", "the labels of the prediction log are not those of the data")


def settle(findings: list[Finding]) -> None:
    """V18 unless every claim holds."""
    for finding in findings:
        if not finding.holds:
            raise Reject("V18", f"the claim `{finding.text}` is not supported: {finding.detail}")


def number(value: Fraction) -> str:
    """A rational for people: exact when it is short, else rounded to six digits."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
