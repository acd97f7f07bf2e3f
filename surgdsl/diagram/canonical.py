"""Canonical numbering: a complete, linear-time isomorphism invariant of nets.

Ports and ordered outputs leave no choice, so walking backwards from the outputs numbers every operation in one way.
Equal rows mean isomorphic nets; hashing sub-terms would not do, because it equates a shared weight with two equal
copies.
"""

from __future__ import annotations

from attrs import evolve, frozen

from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net


@frozen
class Numbering:
    """The order of a net's operations and wires: position in the tuple is the number."""

    operations: tuple[str, ...]
    wires: tuple[str, ...]


def number(net: Net) -> Numbering:
    """Operations at first completion of a backward depth-first search from the outputs; wires as they are then met."""
    graph, done = net.graph, dict[str, None]()
    roots = [wire for _, wire in net.outputs] + [wire for _, wire in sorted(net.boundary.items())]
    for root in roots:
        stack = [(name, False) for name in graph.producers[root]]
        while stack:
            name, complete = stack.pop()
            if complete:
                done.setdefault(name)
            elif name not in done:
                stack.append((name, True))
                sources = graph.operations[name].sources
                stack += [
                    (maker, False) for wire in reversed(sources) for maker in graph.producers[wire] if maker not in done
                ]
    wires = dict.fromkeys(wire for _, wire in net.inputs)
    wires |= dict.fromkeys(wire for name in done for wire in graph.operations[name].targets)
    return Numbering(tuple(done), tuple(wires))


def renumber(net: Net) -> Net:
    """The same net with its items named ``o0, o1, …`` and ``w0, w1, …`` by their numbers."""
    order = number(net)
    wires = {wire: f"w{position}" for position, wire in enumerate(order.wires)}
    operations = {
        f"o{position}": evolve(
            net.graph.operations[name],
            sources=tuple(wires[wire] for wire in net.graph.operations[name].sources),
            targets=tuple(wires[wire] for wire in net.graph.operations[name].targets),
        )
        for position, name in enumerate(order.operations)
    }
    return Net(
        Hypergraph({wires[wire]: net.graph.wires[wire] for wire in order.wires}, operations),
        tuple((name, wires[wire]) for name, wire in net.inputs),
        tuple((name, wires[wire]) for name, wire in net.outputs),
        {name: wires[wire] for name, wire in net.boundary.items()},
    )
