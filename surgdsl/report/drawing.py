"""Drawing: a net as a picture, with the axes that can be cut in colour and its interface marked."""

from __future__ import annotations

from surgdsl.operations.coupling import Coupling
from surgdsl.report.picture.ink import ink
from surgdsl.report.picture.layout import scene
from surgdsl.report.picture.shape import plain, shape
from surgdsl.report.picture.sketch import sketch
from surgdsl.report.picture.svg import svg


def draw(coupling: Coupling, name: str) -> str:
    """The net of `coupling` as SVG text; the same net gives the same text."""
    drawn, twins = sketch(coupling)
    colours = ink(coupling, drawn, twins)
    pinned = [axis.name for axis in coupling.members if axis not in set(coupling.prunable)]
    return svg(name, _summary(coupling), scene(drawn, colours), colours, pinned)


def _summary(coupling: Coupling) -> str:
    net = coupling.net
    sides = (
        ", ".join(f"{name}: {plain(shape(coupling.dims[wire], ()))}" for name, wire in ports)
        for ports in (net.inputs, net.outputs)
    )
    return f"{' → '.join(sides)}   {len(coupling.prunable)} axes can be cut"
