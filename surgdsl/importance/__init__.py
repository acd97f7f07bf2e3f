"""Importance: what each index of an axis is worth, one criterion a file.

Criteria are advice. They choose what goes; nothing that a certificate promises rests on them.
"""

from __future__ import annotations

from surgdsl.importance.criterion import Criterion
from surgdsl.importance.magnitude import MAGNITUDE
from surgdsl.importance.taylor import TAYLOR

CATALOGUE: tuple[Criterion, ...] = (MAGNITUDE, TAYLOR)
"""Every criterion that `by` can name."""

__all__ = ["CATALOGUE", "Criterion"]
