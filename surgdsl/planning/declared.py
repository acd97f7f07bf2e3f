"""Declared rules of a step: where they apply, what is left alone and why, and round after round where it is exhaustive.

A place is meant when one of its boxes lies where the selector says and none where it excepts. Places that share more
than wires which both keep are taken in the order of the net; of two that meet, the later is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial

from attrs import evolve, field, frozen

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.pushout import NoPushout
from surgdsl.language.program import DataName, StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import data
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import selected
from surgdsl.rules.discharge import Refuted, discharge
from surgdsl.rules.itinerary import anchored
from surgdsl.rules.matching import Form, Site
from surgdsl.rules.schema import Schema
from surgdsl.surgery.declared import Apply, paths, sites
from surgdsl.surgery.measured import Measured

MANY = 1_000_000
"""The number of the first rewrite of a rehearsal: above that of any that is done."""


@frozen(eq=False)
class Found:
    """A place of a schema: the site or why it is none, and where its boxes were called."""

    schema: Schema
    site: Site | None
    form: Form
    reason: str
    paths: tuple[str, ...]
    position: int

    @property
    def place(self) -> str:
        """The place in words."""
        return ", ".join(dict.fromkeys(path for path in self.paths if path)) or "the model"


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """The applications of the rules of a step, in order.

    Raises:
        Refusal: E0353, a rule that is called exact is not; E0501, the selector means no place.
    """
    selected(step, (operation.path for operation in state.net.graph.operations.values() if operation.path))
    for schema in step.schemas:
        _discharged(step, schema)
    bare = State(state.net, {name: evolve(weight, parts={}) for name, weight in state.weights.items()})
    encoded = _Round(step, state, _measured(step, known))
    actions, left_alone = list[Apply](), list[str]()
    while True:
        done, left_alone, bare = encoded.taken(bare, len(actions))
        actions += done
        if not done or not step.exhaustively:
            return Resolved(tuple(actions), tuple(dict.fromkeys(left_alone)))


def _discharged(step: StepDecl, schema: Schema) -> None:
    found = discharge(schema)
    if isinstance(found, Refuted):
        raise Refusal(Diagnostic("E0353", f"`{schema.name}` is not what it is called", step.span, found.reason))


def _measured(step: StepDecl, known: Known) -> Measured:
    """What the step gives for the scales of its rules."""
    given = step.arguments.items()
    numbers = tuple(sorted((name, value) for name, value in given if isinstance(value, Fraction)))
    if not isinstance(step.arguments.get("calibrate"), DataName):
        return Measured(numbers)
    rows = data(step)
    return Measured(numbers, rows, partial(known.rankings.opened.rows, rows))


@frozen(eq=False)
class _Round:
    """Matching all rules of a step once, and rehearsing what is found."""

    step: StepDecl
    start: State
    measured: Measured

    def taken(self, state: State, count: int) -> tuple[list[Apply], list[str], State]:
        """What is applied, what is left alone, and the state afterwards; `count` applications came before."""
        done, left_alone, claims = list[Apply](), list[str](), Claims()
        for found in self._meant(state):
            if found.site is None:
                left_alone.append(f"{found.place}: {found.reason}")
                continue
            if not claims.claim(found.site.form, found.schema):
                left_alone.append(f"{found.place}: it meets a place of `{found.schema.name}` that comes first")
                continue
            near = found.form.boxes[found.schema.left[anchored(found.schema)].name]
            told = f"{found.schema.name} at {found.place}"
            action = Apply(found.schema, self._arguments(), found.paths, told, near, self.measured)
            try:
                for rewrite in action.foresee(state, MANY + count + len(done), self.step.name):
                    state = rewrite.after
            except NoPushout as refused:
                left_alone.append(f"{found.place}: {refused.faults[0].message}")
                continue
            done.append(action)
        return done, left_alone, state

    def _arguments(self) -> tuple[tuple[str, int], ...]:
        given = self.step.arguments.items()
        return tuple(sorted((name, value) for name, value in given if isinstance(value, int)))

    def _meant(self, state: State) -> Iterator[Found]:
        """Places of all alternatives that the selector means, in the order of the net."""
        position = {name: at for at, name in enumerate(state.net.graph.operations)}
        every = (found for schema in self.step.schemas for found in self._places(schema, state, position))
        yield from sorted(every, key=lambda found: found.position)

    def _places(self, schema: Schema, state: State, position: Mapping[str, int]) -> Iterator[Found]:
        selector = self.step.selector
        for found in sites(schema, state, dict(self._arguments())):
            where = paths(schema, state, found.form)
            meant = any(selector.matches(path) for path in where)
            excepted = any(one.matches(path) for one in selector.exclude for path in where)
            if not meant or excepted:
                continue
            first = min(position[name] for name in found.form.boxes.values())
            if isinstance(found, Site):
                yield Found(schema, found, found.form, "", where, first)
            else:
                yield Found(schema, None, found.form, found.reason, where, first)


@frozen(eq=False)
class Claims:
    """What the places of one round use: each item, and whether it is kept by all."""

    kept: dict[str, bool] = field(factory=dict[str, bool])

    def claim(self, form: Form, schema: Schema) -> bool:
        """Whether a place shares with all before it only wires that both keep; it is then one of them."""
        mine = dict.fromkeys((*form.boxes.values(), *form.tensors.values()), False)
        mine |= {image: wire in schema.kept for wire, image in form.wires.items()}
        if any(not (kept and self.kept[item]) for item, kept in mine.items() if item in self.kept):
            return False
        self.kept.update(mine)
        return True
