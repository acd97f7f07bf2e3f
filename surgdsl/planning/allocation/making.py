"""Making: every option of every place is really made, one place at a time, on the model as it is when its turn comes.

A figure of what an option loses is worth as much as the weights that it is measured on; so these are the very weights
that the step would write, by the same code. The steps that come before the first choice are done first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count as counting
from itertools import product

from attrs import evolve, field, frozen

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Note, Refusal
from surgdsl.language.program import StepDecl, Value, shown
from surgdsl.metrics import Record, count, ones, properties, recount
from surgdsl.planning.allocation.limits import Figures
from surgdsl.planning.known import Known
from surgdsl.planning.opening import Opened
from surgdsl.planning.placing import placed
from surgdsl.planning.pointing import pointing
from surgdsl.planning.pruning import axes
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.resolving import resolve
from surgdsl.planning.selecting import weights
from surgdsl.surgery.rewrite import Rewrite, laid

Told = Callable[[str, str], None]
Setting = tuple[str, str, Value]
"""A step, one of its arguments, and a value for it."""

KINDS: Mapping[str, str] = {"mask": "weight", "quantize": "weight", "prune_channels": "axis", "low_rank": "layer"}
"""What is chosen for, by the rule."""
MANY = 1000
"""More rewrites than one action has."""
SKIPPED = ("E0504", "E0505", "E0506", "E0508")
"""Refusals that speak of one value at one place."""


@frozen(eq=False)
class Option:
    """Values for one place; the model where this place alone is changed so; its figures and what it is called."""

    settings: tuple[Setting, ...]
    after: State
    figures: Figures
    changed: tuple[str, ...]
    """The operations of `after` that hold weights which are new."""

    @property
    def text(self) -> str:
        """The values as a reader of the language writes them; that nothing changes, where it is so."""
        return ", ".join(shown(value) for _, _, value in self.settings) if self.changed else "as it is"


@frozen(eq=False)
class Place:
    """A weight or an axis with its options, none of which breaks a rule of its own."""

    name: str
    before: Figures
    options: tuple[Option, ...]


@frozen(eq=False)
class Ground:
    """The model as it is when the first choosing step comes, and what there is to choose from."""

    opened: Opened
    state: State
    figures: Figures
    kind: str
    places: tuple[Place, ...]


def ground(opened: Opened, told: Told) -> Ground:
    """Do what comes before the first choice, and make every option of every place.

    Raises:
        Refusal: E0513, the choosing steps choose for different kinds of places; whatever the steps are refused for.
    """
    steps = opened.surgery.steps
    choosing = [step for step in steps if step.options]
    kind = _kind(choosing)
    first, last = steps.index(choosing[0]), steps.index(choosing[-1])
    making = _Making(opened, Known(Rankings(opened)))
    state = opened.start
    for step in steps[:first]:
        state = making.done(step, state)
    chain = tuple(step for step in steps[first : last + 1] if step.options or KINDS.get(step.rule) == kind == "weight")
    meant = {step.name: making.names(step, state) for step in chain if step.options or kind == "weight"}
    names = dict.fromkeys(name for step in choosing for name in meant[step.name])
    binding = ones(state.net)
    base = Figures(count(state.net, state.weights, binding), _records(state, tuple(state.weights)))
    places: list[Place] = []
    for number, name in enumerate(names, 1):
        told("allocating", f"making {number}/{len(names)} {name}")
        own = tuple(step for step in chain if name in meant[step.name])
        places.append(making.place(name, own, state, base))
    return Ground(opened, state, base, kind, tuple(places))


def _kind(choosing: Sequence[StepDecl]) -> str:
    kinds = {step.name: "" if _shared(step) else KINDS.get(step.rule, "") for step in choosing}
    if len(set(kinds.values())) > 1 or "" in kinds.values():
        told = "these choices cannot be weighed against each other place by place"
        labels = {
            "weight": "chooses for each weight",
            "axis": "chooses for each axis",
            "layer": "chooses for each layer",
            "": "chooses for no single place",
        }
        notes = tuple(Note(step.span, labels[kinds[step.name]]) for step in choosing)
        helps = ("decide one of them in the file", "or choose by a counted figure: `target minimize size(after)`")
        raise Refusal(Diagnostic("E0513", told, choosing[0].span, notes=notes, help=helps))
    return kinds[choosing[0].name]


def _shared(step: StepDecl) -> bool:
    """Whether the weights of a step share one count, so that none has a value of its own."""
    return step.arguments.get("scope") in ("layer", "global")


def _records(state: State, names: Sequence[str]) -> tuple[Record, ...]:
    return tuple(properties(state.weights[name]) for name in names if name in state.weights)


@frozen(eq=False)
class _Making:
    opened: Opened
    known: Known
    numbers: Iterator[int] = field(factory=counting)
    """Of rewrites: whatever an option creates has a name of its own."""

    def done(self, step: StepDecl, state: State) -> State:
        """The state after a step that leaves nothing open."""
        with pointing(step.span):
            for rewrite in self._all(step, state, self.known):
                state = rewrite.after
        return state

    def _all(self, step: StepDecl, state: State, known: Known) -> Iterator[Rewrite]:
        """Everything that a step does, done."""
        for action in resolve(step, state, known).actions:
            for rewrite in action.rewrites(state, next(self.numbers) * MANY, step.name, _unheard):
                made = laid(rewrite, self.opened.scratch)
                state = made.after
                yield made

    def names(self, step: StepDecl, state: State) -> tuple[str, ...]:
        """The places that a choosing step means."""
        here = placed(step, state)
        if KINDS[step.rule] != "axis":
            return weights(here, state)
        return tuple(axis.name for axis in axes(here, self.known.rankings.coupled(state.net))[0])

    def place(self, name: str, chain: Sequence[StepDecl], state: State, base: Figures) -> Place:
        """A place with all of its options.

        Raises:
            Refusal: none of them can be made.
        """
        found, refused = list[Option](), list[Refusal]()
        for settings in _settings(chain):
            try:
                found.append(self._made(name, chain, settings, state, base))
            except Refusal as refusal:
                if any(one.code not in SKIPPED for one in refusal.diagnostics):
                    raise
                refused.append(refusal)
        if not found:
            raise refused[0]
        touched = {one for option in found for one in self._gone(option, state)}
        before = Figures(base.counts, _records(state, sorted(touched)))
        return Place(name, before, tuple(evolve(one, figures=self._figures(one, state, touched)) for one in found))

    def _made(
        self, name: str, chain: Sequence[StepDecl], settings: tuple[Setting, ...], state: State, base: Figures
    ) -> Option:
        """The option, with its counts alone."""
        start, counts = state, dict(base.counts)
        for step in chain:
            given = {argument: value for of, argument, value in settings if of == step.name}
            one = evolve(step, options={}, settled={name: given})
            for rewrite in self._rewrites(one, state):
                counts = recount(counts, rewrite.derivation, (rewrite.before, rewrite.after), ones(start.net))
                state = rewrite.after
        changed = tuple(one for one, weight in state.weights.items() if start.weights.get(one) is not weight)
        return Option(settings, state, Figures(counts), changed)

    def _rewrites(self, step: StepDecl, state: State) -> list[Rewrite]:
        """What a step does at one place; nothing where it leaves it as it is."""
        try:
            return list(self._all(step, state, evolve(self.known, kept=dict(self.known.kept))))
        except Refusal as refusal:
            if any(one.code != "E0504" for one in refusal.diagnostics):
                raise
            return []

    @staticmethod
    def _gone(option: Option, state: State) -> list[str]:
        """The operations of `state` whose weights an option replaces."""
        return [one for one in state.weights if option.after.weights.get(one) is not state.weights[one]]

    @staticmethod
    def _figures(option: Option, state: State, touched: set[str]) -> Figures:
        """The counts of an option, and the weights that stand where any option of its place changes some."""
        kept = [one for one in sorted(touched) if option.after.weights.get(one) is state.weights[one]]
        return Figures(option.figures.counts, _records(option.after, [*kept, *option.changed]))


def _settings(chain: Sequence[StepDecl]) -> Iterator[tuple[Setting, ...]]:
    """Every combination of values, the last step turning fastest, as the file lists them."""
    names = [(step.name, argument) for step in chain for argument in step.options]
    for values in product(*(values for step in chain for values in step.options.values())):
        yield tuple((step, argument, value) for (step, argument), value in zip(names, values, strict=True))


def _unheard(*_: object) -> None:
    """Progress of a single option, which nobody is told."""
