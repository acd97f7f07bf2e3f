"""Drawing: a net as a picture, with the axes that can be cut in colour and its interface marked."""

from __future__ import annotations

from typing import Literal

from surgdsl.diagram.canonical import renumber
from surgdsl.diagram.net import Net
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.report.picture.dot import dot
from surgdsl.report.picture.ink import ink
from surgdsl.report.picture.page import page
from surgdsl.report.picture.shape import plain, shape
from surgdsl.report.picture.sketch import sketch
from surgdsl.report.picture.svg import svg

Form = Literal["svg", "dot"]


def draw(net: Net, name: str, form: Form = "svg") -> str:
    """A net, called `name`, as the text of a picture; isomorphic nets give the same text."""
    coupling = couple(renumber(net))
    drawn, twins = sketch(coupling)
    colours = ink(coupling, drawn, twins)
    free = frozenset(coupling.prunable)
    pinned = [axis.name for axis in coupling.members if axis not in free]
    if form == "dot":
        return dot(name, _summary(coupling), drawn, colours, pinned)
    return svg(name, _summary(coupling), page(drawn, colours), colours, pinned)


def _summary(coupling: Coupling) -> str:
    net = coupling.net
    sides = (
        ", ".join(f"{name}: {plain(shape(coupling.dims[wire], ()))}" for name, wire in ports)
        for ports in (net.inputs, net.outputs)
    )
    count = len(coupling.prunable)
    return f"{' → '.join(sides)}   {count} {'axis' if count == 1 else 'axes'} can be cut"
