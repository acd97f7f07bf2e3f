"""Nets as cospans: put one after another or side by side, like the arrows of a category that they are.

What becomes dead where ends are glued (results of the first net that the second ignores) is dropped, since a net holds
no garbage. Composition is associative and has identities, up to the names of items.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.diagram.canonical import number
from surgdsl.diagram.fault import fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.morphism import HypergraphMorphism
from surgdsl.diagram.net import Net
from surgdsl.diagram.pushout import NoPushout
from surgdsl.diagram.square import Corner, pushout

Ends = tuple[tuple[str, str], ...]


def unit(net: Net) -> Net:
    """The net that passes on what `net` puts out, and does nothing: the identity on its outputs."""
    sorts = {str(place): net.sort(wire) for place, (_, wire) in enumerate(net.outputs)}
    ends = tuple((name, str(place)) for place, (name, _) in enumerate(net.outputs))
    return Net(Hypergraph(sorts), ends, ends)


def then(first: Net, second: Net) -> Net:
    """First one net, then the other, whose inputs are the outputs of the first in their order.

    Raises:
        NoPushout: the ends have other sorts or are not as many (M).
    """
    passed = [first.sort(wire) for _, wire in first.outputs]
    if passed != [second.sort(wire) for _, wire in second.inputs]:
        raise NoPushout(fault("M", "the ends do not fit", (name for name, _ in second.inputs)))
    glue = Hypergraph({str(place): sort for place, sort in enumerate(passed)})
    square = pushout(_at(glue, first, first.outputs), _at(glue, second, second.inputs))
    inputs = _moved(first.inputs, square.first.wires)
    return _live(square, first, second, inputs, _moved(second.outputs, square.second.wires))


def beside(first: Net, second: Net) -> Net:
    """Both nets side by side (their tensor product)."""
    nothing = Hypergraph()
    square = pushout(_at(nothing, first, ()), _at(nothing, second, ()))
    inputs = _moved(first.inputs, square.first.wires) + _moved(second.inputs, square.second.wires)
    outputs = _moved(first.outputs, square.first.wires) + _moved(second.outputs, square.second.wires)
    return _live(square, first, second, inputs, outputs)


def _at(glue: Hypergraph, net: Net, ends: Ends) -> HypergraphMorphism:
    return HypergraphMorphism(glue, net.graph, {str(place): wire for place, (_, wire) in enumerate(ends)}, {})


def _moved(ends: Ends, wires: Mapping[str, str]) -> Ends:
    return tuple((name, wires[wire]) for name, wire in ends)


def _live(square: Corner, first: Net, second: Net, inputs: Ends, outputs: Ends) -> Net:
    """The glued net less what reaches no output and no boundary."""
    boundary = {name: square.first.wires[wire] for name, wire in first.boundary.items()}
    boundary |= {name: square.second.wires[wire] for name, wire in second.boundary.items()}
    glued = Net(square.corner, inputs, outputs, boundary)
    alive, graph = number(glued), square.corner
    return Net(
        Hypergraph(
            {wire: graph.wires[wire] for wire in alive.wires},
            {name: graph.operations[name] for name in alive.operations},
        ),
        inputs,
        outputs,
        boundary,
    )
