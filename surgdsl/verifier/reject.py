"""Rejection: the one way in which any check says no.

A stable code tells a program what failed, the message tells a person where.
"""

from __future__ import annotations


class Reject(Exception):
    """A certificate is refused: `code` is one of the page's section 9, `message` says what was found and where."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def need(condition: bool, code: str, message: str) -> None:
    """Go on only when `condition` holds; raise Reject otherwise."""
    if not condition:
        raise Reject(code, message)
