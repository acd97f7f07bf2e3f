"""Rows: a net in its canonical form, as a table that two nets share exactly when they are isomorphic.

Hashes are taken of the table, and a net can be made from it again, so nothing of a net is lost in it but names of
items, paths and names of weights.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.diagram.canonical import number
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.payload import Payload
from surgdsl.diagram.sort import Sort

Port = tuple[int, int]
"""A wire by who writes it: the row and the port; for the inputs of the net the row is −1."""


@frozen
class Row:
    """An operation: its label, what it reads, and what its results are."""

    name: str
    attributes: tuple[tuple[str, Attribute], ...]
    payload: Payload | None
    sources: tuple[Port, ...]
    sorts: tuple[Sort, ...]


@frozen
class Table:
    """A net: its inputs, its operations in their canonical order, and what leaves it."""

    inputs: tuple[tuple[str, Sort], ...]
    rows: tuple[Row, ...]
    outputs: tuple[tuple[str, Port], ...]
    boundary: tuple[tuple[str, Port], ...]
    """By name."""


def table(net: Net) -> Table:
    """The canonical form of a net, in time linear in its size."""
    graph, order = net.graph, number(net)
    ports = {wire: (-1, port) for port, (_, wire) in enumerate(net.inputs)}
    for place, name in enumerate(order.operations):
        ports |= {wire: (place, port) for port, wire in enumerate(graph.operations[name].targets)}
    rows = tuple(_row(net, graph.operations[name], ports) for name in order.operations)
    return Table(
        tuple((name, net.sort(wire)) for name, wire in net.inputs),
        rows,
        tuple((name, ports[wire]) for name, wire in net.outputs),
        tuple((name, ports[wire]) for name, wire in sorted(net.boundary.items())),
    )


def _row(net: Net, operation: Operation, ports: dict[str, Port]) -> Row:
    sorts = tuple(net.sort(wire) for wire in operation.targets)
    sources = tuple(ports[wire] for wire in operation.sources)
    return Row(operation.name, operation.attributes, operation.payload, sources, sorts)


def decode(found: Table) -> Net:
    """The net of a table, its items named ``w0, w1, …`` and ``o0, o1, …`` by their numbers."""
    sorts = {(-1, port): sort for port, (_, sort) in enumerate(found.inputs)}
    sorts |= {(place, port): sort for place, row in enumerate(found.rows) for port, sort in enumerate(row.sorts)}
    wires = {port: f"w{number}" for number, port in enumerate(sorts)}
    operations = {
        f"o{place}": Operation(
            row.name,
            tuple(wires[port] for port in row.sources),
            tuple(wires[place, port] for port in range(len(row.sorts))),
            row.attributes,
            row.payload,
        )
        for place, row in enumerate(found.rows)
    }
    return Net(
        Hypergraph({wires[port]: sort for port, sort in sorts.items()}, operations),
        tuple((name, wires[-1, port]) for port, (name, _) in enumerate(found.inputs)),
        tuple((name, wires[port]) for name, port in found.outputs),
        {name: wires[port] for name, port in found.boundary},
    )
