"""Seeing: how many rows of the evidence a surgery has looked at itself, in training, calibration, scores or choices.

What is measured on such rows says little of others. Rows are compared by their bytes, so that neither another name nor
another order hides them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from surgdsl.bridge.source import Rows
from surgdsl.language.program import DataName, SurgeryDecl
from surgdsl.planning.opening import Opened


def seen(opened: Opened, rows: Rows) -> int:
    """How many of the rows are among those that the surgery has read for its steps."""
    names = [name for name in dict.fromkeys(looked_at(opened.surgery)) if name in opened.read]
    known = {key for name in names for key in _keys(opened.read[name])}
    return sum(key in known for key in _keys(rows)) if known else 0


def looked_at(surgery: SurgeryDecl) -> Iterator[str]:
    """The data that steps, recovery and choices name."""
    for step in surgery.steps:
        yield from (value.name for value in step.arguments.values() if isinstance(value, DataName))
    recovers = (surgery.recover, *(step.recover for step in surgery.steps))
    yield from (one.data for one in recovers if one is not None)
    if surgery.objective is not None and surgery.objective.data is not None:
        yield surgery.objective.data


def _keys(rows: Rows) -> Iterator[bytes]:
    """A digest of the inputs of each row."""
    for place in range(len(rows)):
        found = hashlib.blake2b(digest_size=16)
        for array in rows.inputs:
            found.update(array[place].tobytes())
        yield found.digest()
