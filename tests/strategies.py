"""The Hypothesis strategies of the core rooms: extents, dims, nets and rules, built forwards, so nothing is filtered.

Everything is drawn through Hypothesis, so that a counterexample shrinks.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from hypothesis import strategies as st

from surgdsl.axis.dim import Axis, Dim, concat, fuse
from surgdsl.axis.extent import Extent, add, multiply, symbol
from surgdsl.axis.unification import Unification
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given

SYMBOLS = ("B", "S", "T")


def extents() -> st.SearchStrategy[Extent]:
    """Naturals and polynomials in three symbols."""
    leaves: st.SearchStrategy[Extent] = st.integers(0, 6) | st.sampled_from(SYMBOLS).map(symbol)
    return st.recursive(
        leaves, lambda inner: st.builds(add, inner, inner) | st.builds(multiply, inner, inner), max_leaves=6
    )


def bindings() -> st.SearchStrategy[dict[str, int]]:
    """A value for each symbol."""
    return st.fixed_dictionaries({name: st.integers(0, 9) for name in SYMBOLS})


AXES = tuple(Axis(name, extent) for name, extent in (("a", 2), ("b", 3), ("c", 1), ("d", 4), ("e", 2)))


def dims(leaves: tuple[Axis, ...] = AXES) -> st.SearchStrategy[Dim]:
    """Sums and products of a few axes, nested, with repetitions."""

    def nested(inner: st.SearchStrategy[Dim]) -> st.SearchStrategy[Dim]:
        parts = st.lists(inner, min_size=1, max_size=3)
        return parts.map(lambda found: concat(*found)) | parts.map(lambda found: fuse(*found))

    return st.recursive(st.sampled_from(leaves), nested, max_leaves=4)


@st.composite
def sized(draw: st.DrawFn, unification: Unification, total: int, depth: int = 3) -> Dim:
    """A dim of exactly this size: an axis, old or new, a sum or a product of such dims."""
    shape = draw(st.sampled_from(("axis", "sum", "product"))) if depth and total > 1 else "axis"
    if shape == "sum":
        first = draw(st.integers(1, total - 1))
        return concat(draw(sized(unification, first, depth - 1)), draw(sized(unification, total - first, depth - 1)))
    if shape == "product":
        factor = draw(st.sampled_from([n for n in range(1, total + 1) if total % n == 0]))
        return fuse(draw(sized(unification, factor, depth - 1)), draw(sized(unification, total // factor, depth - 1)))
    known = [name for name in unification.born if name.startswith(f"{total}.")]
    if known and draw(st.booleans()):
        return Axis(draw(st.sampled_from(known)), total)
    return unification.fresh(f"{total}.{len(unification.born)}", total)


@st.composite
def equations(draw: st.DrawFn) -> tuple[Unification, list[tuple[Dim, Dim]], list[Dim]]:
    """A few pairs of dims of equal size over shared axes, and some dims to pin."""
    unification = Unification()
    pairs: list[tuple[Dim, Dim]] = []
    for _ in range(draw(st.integers(1, 4))):
        total = draw(st.sampled_from((2, 3, 4, 6, 8, 12)))
        pairs.append((draw(sized(unification, total)), draw(sized(unification, total))))
    flat = [dim for pair in pairs for dim in pair]
    return unification, pairs, draw(st.lists(st.sampled_from(flat), max_size=2))


VECTOR, MATRIX = Sort("F32", (2,)), Sort("F32", (2, 2))
UNARY = ("aten.relu.default", "aten.tanh.default", "aten.neg.default")
BINARY = ("aten.add.Tensor", "aten.mul.Tensor")


@frozen
class Growth:
    """A net while it grows: wires with their sorts, and operations."""

    wires: dict[str, Sort]
    operations: dict[str, Operation]

    def grown(self, name: str, sources: tuple[str, ...], sort: Sort, payload: Payload | None = None) -> str:
        """One more operation with a wire of its own."""
        number = len(self.operations)
        self.wires[f"v{number}"] = sort
        self.operations[f"e{number}"] = Operation(name, sources, (f"v{number}",), (), payload)
        return f"v{number}"

    def kept(self, inputs: tuple[str, ...], outputs: list[str]) -> Net:
        """The cone behind the outputs, as a net."""
        makers = {one.targets[0]: name for name, one in self.operations.items()}
        live, waiting = set[str](), list(outputs)
        while waiting:
            wire = waiting.pop()
            if wire not in live:
                live.add(wire)
                waiting += self.operations[makers[wire]].sources if wire in makers else ()
        operations = {name: one for name, one in self.operations.items() if one.targets[0] in live}
        wires = {wire: sort for wire, sort in self.wires.items() if wire in live or wire in inputs}
        ports = tuple((f"y{number}", wire) for number, wire in enumerate(outputs))
        return Net(Hypergraph(wires, operations), tuple((wire, wire) for wire in inputs), ports)


def param(name: str) -> Payload:
    """A dense parameter from the input file."""
    return Payload(name, "parameter", Dense(), Given(name))


@st.composite
def nets(draw: st.DrawFn, most: int = 8) -> Net:
    """Nets of vectors with linear maps, weights that are sometimes shared, and up to three outputs."""
    growth = Growth({"x": VECTOR, "z": VECTOR}, {})
    vectors, weights = ["x", "z"], list[str]()
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(("unary", "binary", "linear")))
        source = draw(st.sampled_from(vectors))
        if kind == "unary":
            vectors.append(growth.grown(draw(st.sampled_from(UNARY)), (source,), VECTOR))
        elif kind == "binary":
            vectors.append(
                growth.grown(draw(st.sampled_from(BINARY)), (source, draw(st.sampled_from(vectors))), VECTOR)
            )
        else:
            if not weights or draw(st.booleans()):
                weights.append(growth.grown(PARAM, (), MATRIX, param(f"w{number % 2}")))
            weight = draw(st.sampled_from(weights))
            vectors.append(growth.grown("aten.linear.default", (source, weight), VECTOR))
    outputs = draw(st.lists(st.sampled_from(vectors), min_size=1, max_size=3))
    return growth.kept(("x", "z"), outputs)


def relabelled(net: Net, wire: Callable[[str], str], operation: Callable[[str], str], order: list[str]) -> Net:
    """The same net under other names, its operations inserted in another order."""
    moved = {
        operation(name): Operation(
            one.name,
            tuple(map(wire, one.sources)),
            tuple(map(wire, one.targets)),
            one.attributes,
            one.payload,
            one.path,
        )
        for name, one in ((name, net.graph.operations[name]) for name in order)
    }
    return Net(
        Hypergraph({wire(name): net.sort(name) for name in sorted(net.graph.wires, reverse=True)}, moved),
        tuple((name, wire(one)) for name, one in net.inputs),
        tuple((name, wire(one)) for name, one in net.outputs),
        {name: wire(one) for name, one in net.boundary.items()},
    )


@st.composite
def renamings(draw: st.DrawFn, net: Net) -> Net:
    """An isomorphic copy of `net`."""
    wires = dict(
        zip(net.graph.wires, draw(st.permutations([f"p{n}" for n in range(len(net.graph.wires))])), strict=True)
    )
    names = list(net.graph.operations)
    operations = dict(zip(names, draw(st.permutations([f"q{n}" for n in range(len(names))])), strict=True))
    return relabelled(net, wires.__getitem__, operations.__getitem__, draw(st.permutations(names)))


def matches() -> st.SearchStrategy[Match]:
    """A rule with a match that exists by construction, on a net of its own."""
    return nets().flatmap(matches_in)


@st.composite
def matches_in(draw: st.DrawFn, net: Net, among: tuple[str, ...] | None = None, always: tuple[str, ...] = ()) -> Match:
    """A rule that is read off `net`: L is a part of it, K its wires, R the same with other labels.

    Wires that only L touches and that are no ports of the net may be deleted and made anew. L takes operations `among`
    those named, or among all, and `always` some.
    """
    open_to = tuple(net.graph.operations) if among is None else among
    names = draw(st.lists(st.sampled_from(open_to), unique=True)) if open_to else []
    chosen = {name: net.graph.operations[name] for name in net.graph.operations if name in names or name in always}
    ports = dict.fromkeys(wire for one in chosen.values() for wire in one.sources + one.targets)
    left = Hypergraph({wire: net.sort(wire) for wire in ports}, chosen)
    inner = [wire for wire in ports if wire not in net.interface and _only(net, wire, set(chosen))]
    gone = set(draw(st.lists(st.sampled_from(inner), unique=True))) if inner else set[str]()
    touched = {name for name, one in chosen.items() if gone & {*one.sources, *one.targets}}
    replaced = touched | set(draw(st.lists(st.sampled_from(list(chosen)), unique=True)) if chosen else [])
    glue = Hypergraph(
        {wire: sort for wire, sort in left.wires.items() if wire not in gone},
        {name: one for name, one in chosen.items() if name not in replaced},
    )
    rule = Rule("drawn", left, glue, _other(draw, left, glue))
    return Match(rule, net, {wire: wire for wire in left.wires}, {name: name for name in chosen})


def _only(net: Net, wire: str, names: set[str]) -> bool:
    return {*net.graph.producers[wire], *net.graph.consumers[wire]} <= names


def _other(draw: st.DrawFn, left: Hypergraph, glue: Hypergraph) -> Hypergraph:
    def placed(wire: str) -> str:
        return wire if wire in glue.wires else f"{wire}+"

    wires = {placed(wire): sort for wire, sort in left.wires.items()}
    operations = dict(glue.operations)
    for name, one in left.operations.items():
        if name in glue.operations:
            continue
        label = draw(st.sampled_from(UNARY)) if one.name in UNARY else one.name
        sources, targets = tuple(map(placed, one.sources)), tuple(map(placed, one.targets))
        if one.name in UNARY and draw(st.booleans()):
            wires[f"{name}:half"] = VECTOR
            operations[f"{name}:first"] = Operation(label, sources, (f"{name}:half",))
            sources = (f"{name}:half",)
        operations[f"{name}+"] = Operation(label, sources, targets, one.attributes, one.payload)
    return Hypergraph(wires, operations)


@st.composite
def parts(draw: st.DrawFn) -> Match:
    """Any part L of a net, and any part K of L, where most often something dangles; R is K."""
    net = draw(nets(most=3))
    chosen = draw(st.sets(st.sampled_from(sorted(net.graph.operations)))) if net.graph.operations else set[str]()
    left = closed_part(draw, net.graph, chosen)
    held = draw(st.sets(st.sampled_from(sorted(left.operations)))) if left.operations else set[str]()
    glue = closed_part(draw, left, held)
    rule = Rule("drawn", left, glue, glue)
    return Match(rule, net, {wire: wire for wire in left.wires}, {name: name for name in left.operations})


def closed_part(draw: st.DrawFn, graph: Hypergraph, names: set[str]) -> Hypergraph:
    """Some operations with their wires, and a few wires more."""
    ports = {wire for name in names for wire in graph.operations[name].sources + graph.operations[name].targets}
    ports |= draw(st.sets(st.sampled_from(sorted(graph.wires)))) if graph.wires else set()
    return Hypergraph(
        {wire: sort for wire, sort in graph.wires.items() if wire in ports},
        {name: one for name, one in graph.operations.items() if name in names},
    )
