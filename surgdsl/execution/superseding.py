"""Superseding: the place of a certificate in a row of certificates, each of which replaces the one before.

Without it an older and weaker certificate of the same model could be shown in place of a newer one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import frozen

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.execution import digest
from surgdsl.execution.canonical import LARGEST, Json


@frozen
class Place:
    """A place in the row: how many came before, and the seal of the one that is replaced ("" for the first)."""

    sequence: int = 0
    supersedes: str = ""

    def fields(self) -> dict[str, Json]:
        """What the statement says of it."""
        return {"sequence": self.sequence, **({"supersedes": self.supersedes} if self.supersedes else {})}


FIRST = Place()


def after(folder: Path) -> Place:
    """The place behind the certificate of a published result.

    Raises:
        Refusal: E0717, the folder holds no certificate whose seal is right.
    """
    path = folder / "certificate" / "cert.json"
    try:
        statement: dict[str, Any] = json.loads(path.read_bytes())
        predicate = {**statement["predicate"]}
        seal, sequence = predicate.pop("seal"), predicate["sequence"]
        sound = digest.seal({**statement, "predicate": predicate}) == seal and type(sequence) is int
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        sound, seal, sequence = False, "", 0
    if not sound or not 0 <= sequence < LARGEST:
        told = (f"`{path}` is missing, malformed, or not what its seal was made for",)
        raise Refusal(Diagnostic("E0717", f"`{folder}` holds no certificate", help=told))
    return Place(sequence + 1, seal)
