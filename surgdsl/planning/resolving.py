"""Resolving: a step of the file and a net become actions.

A selector that means nothing is refused with the nearest places that exist; one that means only what cannot be changed
is refused with the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from fractions import Fraction

import numpy as np
from attrs import field, frozen

from surgdsl.axis.dim import Axis, whole
from surgdsl.bridge.encoding import stored_bytes, stored_count
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.payload import Dense, innermost
from surgdsl.diagram.term import Made
from surgdsl.diagram.term import Mask as LargestOf
from surgdsl.importance.ranking import Scores, naturals
from surgdsl.language.functions import standard
from surgdsl.language.program import StepDecl
from surgdsl.operations.coupling import Coupling
from surgdsl.operations.writing import writers
from surgdsl.planning import declared
from surgdsl.planning.action import Resolved, Unforeseen
from surgdsl.planning.placing import placed
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.selecting import by_interface, held, idle, selected
from surgdsl.surgery.prune import Prune, ranked
from surgdsl.surgery.recode import Mask, Quantize, param
from surgdsl.surgery.rewrite import layers, term_of


@frozen(eq=False)
class Resolver:
    """What resolving needs besides the state: scores of the start, and the indices of it that earlier steps keep."""

    rankings: Rankings
    kept: dict[str, tuple[int, ...]] = field(factory=dict[str, tuple[int, ...]])

    def resolve(self, step: StepDecl, state: State) -> Resolved:
        """The actions of `step` on `state`. Bare weights will do, if whatever may be done is to be taken for done.

        Raises:
            Refusal: E0501 the selector means no place, E0503 it means only what an interface holds, E0504 it means
                nothing that the step can change.
            Unforeseen: the weights are bare, and what the step does depends on their values.
        """
        step = placed(step, state)
        family: Mapping[str, Callable[[StepDecl, State], Resolved]] = {
            "prune_channels": self._prune,
            "mask": self._mask,
            "quantize": self._quantize,
        }
        found = self._declared(step, state) if step.schemas else family[step.rule](step, state)
        if not found.actions:
            raise idle(step, found.left_alone)
        return found

    def _declared(self, step: StepDecl, state: State) -> Resolved:
        selected(step, (operation.path for operation in state.net.graph.operations.values() if operation.path))
        return declared.resolve(step, state)

    def _prune(self, step: StepDecl, state: State) -> Resolved:
        coupling = self.rankings.coupled(state.net)
        chosen, left_alone = self._chosen(step, coupling)
        share = _ratio(step, "keep")
        scores = self._scores(step, state, coupling, chosen)
        actions: list[Prune] = []
        for axis in chosen:
            points = naturals(scores[axis])
            keep = ranked(points, max(1, math.ceil(share * whole(axis))))
            if len(keep) < whole(axis):
                before = self.kept.get(axis.name, tuple(range(whole(axis))))
                self.kept[axis.name] = tuple(before[index] for index in keep)
                tensors = tuple((member.tensor, member.dimension) for member in coupling.members[axis])
                actions.append(Prune(axis.name, whole(axis), keep, points, tensors))
        return Resolved(tuple(actions), left_alone)

    def _chosen(self, step: StepDecl, coupling: Coupling) -> tuple[list[Axis], tuple[str, ...]]:
        """Axes that some meant layer writes and no excepted one does; and the pinned among them with their reasons."""
        born = {axis: writers(coupling, axis) for axis in coupling.members}
        paths = selected(step, (path for written in born.values() for path in sorted(written)))
        chosen, left_alone = list[Axis](), list[str]()
        for axis, written in born.items():
            if not written & paths:
                continue
            excepted = sorted(
                path for path in written - paths if any(one.matches(path) for one in step.selector.exclude)
            )
            if excepted:
                left_alone.append(f"{axis}: coupled to {excepted[0]}, which is excepted")
            elif axis in coupling.pins:
                left_alone.append(f"{axis}: {coupling.pins[axis]}")
            elif not coupling.natural(axis):
                left_alone.append(f"{axis}: a cut would only be approximate, {coupling.blurs[axis][0]}")
            elif whole(axis) > 1:
                chosen.append(axis)
        if not chosen:
            raise self._nothing(step, coupling, [axis for axis in born if born[axis] & paths], left_alone)
        return chosen, tuple(left_alone)

    def _nothing(self, step: StepDecl, coupling: Coupling, meant: Sequence[Axis], reasons: Sequence[str]) -> Refusal:
        """What is said where no axis can be cut, with the nearest layers that write one that can."""
        free = [axis for axis in coupling.prunable if coupling.natural(axis) and whole(axis) > 1]
        paths = sorted(path for axis in free for path in writers(coupling, axis))
        wanted = step.selector.include[0].text
        near = sorted(dict.fromkeys(paths), key=lambda path: -SequenceMatcher(None, wanted, f"@{path}").ratio())
        pins = [coupling.pins.get(axis) for axis in meant]
        return (held if all(pin and by_interface(pin) for pin in pins) else idle)(step, reasons, near)

    def _scores(
        self, step: StepDecl, state: State, coupling: Coupling, chosen: Sequence[Axis]
    ) -> Mapping[Axis, Scores]:
        """Scores of the model as it was at the start, at the indices that are still there.

        An axis that the start does not have, because cutting another to 1 made it what it is, is scored as it is now.
        """
        start = self.rankings.coupling
        known = {axis: origin for axis in chosen for origin in start.members if self._is_now(origin, axis)}
        found = self.rankings.at_start(step, list(known.values()))
        later = [axis for axis in chosen if axis not in known]
        if later and any(weight.bare for weight in state.weights.values()):
            raise Unforeseen(step.name)
        scores = dict(self.rankings.now(step, state, coupling, later)) if later else dict[Axis, Scores]()
        return scores | {axis: found[origin][np.array(self._left(origin))] for axis, origin in known.items()}

    def _left(self, origin: Axis) -> tuple[int, ...]:
        """The indices of an axis of the start that are still there."""
        return self.kept.get(origin.name, tuple(range(whole(origin))))

    def _is_now(self, origin: Axis, axis: Axis) -> bool:
        return origin.name == axis.name and len(self._left(origin)) == whole(axis)

    def _mask(self, step: StepDecl, state: State) -> Resolved:
        share = _ratio(step, "keep")
        actions, left_alone = list[Mask](), list[str]()
        judge = None if step.ranking in (None, standard("magnitude")) else self.rankings.judge(step)
        for base in self._weights(step, state):
            weight = state.weights[param(state, base)]
            size = math.prod(weight.shape)
            keep = max(1, math.ceil(share * size))
            if judge is not None and not judge.fits(state, param(state, base)):
                left_alone.append(f"{base}: criterion {judge.criterion.name} does not speak of such weights")
            elif keep < (_most(state, base, size) if weight.bare else stored_count(weight)):
                actions.append(Mask(base, keep, size, judge))
            else:
                left_alone.append(f"{base}: no more than {keep} elements are stored already")
        return Resolved(tuple(actions), tuple(left_alone))

    def _quantize(self, step: StepDecl, state: State) -> Resolved:
        bits, scheme = step.arguments["bits"], str(step.arguments["scheme"])
        assert isinstance(bits, int)
        actions, left_alone = list[Quantize](), list[str]()
        for base in self._weights(step, state):
            weight = state.weights[param(state, base)]
            action = Quantize(base, bits, scheme)
            if not isinstance(innermost(weight.encoding), Dense):
                left_alone.append(f"{base}: already quantized")
            elif not weight.bare and stored_bytes(action.recode(weight)) >= stored_bytes(weight):
                left_alone.append(
                    f"{base}: its {'codebook' if scheme == 'kmeans' else 'scales'} would take more than is saved"
                )
            else:
                actions.append(action)
        return Resolved(tuple(actions), tuple(left_alone))

    def _weights(self, step: StepDecl, state: State) -> tuple[str, ...]:
        """The matrices and kernels of the meant layers, by name; biases and statistics are small, and stay."""
        found = layers(state)
        paths = selected(step, found)
        operations = state.net.graph.operations
        names = [name for path, group in found.items() if path in paths for name in group]
        return tuple(payload.base for name in names if (payload := operations[name].payload))


def _most(state: State, base: str, size: int) -> int:
    """How many elements of a bare weight are stored at most."""
    term = term_of(state.net.graph.operations[param(state, base)])
    while isinstance(term, Made) and len(term.reads) == 1:
        term = term.reads[0].term
    return term.keep if isinstance(term, LargestOf) else size


def _ratio(step: StepDecl, name: str) -> Fraction:
    value = step.arguments[name]
    assert isinstance(value, (Fraction, int))
    if not value:
        told = "a share of nothing leaves no model"
        raise Refusal(Diagnostic("E0207", f"`{name}` is above 0", step.span, told))
    return Fraction(value)
