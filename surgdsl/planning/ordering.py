"""Ordering: for each pair of steps that the file leaves in no order, whether one is needed.

Both orders are rehearsed. Steps that touch nothing of each other are independent. Steps that do, but each of which does
the same whether the other one was done or not, and whose two orders come to the same net with weights of the same
provenance, join. For all others the order matters, and the file must say which it is. Source: local Church–Rosser
(Ehrig, Pfender, Schneider 1973); ground joinability for the second verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import combinations
from typing import Literal

from attrs import field, frozen

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.item import Item
from surgdsl.diagram.operation import PARAM
from surgdsl.diagram.pushout import NoPushout
from surgdsl.diagram.rows import table
from surgdsl.language.composition import Pair, before, layers
from surgdsl.language.program import StepDecl, SurgeryDecl
from surgdsl.planning.action import Unforeseen
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.rehearsing import Rehearsal, Stage, opening_stage, rehearse

Verdict = Literal["independent", "joinable", "order matters"]
Kind = Literal["delete-delete", "delete-use", "use-delete"]


@frozen
class Finding:
    """What was found of a pair of steps.

    `shared` are the weights that come out otherwise in the other order; or, where none does, the places that one step
    deletes and the other one needs, by the worst `kind` of conflict. `impossible` is the order, if one is, that cannot
    be carried out at all.
    """

    first: str
    second: str
    verdict: Verdict
    shared: tuple[str, ...] = ()
    kind: Kind | None = None
    unforeseen: str | None = None
    """The step that depends on values which no rehearsal has."""
    impossible: Pair | None = None


@frozen
class Ordering:
    """The layers of a surgery, each of steps that may run side by side, and every pair that was looked at."""

    layers: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...] = ()


Outcome = Rehearsal | Refusal | NoPushout | Unforeseen


@frozen(slots=False, eq=False)
class Rehearsals:
    """The rehearsals of a surgery, each done once: by the steps before, and the step."""

    surgery: SurgeryDecl
    rankings: Rankings
    known: dict[tuple[str, ...], Outcome] = field(factory=dict[tuple[str, ...], Outcome])

    @cached_property
    def steps(self) -> Mapping[str, StepDecl]:
        """The steps by name."""
        return {step.name: step for step in self.surgery.steps}

    @cached_property
    def start(self) -> Stage:
        """The input."""
        return opening_stage(self.rankings.opened.start)

    def of(self, *names: str) -> Outcome:
        """What the last of these steps does after the others."""
        if names not in self.known:
            self.known[names] = self._rehearsed(names)
        return self.known[names]

    def _rehearsed(self, names: tuple[str, ...]) -> Outcome:
        *others, last = names
        earlier = self.of(*others) if others else None
        if earlier is not None and not isinstance(earlier, Rehearsal):
            return earlier
        try:
            return rehearse(self.rankings, self.steps[last], earlier.after if earlier else self.start)
        except (Refusal, NoPushout, Unforeseen) as failure:
            return failure


def ordering(surgery: SurgeryDecl, rankings: Rankings) -> Ordering:
    """The verdict of every pair that stands in no order, and the layers that follow."""
    order = before(surgery.order) if surgery.order else frozenset[Pair]()
    found = tuple(findings(Rehearsals(surgery, rankings), order))
    follow = order | {(one.first, one.second) for one in found if one.verdict != "independent"}
    return Ordering(layers([step.name for step in surgery.steps], frozenset(follow)), found)


def findings(rehearsals: Rehearsals, order: frozenset[Pair]) -> Iterator[Finding]:
    """What is found of every pair that `order`, which is transitive, leaves open.

    A pair is looked at where both may come next: after all that must come before one of them.
    """
    names = tuple(rehearsals.steps)
    for first, second in combinations(names, 2):
        if (first, second) not in order and (second, first) not in order:
            earlier = tuple(name for name in names if (name, first) in order or (name, second) in order)
            yield from _finding(rehearsals, earlier, first, second)


def _finding(rehearsals: Rehearsals, earlier: tuple[str, ...], first: str, second: str) -> Iterator[Finding]:
    """What is found of two steps; nothing where neither order can be carried out, which planning tells better."""
    forth, back = rehearsals.of(*earlier, first, second), rehearsals.of(*earlier, second, first)
    unforeseen = next((one.args[0] for one in (forth, back) if isinstance(one, Unforeseen)), None)
    if unforeseen is not None:
        yield Finding(first, second, "order matters", unforeseen=unforeseen)
    elif isinstance(forth, Rehearsal) and isinstance(back, Rehearsal):
        yield _compared(rehearsals, earlier, first, second)
    elif isinstance(forth, Rehearsal) or isinstance(back, Rehearsal):
        impossible = (second, first) if isinstance(forth, Rehearsal) else (first, second)
        shared, kind = _touched(rehearsals, earlier, first, second)
        yield Finding(first, second, "order matters", shared, kind, None, impossible)


def _compared(rehearsals: Rehearsals, earlier: tuple[str, ...], first: str, second: str) -> Finding:
    forth, back = rehearsals.of(*earlier, first, second), rehearsals.of(*earlier, second, first)
    assert isinstance(forth, Rehearsal)
    assert isinstance(back, Rehearsal)
    one, other = forth.after.state, back.after.state
    if table(one.net) == table(other.net):  # as equal plan hashes say, in less time
        if not _same(rehearsals, earlier, first, second):
            return Finding(first, second, "order matters")
        shared, kind = _touched(rehearsals, earlier, first, second)
        return Finding(first, second, "joinable" if shared else "independent", shared, kind)
    return Finding(first, second, "order matters", _apart(one, other))


def _same(rehearsals: Rehearsals, earlier: tuple[str, ...], first: str, second: str) -> bool:
    """Whether each of two steps does the same whether the other one was done or not.

    Shares of shares of one axis may agree for two steps by the luck of their rounding, and not for three.
    """
    before = rehearsals.of(*earlier, first), rehearsals.of(*earlier, second)
    after = rehearsals.of(*earlier, second, first), rehearsals.of(*earlier, first, second)
    pairs = zip(before, after, strict=True)
    return all(isinstance(one, Rehearsal) and isinstance(two, Rehearsal) and one.did == two.did for one, two in pairs)


def _touched(
    rehearsals: Rehearsals, earlier: tuple[str, ...], first: str, second: str
) -> tuple[tuple[str, ...], Kind | None]:
    """The places that both of two steps delete; or else that one deletes and the other needs."""
    one, other = rehearsals.of(*earlier, first), rehearsals.of(*earlier, second)
    if not (isinstance(one, Rehearsal) and isinstance(other, Rehearsal)):
        return (), None
    stage = rehearsals.of(*earlier) if earlier else None
    state = stage.after.state if isinstance(stage, Rehearsal) else rehearsals.start.state
    atoms: tuple[tuple[Kind, frozenset[Item]], ...] = (
        ("delete-delete", one.deletes & other.deletes),
        ("delete-use", one.deletes & other.reads),
        ("use-delete", one.reads & other.deletes),
    )
    for kind, items in atoms:
        if items:
            return _places(state, items), kind
    return (), None


def _places(state: State, shared: frozenset[Item]) -> tuple[str, ...]:
    """What a user knows items by: weights by name; where there are none, the modules that are called."""
    operations = state.net.graph.operations
    names = {item.name for item in shared if item.kind == "operation"}
    wires = {item.name for item in shared if item.kind == "wire"}
    names |= {name for wire in wires for name in state.net.graph.producers[wire]}
    found = [operation for name, operation in operations.items() if name in names]
    weights = [one.payload.base for one in found if one.name == PARAM and one.payload]
    calls = dict.fromkeys(one.path or one.name for one in found)
    return tuple(weights) or tuple(calls) or tuple(sorted(item.name for item in shared))


def _apart(one: State, other: State) -> tuple[str, ...]:
    """The weights that two states have in different ways, or the modules whose calls differ."""
    payloads = [
        {operation.payload.base: operation.payload for operation in state.net.params().values() if operation.payload}
        for state in (one, other)
    ]
    names = [
        name for name in dict.fromkeys((*payloads[0], *payloads[1])) if payloads[0].get(name) != payloads[1].get(name)
    ]
    return tuple(names)
