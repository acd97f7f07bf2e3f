"""Axes, told: what can be cut in a model, what goes along, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from surgdsl.axis.dim import Axis
from surgdsl.operations.coupling import Coupling

TENSORS = 12


def told(coupling: Coupling) -> Iterator[str]:
    """Lines of text, the axes that can be cut first."""
    free = [axis for axis in coupling.prunable if coupling.natural(axis)]
    rough = [axis for axis in coupling.prunable if not coupling.natural(axis)]
    pinned = [axis for axis in coupling.members if axis in coupling.pins and isinstance(axis.size, int)]
    width = max((len(axis.name) for axis in (*free, *rough, *pinned)), default=0)
    yield f"{len(free)} axes can be cut"
    yield from (f"  {axis.name:{width}}  {axis.size!s:>6}  {_members(coupling, axis)}" for axis in free)
    if rough:
        yield ""
        yield f"{len(rough)} axes can be cut, but only approximately, because of what works over them"
        yield from (f"  {axis.name:{width}}  {axis.size!s:>6}  {_works(coupling, axis)}" for axis in rough)
    yield ""
    yield f"{len(pinned)} axes are pinned"
    yield from (f"  {axis.name:{width}}  {axis.size!s:>6}  {coupling.pins[axis]}" for axis in pinned)


def _works(coupling: Coupling, axis: Axis) -> str:
    reasons = coupling.blurs[axis]
    return f"{reasons[0]}" + (f", and {len(reasons) - 1} more" if len(reasons) > 1 else "")


def _members(coupling: Coupling, axis: Axis) -> str:
    places = [f"{member.tensor}[{member.dimension}]" for member in coupling.members[axis]]
    return ", ".join(places[:TENSORS]) + (f" and {len(places) - TENSORS} more" if len(places) > TENSORS else "")


def records(coupling: Coupling) -> Iterator[dict[str, Any]]:
    """One JSON object for each axis."""
    for axis, members in coupling.members.items():
        yield {
            "type": "axis",
            "name": axis.name,
            "size": axis.size if isinstance(axis.size, int) else str(axis.size),
            "pinned": str(coupling.pins[axis]) if axis in coupling.pins else False,
            "natural": coupling.natural(axis),
            "members": [{"tensor": member.tensor, "dimension": member.dimension} for member in members],
        }
