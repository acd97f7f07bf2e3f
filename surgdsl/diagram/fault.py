"""Faults: what is wrong with a net, a rule or a match, as values.

All faults are collected instead of raising at the first, so that a user sees every reason why a step cannot be.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Fault:
    """A broken condition: its code (N1–N4, R1–R5, G1, G3, M), a sentence, and the items that break it."""

    code: str
    message: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
