"""Pruning, resolved: which axes a step cuts, and which of their indices stay.

An axis is meant when a meant layer writes it and no excepted one does. It is scored as the model was at the start, so
the plan can name every channel that goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from attrs import evolve

from surgdsl.axis.dim import Axis, whole
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.importance.ranking import Scores, naturals
from surgdsl.language.program import StepDecl
from surgdsl.operations.coupling import Coupling
from surgdsl.operations.writing import writers
from surgdsl.planning.action import Resolved, Unforeseen
from surgdsl.planning.arguments import contradiction, data, needed, ratio
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import by_interface, held, idle, selected
from surgdsl.surgery.compensating import Compensate
from surgdsl.surgery.consuming import consumers
from surgdsl.surgery.prune import Prune, ranked


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One cut for each axis that has more indices than are to stay."""
    coupling = known.rankings.coupled(state.net)
    meant, left_alone = axes(step, coupling)
    chosen = [axis for axis in meant if step.means(axis.name)]
    update = _update(step, known)
    scores = _scores(step, state, coupling, chosen, known)
    prunes: list[Prune] = []
    for axis in chosen:
        points = naturals(scores[axis])
        share = ratio(step.at(axis.name), "keep")
        keep = ranked(points, max(1, math.ceil(share * whole(axis))))
        if len(keep) < whole(axis):
            known.keep(axis, keep)
            tensors = tuple((member.tensor, member.dimension) for member in coupling.members[axis])
            prunes.append(Prune(axis.name, whole(axis), keep, points, tensors))
    if update is None or not prunes:
        return Resolved(tuple(prunes), left_alone)
    return Resolved((evolve(update, prunes=tuple(prunes)),), (*left_alone, *_unread(prunes, state, coupling)))


def _update(step: StepDecl, known: Known) -> Compensate | None:
    """How those that read what goes make up for it, if they are to.

    Raises:
        Refusal: E0205, rows to solve on are missing; E0207, structured OBS with another criterion.
    """
    update = str(step.arguments["update"])
    if update == "none":
        return None
    if "calibrate" not in step.arguments:
        raise needed(step, "calibrate", f'`update = "{update}"` looks at what layers read')
    if update == "obs" and (step.ranking is None or step.ranking.name != "obs"):
        raise contradiction(step, '`update = "obs"` ranks by its own loss: `by obs`; `"refit"` asks any criterion')
    name, damping = data(step), float(ratio(step, "damping"))
    return Compensate((), f"channels {update}, damping {damping:g}", damping, name, known.rankings.opened.rows(name))


def _unread(prunes: Sequence[Prune], state: State, coupling: Coupling) -> Iterator[str]:
    """Axes that nothing makes up for, each with the reason."""
    for prune in prunes:
        if not consumers(state, coupling, prune.found(coupling)):
            yield f"{prune.axis}: cut, and nothing makes up for it: no layer without groups reads it by a plain weight"


def axes(step: StepDecl, coupling: Coupling) -> tuple[list[Axis], tuple[str, ...]]:
    """Axes that some meant layer writes and no excepted one does; and the pinned among them with their reasons."""
    born = {axis: writers(coupling, axis) for axis in coupling.members}
    paths = selected(step, (path for written in born.values() for path in sorted(written)))
    chosen, left_alone = list[Axis](), list[str]()
    for axis, written in born.items():
        if not written & paths:
            continue
        excepted = sorted(path for path in written - paths if any(one.matches(path) for one in step.selector.exclude))
        if excepted:
            left_alone.append(f"{axis}: coupled to {excepted[0]}, which is excepted")
        elif axis in coupling.pins:
            left_alone.append(f"{axis}: {coupling.pins[axis]}")
        elif not coupling.natural(axis):
            left_alone.append(f"{axis}: a cut would only be approximate, {coupling.blurs[axis][0]}")
        elif whole(axis) > 1:
            chosen.append(axis)
    if not chosen:
        raise _nothing(step, coupling, [axis for axis in born if born[axis] & paths], left_alone)
    return chosen, tuple(left_alone)


def _nothing(step: StepDecl, coupling: Coupling, meant: Sequence[Axis], reasons: Sequence[str]) -> Refusal:
    """What is said where no axis can be cut, with the nearest layers that write one that can."""
    free = [axis for axis in coupling.prunable if coupling.natural(axis) and whole(axis) > 1]
    paths = sorted(path for axis in free for path in writers(coupling, axis))
    wanted = step.selector.include[0].text
    near = sorted(dict.fromkeys(paths), key=lambda path: -SequenceMatcher(None, wanted, f"@{path}").ratio())
    pins = [coupling.pins.get(axis) for axis in meant]
    return (held if all(pin and by_interface(pin) for pin in pins) else idle)(step, reasons, near)


def _scores(
    step: StepDecl, state: State, coupling: Coupling, chosen: Sequence[Axis], known: Known
) -> Mapping[Axis, Scores]:
    """Scores of the model as it was at the start, at the indices that are still there.

    An axis that the start does not have, because cutting another to 1 made it what it is, is scored as it is now.
    """
    start = known.rankings.coupling
    origins = {axis: origin for axis in chosen for origin in start.members if known.is_now(origin, axis)}
    found = known.rankings.at_start(step, list(origins.values()))
    later = [axis for axis in chosen if axis not in origins]
    if later and any(weight.bare for weight in state.weights.values()):
        raise Unforeseen(step.name)
    scores = dict(known.rankings.now(step, state, coupling, later)) if later else dict[Axis, Scores]()
    return scores | {axis: found[origin][np.array(known.left(origin))] for axis, origin in origins.items()}
