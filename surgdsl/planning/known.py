"""Known: what resolving a step needs besides the state that it meets.

Scores are of the start, and an axis that earlier steps have cut is found in them by the indices that they kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from surgdsl.axis.dim import Axis, whole
from surgdsl.planning.ranking import Rankings


@frozen(eq=False)
class Known:
    """The scores of the start, and which of its indices are still there, by the name of the axis."""

    rankings: Rankings
    kept: dict[str, tuple[int, ...]] = field(factory=dict[str, tuple[int, ...]])

    def left(self, origin: Axis) -> tuple[int, ...]:
        """The indices of an axis of the start that are still there."""
        return self.kept.get(origin.name, tuple(range(whole(origin))))

    def keep(self, axis: Axis, positions: Sequence[int]) -> None:
        """Note that of what is there of an axis only these positions stay."""
        before = self.left(axis)
        self.kept[axis.name] = tuple(before[position] for position in positions)

    def is_now(self, origin: Axis, axis: Axis) -> bool:
        """Whether an axis of the start has become `axis`."""
        return origin.name == axis.name and len(self.left(origin)) == whole(axis)
