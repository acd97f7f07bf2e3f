"""Bodies: how large each node is, and where its wires enter and leave, before it has a place."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from surgdsl.report.picture.geometry import Box, Curve, Scene, Tag
from surgdsl.report.picture.ink import CHARACTER, Ink, advance
from surgdsl.report.picture.shape import Runs
from surgdsl.report.picture.sketch import Card, Frame, Line, Node, Port, Terminal

LINE, PAD, INDENT = 16.0, 9.0, 12.0
BAND = 26.0
"""The height of a frame's title."""
MARGIN = 14.0
TAG, STUB = 16.0, 7.0
"""The height of a tag, and of the wire above it."""
HEAD = 12 / 11
"""The name of an operation is set in 12 pixels."""


@frozen
class Body:
    """A measured node; offsets count from its left edge. `drop` is the room below for tags."""

    node: Node
    width: float
    height: float
    outs: tuple[float, ...] = ()
    tags: tuple[tuple[Runs, float] | None, ...] = ()
    ins: tuple[float, ...] | None = None
    """Where wires enter, by number; None where any place on the upper edge will do."""
    inner: Scene | None = field(default=None, repr=False)

    @property
    def drop(self) -> float:
        """Height of the tags."""
        return STUB + TAG if any(self.tags) else 0.0

    def placed(self, x: float, y: float) -> Scene:
        """The node with its upper left corner there, its tags, and the wires from its edge through them."""
        boxes = () if isinstance(self.node, Port) else (Box(self.node, x, y, self.width, self.height),)
        bottom = y + self.height
        tags = tuple(
            Tag(tag[0], x + out - tag[1] / 2, bottom + STUB, tag[1], TAG)
            for out, tag in zip(self.outs, self.tags, strict=True)
            if tag
        )
        stubs = tuple(Curve(((x + out, bottom), (x + out, bottom + self.drop))) for out in self.outs if self.drop)
        inner = self.inner.shifted(x, y) if self.inner else Scene(0, 0)
        return Scene(self.width, self.height, boxes + inner.boxes, tags + inner.tags, stubs + inner.curves)


def body(node: Card | Terminal | Port, writes: Sequence[Runs | None], ink: Ink) -> Body:
    """Measure a node that holds no others."""
    tags, spread = _tags(writes, ink)
    if isinstance(node, Card):
        width = max(spread, *(_width(line, ink) for line in node.lines))
        height = LINE * len(node.lines) + PAD
    elif isinstance(node, Terminal):
        width, height = max(advance(f"{node.kind} {node.name}") * HEAD + 3 * PAD, spread), LINE + PAD
    else:
        width, height = 12.0, 0.0
    return Body(node, width, height, _ports(tags, width), tags)


def frame_body(
    node: Frame, writes: Sequence[Runs | None], ink: Ink, inner: Scene, ports: tuple[Sequence[float], Sequence[float]]
) -> Body:
    """Measure a frame around `inner`, whose wires enter and leave at `ports`."""
    tags, _ = _tags(writes, ink)
    width = max(inner.width, advance(title(node)) * HEAD + 2 * PAD) + 2 * MARGIN
    left = (width - inner.width) / 2
    ins, outs = (tuple(left + x for x in side) for side in ports)
    height = BAND + inner.height + MARGIN
    threads = tuple(Curve(((x, 0.0), (x, BAND))) for x in ins)
    threads += tuple(Curve(((x, BAND + inner.height), (x, height))) for x in outs)
    shifted = inner.shifted(left, BAND)
    scene = Scene(width, height, shifted.boxes, shifted.tags, shifted.curves + threads)
    return Body(node, width, height, outs, tags, ins, scene)


def title(node: Frame) -> str:
    """What stands at the top of a frame."""
    return f"{node.title}  × {node.count}"


def _tags(writes: Sequence[Runs | None], ink: Ink) -> tuple[tuple[tuple[Runs, float] | None, ...], float]:
    """The tags with their widths, and the width of all of them side by side."""
    tags = tuple((runs, ink.width(runs) + 8) if runs else None for runs in writes)
    return tags, sum(tag[1] + PAD for tag in tags if tag) - PAD


def _ports(tags: Sequence[tuple[Runs, float] | None], width: float) -> tuple[float, ...]:
    """Where wires leave: in the middle, or beside each other as far apart as their tags."""
    widths = [tag[1] if tag else CHARACTER for tag in tags]
    x = (width - sum(widths) - PAD * (len(widths) - 1)) / 2
    found: list[float] = []
    for wide in widths:
        found.append(x + wide / 2)
        x += wide + PAD
    return tuple(found)


def _width(line: Line, ink: Ink) -> float:
    indent = INDENT if line.kind == "weight" else 0.0
    name = advance(line.name) * (HEAD if line.kind == "head" else 1)
    note = advance(f"  {line.note}") if line.note else 0.0
    shape = ink.width(line.shape) + 2 * CHARACTER if line.shape else 0.0
    return indent + name + note + shape + 2 * PAD
