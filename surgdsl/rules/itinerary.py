"""Itineraries: the order in which the boxes of L are looked for, from one anchor.

Known when a rule is declared: an L that one anchor does not reach is in pieces, and nothing would say which pieces of a
net belong together.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from surgdsl.rules.schema import Box, Schema


@frozen
class Visit:
    """One step of the search: to the box with this number, over `wire`, backwards to its writer or forwards."""

    box: int
    wire: str
    backward: bool


def itinerary(schema: Schema) -> tuple[Visit, ...] | None:
    """The boxes of L in order, the writer of the last wire of K first; None where L is in pieces."""
    boxes = schema.left
    anchor = anchored(schema)
    known = dict.fromkeys((*boxes[anchor].sources, *boxes[anchor].targets))
    visits, seen = [Visit(anchor, boxes[anchor].targets[0], backward=True)], {anchor}
    while len(seen) < len(boxes):
        step = next((visit for wire in known for visit in _next(boxes, wire, seen)), None)
        if step is None:
            return None
        visits.append(step)
        seen.add(step.box)
        known |= dict.fromkeys((*boxes[step.box].sources, *boxes[step.box].targets))
    return tuple(visits)


def anchored(schema: Schema) -> int:
    """The number of the box that writes the last wire of K that L writes: nothing of L lies behind it."""
    outputs = [port.wire for port in schema.glue if port.wire not in schema.inputs]
    return next((at for at, box in enumerate(schema.left) if outputs and outputs[-1] in box.targets), 0)


def _next(boxes: tuple[Box, ...], wire: str, seen: set[int]) -> Iterator[Visit]:
    for at, box in enumerate(boxes):
        if at not in seen and wire in box.targets:
            yield Visit(at, wire, backward=True)
    for at, box in enumerate(boxes):
        if at not in seen and wire in box.sources:
            yield Visit(at, wire, backward=False)
