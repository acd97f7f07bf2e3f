"""The laws of metrics that are sums over operations, on pushouts and derivations (38 to 42), and of long runs (49)."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from surgdsl.diagram.concurrency import composite
from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.item import items
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.parallel import in_layers
from surgdsl.diagram.pushout import Step, apply, replayed
from surgdsl.diagram.rule import Rule
from tests.rewriting_strategies import derivations
from tests.strategies import BINARY, UNARY, VECTOR, matches, matches_in, nets, relabelled

LABELS = (*UNARY, *BINARY, PARAM, "aten.linear.default")
Costs = dict[str, int]
COSTS = st.fixed_dictionaries({label: st.integers(0, 9) for label in LABELS})


def mu(graph: Hypergraph, costs: Costs) -> int:
    """A metric: the sum of what each operation costs."""
    return sum(costs[one.name] for one in graph.operations.values())


def delta(step: Rule, costs: Costs) -> int:
    """What a step of this rule changes, read off the rule."""
    return mu(step.created, costs) - mu(step.deleted, costs)


@given(matches(), COSTS)
def test_valuation(match: Match, costs: Costs) -> None:
    """μ(G) = μ(L) + μ(D) − μ(K), and the same on the other side."""
    step, span = apply(match, "s"), match.rule
    common = mu(step.context, costs) - mu(span.glue, costs)
    assert mu(match.host.graph, costs) == mu(span.left, costs) + common
    assert mu(step.result.graph, costs) == mu(span.right, costs) + common


@given(derivations(), COSTS)
def test_telescoping(derivation: Derivation, costs: Costs) -> None:
    gained = sum(delta(step.match.rule, costs) for step in derivation.steps)
    assert mu(derivation.result.graph, costs) == mu(derivation.start.graph, costs) + gained
    assert delta(composite(derivation).match.rule, costs) == gained


@given(st.data(), COSTS)
def test_delta_depends_only_on_rule(data: st.DataObject, costs: Costs) -> None:
    """The same rule at another match in another net, here the net beside itself, changes as much."""
    match = data.draw(nets().flatmap(matches_in))
    host = doubled(match.host)
    wires = {wire: f"{image}'" for wire, image in match.wires.items()}
    other = Match(match.rule, host, wires, {name: f"{image}'" for name, image in match.operations.items()})
    assert gain(apply(match, "s"), costs) == gain(apply(other, "s"), costs) == delta(match.rule, costs)


def doubled(net: Net) -> Net:
    """A net and a copy of it, side by side."""

    def prime(name: str) -> str:
        return f"{name}'"

    copy = relabelled(net, prime, prime, list(net.graph.operations))
    graph = Hypergraph({**net.graph.wires, **copy.graph.wires}, {**net.graph.operations, **copy.graph.operations})
    return Net(graph, net.inputs + copy.inputs, net.outputs + copy.outputs)


def gain(step: Step, costs: Costs) -> int:
    return mu(step.result.graph, costs) - mu(step.match.host.graph, costs)


ENDS = {"p": VECTOR, "q": VECTOR}


def shorter(first: Operation, second: Operation) -> Rule:
    """Two operations after one another become the second."""
    left = Hypergraph({**ENDS, "h": VECTOR}, {"a": at(first, "p", "h"), "b": at(second, "h", "q")})
    return Rule("shorter", left, Hypergraph(ENDS), Hypergraph(ENDS, {"c": at(second, "p", "q")}))


def at(one: Operation, source: str, target: str) -> Operation:
    return evolve(one, sources=(source,), targets=(target,))


def shortenings(net: Net) -> Iterable[Match]:
    """Every place where a step that makes the net smaller can be taken."""
    for name, second in net.graph.operations.items():
        for maker in net.graph.producers[second.sources[0]] if second.name in UNARY else ():
            first = net.graph.operations[maker]
            if first.name in UNARY:
                wires = {"p": first.sources[0], "h": second.sources[0], "q": second.targets[0]}
                match = Match(shorter(first, second), net, wires, {"a": maker, "b": name})
                if not match.violations():
                    yield match


@given(nets(most=12))
def test_plan_length_is_at_most_the_metric(net: Net) -> None:
    """Steps that strictly decrease a natural number end, whichever comes first, after at most that many."""
    costs: Costs = dict.fromkeys(LABELS, 1)
    derivation = Derivation(net)
    while found := next(iter(shortenings(derivation.result)), None):
        assert delta(found.rule, costs) < 0
        derivation = derivation.then(apply(found, str(len(derivation.steps))))
    assert len(derivation.steps) <= mu(net.graph, costs) - mu(derivation.result.graph, costs) <= mu(net.graph, costs)
    assert derivation.result.faults() == ()


class LongRun(RuleBasedStateMachine):
    """Steps, undoing them, and taking them together or in another order, for as long as one likes."""

    def __init__(self) -> None:
        super().__init__()
        self.start: Net | None = None
        self.derivation = Derivation(Net(Hypergraph(), (), ()))
        self.costs = {label: place + 1 for place, label in enumerate(LABELS)}
        self.taken = 0

    @precondition(lambda self: self.start is None)
    @rule(net=nets())
    def open(self, net: Net) -> None:
        self.start, self.derivation = net, Derivation(net)

    @precondition(lambda self: self.start is not None)
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        self.taken += 1
        match = data.draw(matches_in(self.derivation.result))
        self.derivation = self.derivation.then(apply(match, f"s{self.taken}"))

    @precondition(lambda self: bool(self.derivation.steps))
    @rule()
    def undo(self) -> None:
        self.derivation = self.derivation.then(self.derivation.steps[-1].inverse())

    @rule()
    def forget(self) -> None:
        """Take the steps of each layer together."""
        before = self.derivation.result
        self.derivation = in_layers(self.derivation)
        assert self.derivation.result == before

    @precondition(lambda self: bool(self.derivation.steps))
    @rule()
    def merge(self) -> None:
        before = self.derivation.result
        self.derivation = Derivation(self.derivation.start, (composite(self.derivation),))
        assert self.derivation.result == before

    @rule()
    def replay(self) -> None:
        net = self.derivation.start
        for step in self.derivation.steps:
            net = replayed(step, net).result
        assert net == self.derivation.result

    @invariant()
    def chained(self) -> None:
        """Net, chain and metric hold."""
        assert self.derivation.faults() == ()
        net = self.derivation.result
        assert net.faults() == ()
        gained = sum(delta(step.match.rule, self.costs) for step in self.derivation.steps)
        assert mu(net.graph, self.costs) == mu(self.derivation.start.graph, self.costs) + gained
        assert set(self.derivation.track()) <= items(net.graph.wires, net.graph.operations)


LongRun.TestCase.settings = settings(max_examples=30, stateful_step_count=12)
test_long_runs = LongRun.TestCase
