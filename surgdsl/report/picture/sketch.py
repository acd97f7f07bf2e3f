"""Sketches: what a picture shows, before it has a size: boxes, frames around repeats, terminals, and who reads whom.

Both forms of a picture, SVG and dot, are written from the same sketch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

from attrs import frozen

from surgdsl.axis.dim import Axis
from surgdsl.diagram.operation import Operation
from surgdsl.operations.coupling import Coupling
from surgdsl.report.picture.detail import details, last_words, own_path, short_name, span_of, weight_name
from surgdsl.report.picture.repeat import Block, Item, fold
from surgdsl.report.picture.shape import Run, Runs, shape
from surgdsl.report.picture.unit import Unit, read_weights, units


@frozen
class Line:
    """A line of a box: a head, a weight, or a step that carries the result on."""

    kind: Literal["head", "weight", "step"]
    name: str
    note: str = ""
    shape: Runs = ()


@frozen
class Card:
    """The box of an operation."""

    lines: tuple[Line, ...]


@frozen
class Terminal:
    """A port of the interface, which no surgery may touch."""

    kind: Literal["input", "output", "boundary"]
    name: str


@frozen
class Port:
    """Where a wire enters or leaves a frame."""

    side: Literal["in", "out"]


@frozen
class Frame:
    """A block that is repeated, drawn once."""

    title: str
    count: int
    inner: Sketch


Node = Card | Terminal | Port | Frame


@frozen
class Edge:
    """A node reads what another writes at a port; `into` says which entry of a frame it is."""

    source: int
    port: int
    target: int
    into: int


@frozen
class Sketch:
    """Nodes, the shapes of what each writes (None where it needs no saying), and edges."""

    nodes: tuple[Node, ...]
    writes: tuple[tuple[Runs | None, ...], ...]
    edges: tuple[Edge, ...]


@frozen
class Scope:
    """Where lines are written: the net, its free axes, and the module whose name goes without saying."""

    coupling: Coupling
    free: Collection[Axis]
    prefix: str

    def wire(self, name: str) -> Runs:
        """The shape of a wire, with its dtype where that is unusual."""
        sort = self.coupling.net.sort(name)
        found = shape(self.coupling.dims[name], self.free)
        return found if sort.dtype == "F32" else (*found, Run(f" {sort.dtype.lower()}"))


def sketch(coupling: Coupling) -> tuple[Sketch, Mapping[Axis, Axis]]:
    """The net of `coupling` with repeats folded, and the axis that is drawn in place of each one that is not."""
    net = coupling.net
    items = fold(coupling, units(net))
    entries = [(Terminal("input", name), wire) for name, wire in net.inputs]
    exits: list[tuple[Node, str]] = [(Terminal("output", name), wire) for name, wire in net.outputs]
    exits += [(Terminal("boundary", name), wire) for name, wire in net.boundary.items()]
    drawn = _sketch(Scope(coupling, frozenset(coupling.prunable), ""), items, entries, exits)
    return drawn, {other: axis for block in _blocks(items) for other, axis in block.twins}


def _blocks(items: Sequence[Item]) -> Iterator[Block]:
    for item in items:
        if isinstance(item, Block):
            yield item
            yield from _blocks(item.items)


def _sketch(
    scope: Scope, items: Sequence[Item], entries: Sequence[tuple[Node, str]], exits: Sequence[tuple[Node, str]]
) -> Sketch:
    nodes: list[Node] = [node for node, _ in entries]
    wires = [(wire,) for _, wire in entries] + [item.targets for item in items]
    writes: list[tuple[Runs | None, ...]] = [
        (None,) if isinstance(node, Port) else (scope.wire(wire),) for node, wire in entries
    ]
    reads: list[tuple[str, ...]] = [()] * len(entries)
    for item in items:
        nodes.append(_card(scope, item) if isinstance(item, Unit) else _frame(scope, item))
        reads.append(item.sources)
        writes.append(_written(scope, item))
    nodes += [node for node, _ in exits]
    reads += [(wire,) for _, wire in exits]
    writes += [()] * len(exits)
    maker = {wire: (node, port) for node, written in enumerate(wires) for port, wire in enumerate(written)}
    edges = [
        Edge(*maker[wire], target, into) for target, sources in enumerate(reads) for into, wire in enumerate(sources)
    ]
    return Sketch(tuple(nodes), tuple(writes), tuple(edges))


def _written(scope: Scope, item: Item) -> tuple[Runs | None, ...]:
    """Shapes of the results; those of a frame are left out where they are the same inside."""
    if isinstance(item, Unit):
        return tuple(map(scope.wire, item.targets))
    pairs = ((scope.wire(outer), scope.wire(inner)) for outer, inner in zip(item.targets, item.inner, strict=True))
    return tuple(None if outer == inner else outer for outer, inner in pairs)


def _frame(scope: Scope, block: Block) -> Frame:
    inner = Scope(scope.coupling, scope.free, block.home)
    entries = [(Port("in"), wire) for wire in block.sources]
    exits = [(Port("out"), wire) for wire in block.inner]
    title = span_of(own_path(block.first, scope.prefix), own_path(block.last, scope.prefix))
    return Frame(title, block.count, _sketch(inner, block.items, entries, exits))


def _card(scope: Scope, unit: Unit) -> Card:
    graph = scope.coupling.net.graph
    lines: list[Line] = []
    for number, name in enumerate(unit.operations):
        operation = graph.operations[name]
        path = last_words(operation.path, unit.path) if number else own_path(operation.path, scope.prefix)
        note = " ".join(word for word in ("" if path == short_name(operation) else path, details(operation)) if word)
        lines.append(Line("step" if number else "head", short_name(operation), note))
        lines += _weights(scope, operation)
    return Card(tuple(lines))


def _weights(scope: Scope, operation: Operation) -> Iterator[Line]:
    """A line for the weights of each shape."""
    consumers = scope.coupling.net.graph.consumers
    named: list[tuple[Runs, str]] = []
    for weight in read_weights(scope.coupling.net, operation):
        wire = weight.targets[0]
        shared = " (shared)" if len(set(consumers[wire])) > 1 else ""
        named.append((scope.wire(wire), weight_name(weight, operation.path, scope.prefix) + shared))
    for runs, group in groupby(named, key=lambda pair: pair[0]):
        yield Line("weight", ", ".join(name for _, name in group), "", runs)
