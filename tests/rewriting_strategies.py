"""The Hypothesis strategies of the laws of rewriting: morphisms, squares, spans of any kind, steps and derivations.

All are built forwards from a net: what a law asks for exists by construction, and nothing is drawn and thrown away.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import strategies as st

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.morphism import HypergraphMorphism
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.pushout import apply
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from tests.strategies import BINARY, MATRIX, UNARY, VECTOR, closed_part, matches, matches_in, nets, param


def sets(most: int = 2, least: int = 0) -> st.SearchStrategy[Hypergraph]:
    """Finite sets, as graphs of wires alone."""
    return st.integers(least, most).map(lambda count: Hypergraph(dict.fromkeys(map(str, range(count)), VECTOR)))


@st.composite
def functions(draw: st.DrawFn, dom: Hypergraph, cod: Hypergraph) -> HypergraphMorphism:
    """Any function between two sets, of which the second is not empty."""
    return HypergraphMorphism(dom, cod, {one: draw(st.sampled_from(list(cod.wires))) for one in dom.wires}, {})


@st.composite
def unfoldings(draw: st.DrawFn, graph: Hypergraph, most: int = 3) -> HypergraphMorphism:
    """A morphism into `graph`, often not injective: copies of operations, whose wires are shared or not."""
    wires, images = dict[str, Sort](), dict[str, str]()

    def above(wire: str) -> str:
        """A wire over `wire`, an old one or a new one."""
        known = [one for one, image in images.items() if image == wire]
        if known and draw(st.booleans()):
            return draw(st.sampled_from(known))
        name = f"u{len(images)}"
        wires[name], images[name] = graph.wires[wire], wire
        return name

    operations, names = dict[str, Operation](), dict[str, str]()
    for copied in draw(st.lists(st.sampled_from(list(graph.operations)), max_size=most)) if graph.operations else []:
        one = graph.operations[copied]
        moved = evolve(one, sources=tuple(map(above, one.sources)), targets=tuple(map(above, one.targets)))
        operations[f"c{len(names)}"], names[f"c{len(names)}"] = moved, copied
    for wire in draw(st.lists(st.sampled_from(list(graph.wires)), max_size=2)) if graph.wires else []:
        above(wire)
    return HypergraphMorphism(Hypergraph(wires, operations), graph, images, names)


@st.composite
def subgraphs(draw: st.DrawFn, graph: Hypergraph) -> Hypergraph:
    """Any part of a graph that has the wires of its operations."""
    names = draw(st.sets(st.sampled_from(list(graph.operations)))) if graph.operations else set[str]()
    return closed_part(draw, graph, names)


@st.composite
def chains(draw: st.DrawFn, length: int, most: int = 4) -> tuple[Hypergraph, ...]:
    """A graph, a part of it, a part of that: `length` graphs, the smallest first."""
    found = [draw(nets(most=most)).graph]
    while len(found) < length:
        found.insert(0, draw(subgraphs(found[0])))
    return tuple(found)


@st.composite
def returning(draw: st.DrawFn) -> Match:
    """A match that a path leaves and comes back to: the first and the last of some operations in a row."""
    net = draw(nets(most=6))
    wires, operations, outputs = dict(net.graph.wires), dict(net.graph.operations), list(net.outputs)
    at = draw(st.sampled_from([wire for wire, sort in wires.items() if sort == VECTOR]))
    names = ["first", *(f"middle {number}" for number in range(draw(st.integers(1, 2)))), "last"]
    for name in names:
        sources = (at,) if draw(st.booleans()) else (at, draw(st.sampled_from([net.inputs[0][1], at])))
        label = draw(st.sampled_from(UNARY if len(sources) == 1 else BINARY))
        wires[f"after {name}"], at = VECTOR, f"after {name}"
        operations[name] = Operation(label, sources, (at,))
        if draw(st.booleans()):
            outputs.append((f"out {name}", at))
    host = evolve(net, graph=Hypergraph(wires, operations), outputs=(*outputs, ("end", at)))
    return draw(matches_in(host, tuple(net.graph.operations), ("first", "last")))


@st.composite
def rewirings(draw: st.DrawFn) -> Match:
    """A match of a rule whose R connects the wires of K in any acyclic way: its result may be a net or not."""
    match = draw(matches() | returning())
    left = match.rule.left
    made = [wire for wire in match.rule.glue.wires if left.producers[wire]]
    given = [wire for wire in match.rule.glue.wires if not left.producers[wire] and left.wires[wire] == VECTOR]
    operations: dict[str, Operation] = {}
    for wire in draw(st.permutations(made)):
        operations[f"new {wire}"] = _maker(draw, given, wire, left.wires[wire])
        given += [wire] if left.wires[wire] == VECTOR else []
    glue = Hypergraph(match.rule.glue.wires)
    rule = Rule("rewired", left, glue, Hypergraph(glue.wires, operations))
    return evolve(match, rule=rule)


def _maker(draw: st.DrawFn, given: list[str], wire: str, sort: Sort) -> Operation:
    if sort == MATRIX or not given:
        return Operation(PARAM, (), (wire,), (), param("new"))
    if draw(st.booleans()):
        return Operation(draw(st.sampled_from(UNARY)), (draw(st.sampled_from(given)),), (wire,))
    pair = draw(st.sampled_from(given)), draw(st.sampled_from(given))
    return Operation(draw(st.sampled_from(BINARY)), pair, (wire,))


@st.composite
def independent_pairs(draw: st.DrawFn) -> tuple[Match, Match]:
    """Two matches on one net whose operations are different, so that what both touch both keep."""
    net = draw(nets())
    mine = {name for name in net.graph.operations if draw(st.booleans())}
    sides = (tuple(mine & set(net.graph.operations)), tuple(set(net.graph.operations) - mine))
    first, second = (draw(matches_in(net, tuple(sorted(side)))) for side in sides)
    return first, second


def pairs() -> st.SearchStrategy[tuple[Match, Match]]:
    """Any two matches on one net."""
    return nets().flatmap(lambda net: st.tuples(matches_in(net), matches_in(net)))


@st.composite
def derivations(draw: st.DrawFn, most: int = 4) -> Derivation:
    """A few steps from a net, each at any place of the one before's result; new items of step k are called ``k.…``."""
    derivation = Derivation(draw(nets()))
    for number in range(draw(st.integers(1, most))):
        derivation = derivation.then(apply(draw(matches_in(derivation.result)), str(number)))
    return derivation


@st.composite
def bounded(draw: st.DrawFn) -> Net:
    """A net of which some wires are a declared boundary."""
    net = draw(nets())
    held = draw(st.lists(st.sampled_from(list(net.graph.wires)), max_size=2, unique=True))
    return evolve(net, boundary={f"held {place}": wire for place, wire in enumerate(held)})
