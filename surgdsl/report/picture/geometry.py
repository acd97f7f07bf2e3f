"""Geometry: what lies where on the page, in pixels from its upper left corner."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from surgdsl.report.picture.shape import Runs
from surgdsl.report.picture.sketch import Card, Frame, Terminal

Point = tuple[float, float]


@frozen
class Box:
    """A node where it stands."""

    node: Card | Terminal | Frame
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box | Tag) -> bool:
        """Whether the two have a point inside in common."""
        beside = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (beside or self.y + self.height <= other.y or other.y + other.height <= self.y)


@frozen
class Tag:
    """The shape of a wire, on it."""

    runs: Runs
    x: float
    y: float
    width: float
    height: float


@frozen
class Curve:
    """A piece of a wire: `bent` from its first point to its last, or straight through all with round corners."""

    points: tuple[Point, ...]
    arrow: bool = False
    bent: bool = False


@frozen
class Scene:
    """Everything that is drawn, frames before what they hold."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    tags: tuple[Tag, ...] = ()
    curves: tuple[Curve, ...] = ()

    def shifted(self, dx: float, dy: float) -> Scene:
        """The same elsewhere; the size stays."""
        return evolve(
            self,
            boxes=tuple(evolve(box, x=box.x + dx, y=box.y + dy) for box in self.boxes),
            tags=tuple(evolve(tag, x=tag.x + dx, y=tag.y + dy) for tag in self.tags),
            curves=tuple(evolve(one, points=tuple((x + dx, y + dy) for x, y in one.points)) for one in self.curves),
        )


def together(width: float, height: float, scenes: Iterable[Scene]) -> Scene:
    """Scenes over each other on a page of this size."""
    parts = tuple(scenes)
    return Scene(
        width,
        height,
        tuple(box for part in parts for box in part.boxes),
        tuple(tag for part in parts for tag in part.tags),
        tuple(curve for part in parts for curve in part.curves),
    )
