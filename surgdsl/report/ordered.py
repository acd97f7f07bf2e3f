"""The order of a plan, told: its layers, and what was found of every pair that the file leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from surgdsl.planning.disorder import between
from surgdsl.planning.ordering import Finding
from surgdsl.planning.plan import Plan


def told(plan: Plan) -> Iterator[str]:
    """The order as lines of text; none where there is one step at most."""
    if len(plan.steps) < 2:
        return
    whose = "as the file says" if plan.opened.surgery.order else "derived"
    yield f"  order     {' >> '.join(map(_beside, plan.ordering.layers))}    {whose}"
    yield from (f"            {_pair(one)}" for one in plan.ordering.findings)


def _beside(layer: tuple[str, ...]) -> str:
    return layer[0] if len(layer) == 1 else f"({' | '.join(layer)})"


def _pair(one: Finding) -> str:
    pair = f"{one.first}, {one.second}"
    if one.verdict == "independent":
        return f"{pair}: independent"
    return f"{pair}: {between(one)}, and either order gives the same"


def records(plan: Plan) -> Iterator[dict[str, Any]]:
    """The order as a JSON object."""
    yield {
        "type": "order",
        "layers": [list(layer) for layer in plan.ordering.layers],
        "pairs": [
            {"first": one.first, "second": one.second, "verdict": one.verdict, "shared": list(one.shared)}
            for one in plan.ordering.findings
        ],
    }
