"""Rankings: what each index of an axis is worth in the model as it came in, scored once for all who ask.

A step is planned, and may be rehearsed many times beside others; its scores are of the start and the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
from attrs import field, frozen

from surgdsl.axis.dim import Axis
from surgdsl.bridge.source import answer
from surgdsl.bridge.weight import State
from surgdsl.diagram.net import Net
from surgdsl.importance.ranking import Scores
from surgdsl.importance.scoring import Judge
from surgdsl.language.criterion import Criterion
from surgdsl.language.program import DataName, StepDecl
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.planning.opening import Opened, home
from surgdsl.surgery.consuming import order

Key = tuple[Criterion | None, str | None, str]
"""A criterion, the data that it reads, and how scores that go together are reduced."""


@frozen(slots=False, eq=False)
class Rankings:
    """Scores by criterion and data, of the axes that were asked for so far."""

    opened: Opened
    known: dict[Key, dict[Axis, Scores]] = field(factory=dict[Key, dict[Axis, Scores]])
    last: list[Coupling] = field(factory=list[Coupling])

    @cached_property
    def coupling(self) -> Coupling:
        """The axes of the start."""
        return couple(self.opened.start.net)

    def coupled(self, net: Net) -> Coupling:
        """The axes of a net; those of the start and of the last net are at hand."""
        if net is self.opened.start.net:
            return self.coupling
        if not self.last or self.last[0].net is not net:
            self.last[:] = [couple(net)]
        return self.last[0]

    def at_start(self, step: StepDecl, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """The scores of axes of the start, by the criterion of the step."""
        data = step.arguments.get("calibrate")
        key = step.ranking, data.name if isinstance(data, DataName) else None, _together(step)
        known = self.known.setdefault(key, {})
        new = [axis for axis in axes if axis not in known]
        if new:
            known.update(self.now(step, self.opened.start, self.coupling, new))
        return {axis: known[axis] for axis in axes}

    def now(self, step: StepDecl, state: State, coupling: Coupling, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """The scores of axes of `state`, by the criterion of the step, or by the order in which OBS lets them go."""
        found = dict(self._jointly(step, state, coupling, axes))
        left = [axis for axis in axes if axis not in found]
        return {**found, **self.judge(step).axes(state, coupling, left)} if left else found

    def _jointly(self, step: StepDecl, state: State, coupling: Coupling, axes: Sequence[Axis]) -> Mapping[Axis, Scores]:
        """Scores of indices that are judged together, as structured OBS does it; nothing where they are not."""
        data, damping = step.arguments.get("calibrate"), step.arguments.get("damping", 0)
        if step.arguments.get("update") != "obs" or not isinstance(data, DataName) or not isinstance(damping, Fraction):
            return {}
        return order(state, self.opened.rows(data.name), coupling, axes, float(damping))

    def judge(self, step: StepDecl) -> Judge:
        """The criterion of the step with its data; one in Python is looked for beside the file that declares it."""
        criterion = step.ranking
        assert criterion is not None, "the language asks for a criterion"
        data = step.arguments.get("calibrate")
        rows = self.opened.rows(data.name) if criterion.reads and isinstance(data, DataName) else None
        if not criterion.reference:
            return Judge(criterion, rows, None, _reduction(step))
        asked = partial(answer, criterion.reference, home(criterion), criterion.span)
        return Judge(criterion, rows, lambda weight: np.asarray(asked(weight)), _reduction(step))


def _together(step: StepDecl) -> str:
    """How an index is scored: what goes with it apart and then reduced, or all of it together by structured OBS."""
    if step.arguments.get("update") == "obs":
        return f"obs, damping {step.arguments['damping']}"
    return _reduction(step)


def _reduction(step: StepDecl) -> str:
    """How the scores of what goes with an index come together."""
    return str(step.arguments.get("reduce", "sum"))
