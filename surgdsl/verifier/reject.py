"""Rejection: the one way in which any check says no.

A stable code tells a program what failed, the message tells a person where.
"""

from __future__ import annotations

CODES = {
    "V01": "file missing, not regular, too large, stray",
    "V02": "not canonical JSON",
    "V03": "schema: unknown, missing or ill-typed field",
    "V04": "seal or blob digest",
    "V05": "chain, index or order of steps",
    "V06": "graph or manifest digest of a state",
    "V07": "weight file malformed or not canonical",
    "V08": "tensor digest differs, tensor missing or extra",
    "V09": "typing or unknown operation",
    "V10": "rule ill-formed",
    "V11": "match or gluing (dangling, interface) fails",
    "V12": "the result is not a net",
    "V13": "metric differs from the recount, or does not fall",
    "V14": "schema of the rule not met, or not authorised",
    "V15": "weights differ from the recomputation, or an encoding is invalid",
    "V16": "interface or boundary changed",
    "V17": "evidence: log incomplete, miscounted, for other models or data",
    "V18": "a claim is not supported",
    "V19": "the auditor's expectation is not met",
    "V20": "a limit is exceeded",
    "V21": "a promise trusts Python that the auditor has not named",
}


class Reject(Exception):
    """A certificate is refused: `code` is one of CODES, `message` says what was found and where."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def need(condition: bool, code: str, message: str) -> None:
    """Go on only when `condition` holds; raise Reject otherwise."""
    if not condition:
        raise Reject(code, message)
