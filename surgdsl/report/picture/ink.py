"""Ink: which colour and letter every axis has, what the legend says of it, and how wide text is.

There are more axes than colours that everybody can tell apart, so a letter goes along with each colour.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import frozen

from surgdsl.axis.dim import Axis
from surgdsl.axis.extent import show
from surgdsl.operations.coupling import Coupling
from surgdsl.report.picture.detail import span_of
from surgdsl.report.picture.shape import Runs
from surgdsl.report.picture.sketch import Card, Frame, Sketch

PALETTE = ("#1177aa", "#aa5500", "#bb11dd", "#114400", "#dd0044", "#442288", "#662233", "#0000ff")
"""Each at least 4.5 : 1 on white, and apart from every other for every kind of colour vision."""
PINNED = "#5c6470"
CHARACTER = 6.7
"""Pixels of a character of 11 pixels; monospaced fonts differ by a hair, and this is the widest of the usual ones."""
LETTER = 5.0
"""Pixels of a character of an axis' letter, which is set smaller."""


@frozen
class Row:
    """A line of the legend: axes that the picture shows as one, the one it shows first."""

    key: str
    colour: str
    axes: tuple[Axis, ...]
    tensors: int

    @property
    def text(self) -> str:
        """Name, size, and how many tensors have it."""
        names = [axis.name for axis in self.axes]
        name = names[0] if len(names) == 1 else span_of(names[0], names[-1])
        times = f" ×{len(names)}" if len(names) > 1 else ""
        tensors = f"{self.tensors} tensor{'' if self.tensors == 1 else 's'}{' each' if times else ''}"
        return f"{name}{times}  {show(self.axes[0].size)}  {tensors}"


@frozen(slots=False)
class Ink:
    """The legend, and what follows from it."""

    rows: tuple[Row, ...]
    by_axis: Mapping[Axis, Row]

    def width(self, runs: Runs) -> float:
        """Pixels of `runs` with the letters of their axes."""
        letters = sum(len(self.by_axis[run.axis].key) for run in runs if run.axis)
        return sum(advance(run.text) for run in runs) + letters * LETTER


def advance(text: str) -> float:
    """Pixels of `text` in the size of the picture; wide characters take two places.

    >>> advance("漢") == advance("ab")
    True
    """
    return CHARACTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def ink(coupling: Coupling, drawn: Sketch, twins: Mapping[Axis, Axis]) -> Ink:
    """A row for every axis that can be cut, in the order of the net; those of copies share one."""
    visible = frozenset(_axes(drawn))
    rows: dict[Axis, list[Axis]] = {}
    for axis in coupling.prunable:
        rows.setdefault(_drawn(axis, twins, visible), []).append(axis)
    legend: list[Row] = []
    by_axis: dict[Axis, Row] = {}
    for number, (shown, axes) in enumerate(rows.items()):
        tensors = len({member.tensor for member in coupling.members[shown]})
        row = Row(key(number), PALETTE[number % len(PALETTE)], tuple(axes), tensors)
        legend.append(row)
        by_axis |= dict.fromkeys((shown, *axes), row)
    return Ink(tuple(legend), by_axis)


def key(number: int) -> str:
    """The letters of an axis: a, b, … z, aa, ab and so on.

    >>> key(0), key(25), key(26), key(701), key(702)
    ('a', 'z', 'aa', 'zz', 'aaa')
    """
    letters = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("a") + last) + letters
    return letters


def _drawn(axis: Axis, twins: Mapping[Axis, Axis], visible: Collection[Axis]) -> Axis:
    """The axis in whose place `axis` is not drawn; itself where it is, or where none is."""
    place = axis
    while place not in visible and place in twins:
        place = twins[place]
    return place if place in visible else axis


def _axes(drawn: Sketch) -> Iterator[Axis]:
    for runs in _shapes(drawn):
        yield from (run.axis for run in runs if run.axis)


def _shapes(drawn: Sketch) -> Iterable[Runs]:
    for node, writes in zip(drawn.nodes, drawn.writes, strict=True):
        yield from (runs for runs in writes if runs)
        if isinstance(node, Card):
            yield from (line.shape for line in node.lines)
        if isinstance(node, Frame):
            yield from _shapes(node.inner)
