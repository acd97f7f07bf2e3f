"""Faults: what is wrong with a net, a rule or a match, as values.

All faults are collected instead of raising at the first, so that a user sees every reason why a step cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen
class Fault:
    """A broken condition: its code (N1–N4, R1–R5, M, G1–G3, P2), a sentence, and the items that break it."""

    code: str
    message: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def fault(code: str, message: str, broken: Iterable[str]) -> tuple[Fault, ...]:
    """The fault that these items make, or none where there are none.

    >>> fault("G1", "dangling", ["a"]), fault("G1", "dangling", [])
    ((Fault(code='G1', message='dangling', items=('a',)),), ())
    """
    items = tuple(broken)
    return (Fault(code, message, items),) if items else ()
