"""An allocation, told: what every place takes, what it weighs then, and what that is reckoned to lose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from surgdsl.planning.allocation.allocation import Allocation, Allotted
from surgdsl.report.figures import amount, table

FEW = 40
"""Places that are told unless all are asked for."""


def told(allocation: Allocation, *, everything: bool = False) -> Iterator[str]:
    """The places as a table, and the totals."""
    shown = allocation.places if everything else allocation.places[:FEW]
    yield "  allocation"
    yield from table([("place", "takes", "of", "before", "after", "loses"), *map(_row, shown)], "    ") if shown else ()
    if len(shown) < len(allocation.places):
        yield f"    … {len(allocation.places) - len(shown)} more: surg plan --verbose"
    yield from (f"    {line}" for line in allocation.told())


def _row(place: Allotted) -> tuple[str, ...]:
    sizes = (amount("size/1", place.bytes), amount("size/1", place.bytes + place.change))
    return (place.name, place.values, str(place.options), *sizes, f"{place.loss:.3g}")


def record(allocation: Allocation) -> dict[str, Any]:
    """The allocation as one JSON object."""
    return {
        "type": "allocation",
        "figure": allocation.figure,
        "unit": allocation.unit,
        "rows": allocation.rows,
        "loss": allocation.loss,
        "bound": allocation.bound,
        "gap": float(allocation.gap),
        "method": allocation.method,
        "limits": list(allocation.limits),
        "notes": list(allocation.notes),
        "places": [
            {
                "name": one.name, "values": one.values, "options": one.options, "loss": one.loss,
                "before": one.bytes, "after": one.bytes + one.change,
            }
            for one in allocation.places
        ],
    }  # fmt: skip
