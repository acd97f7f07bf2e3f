"""Allocations: what was chosen for each place, what that loses, and how far it may be from the best.

A value: the plan carries it, reports show it, and the certificate states its figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from attrs import frozen


@frozen
class Allotted:
    """A place, the values that it takes, how many it could have had, and what that comes to."""

    name: str
    values: str
    options: int
    change: int
    """Of the stored bytes."""
    bytes: int
    """As stored before."""
    loss: float


@frozen
class Allocation:
    """A choice for every place.

    No choice that keeps the limits loses less than `bound` in all, by the figures of the places; `gap` is how far the
    loss may lie above it, as a share of the loss: 0 where the choice is the best there is.
    """

    figure: str
    unit: str
    rows: int
    places: tuple[Allotted, ...]
    loss: float
    bound: float
    gap: Fraction
    method: str
    limits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> Mapping[str, str]:
        """What the certificate attests of it."""
        return {
            "allocation.bound": f"{self.bound:.9g}",
            "allocation.figure": f"{self.figure} ({self.unit})",
            "allocation.gap": f"{float(self.gap):.3g}",
            "allocation.loss": f"{self.loss:.9g}",
            "allocation.method": f"{self.method}, {len(self.places)} places, {self.tried} options",
            "allocation.rows": str(self.rows),
            **({"allocation.notes": "; ".join(self.notes)} if self.notes else {}),
        }

    @property
    def tried(self) -> int:
        """The options of all places."""
        return sum(place.options for place in self.places)

    def told(self) -> Iterator[str]:
        """The totals, in words."""
        exact = "the least there is" if not self.gap else f"at least {self.bound:.4g} (gap {float(self.gap):.2%})"
        yield f"{self.figure}: {self.loss:.4g} {self.unit} in all, {exact}; {self.method}"
        if self.limits:
            yield f"within {'; '.join(self.limits)}"
        yield from self.notes
