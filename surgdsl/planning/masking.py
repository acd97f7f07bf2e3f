"""Masking, resolved: from which weights a step leaves elements out, and how many stay in each.

Which ones they are is decided by the values at the moment of the step; how many is a matter of form alone, in each
weight or, where weights share a count, in all of them together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from attrs import evolve, frozen

from surgdsl.bridge.encoding import stored_count
from surgdsl.bridge.weight import State
from surgdsl.curvature.layer import layers
from surgdsl.curvature.pattern import Few, Pattern, Share, Tiles
from surgdsl.diagram.term import Made
from surgdsl.diagram.term import Mask as LargestOf
from surgdsl.importance.scoring import Judge
from surgdsl.language.functions import standard
from surgdsl.language.program import Sparsity, StepDecl
from surgdsl.planning.action import Action, Resolved
from surgdsl.planning.arguments import contradiction, data, needed, ratio
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import weights
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.masking import room
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import term_of
from surgdsl.surgery.solving import Solve
from surgdsl.surgery.sparsifying import Sparsify, Sparsifying
from surgdsl.surgery.thinning import Thin

TILE = re.compile(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")
EXACT = 10**12
"""Rows times inputs cubed above which exact OBS is not begun: hours on one core."""


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One mask for each meant weight that stores more than is to stay; those that share a count as one action.

    Raises:
        Refusal: E0205, rows to solve on are missing; E0207, options that exclude each other.
    """
    asked = Asked.of(step, known)
    masks, left_alone = list[Mask](), list[str]()
    for base in weights(step, state):
        mask, reason = asked.mask(step.at(base), base, state)
        if mask is not None:
            masks.append(mask)
        if reason:
            left_alone.append(f"{base}: {reason}")
    return Resolved(tuple(_actions(asked, masks, state)), tuple(left_alone))


def _actions(asked: Asked, masks: Sequence[Mask], state: State) -> list[Action]:
    groups = _together(asked.scope, masks)
    alone = [group[0] for group in groups if len(group) == 1]
    thinned = [_thin(asked, group, state) for group in groups if len(group) > 1]
    found: list[Action] = [one for one in thinned if one is not None]
    if asked.update is None:
        return [*found, *alone]
    how = asked.update
    parts = tuple(Sparsify(mask, how.update, how.damping) for mask in alone)
    return [*found, Solve(how.method, parts, how.data, how.rows)] if parts else found


def _together(scope: str, masks: Sequence[Mask]) -> list[list[Mask]]:
    """The masks that share a count, each alone where none do."""
    groups: dict[str, list[Mask]] = {}
    for mask in masks:
        key = {"global": "", "layer": mask.base.rpartition(".")[0]}.get(scope, mask.base)
        groups.setdefault(key, []).append(mask)
    return list(groups.values())


def _thin(asked: Asked, group: Sequence[Mask], state: State) -> Thin | None:
    """The masks of a group with as many elements in all as their shares come to, shared out by what is stored."""
    stored = [_stored(state, mask.base, mask.size) for mask in group]
    total = math.ceil(asked.share * sum(mask.size for mask in group))
    if total >= sum(stored):
        return None
    names = tuple(mask.base for mask in group)
    ends = [total * sum(stored[: place + 1]) // sum(stored) for place in range(len(group))]
    counts = [end - start for start, end in zip((0, *ends), ends, strict=False)]
    masks = (evolve(mask, keep=count, among=names) for mask, count in zip(group, counts, strict=True))
    return Thin(total, tuple(masks), asked.update)


@frozen(eq=False)
class Asked:
    """What the options of a step come to."""

    scope: str
    share: Fraction
    judge: Judge | None
    update: Sparsifying | None

    @classmethod
    def of(cls, step: StepDecl, known: Known) -> Asked:
        """The options, checked."""
        given = step.arguments
        scope, update = str(given["scope"]), str(given["update"])
        few = "pattern" in given
        if few == ("keep" in given or any("keep" in one for one in step.settled.values())):
            told = "a pattern says how many stay" if few else "say how many stay: `keep`, or a `pattern`"
            raise contradiction(step, told)
        if few and (given["block"] != "1x1" or scope != "tensor"):
            raise contradiction(step, "a pattern is of neighbours in a row, and leaves nothing to `block` or `scope`")
        if given["block"] != "1x1" and scope != "tensor":
            raise contradiction(step, "blocks are chosen within each tensor")
        if update == "exact" and (few or given["block"] != "1x1" or scope == "row"):
            raise contradiction(step, "exact OBS takes one element after the other, wherever it lies")
        plain = step.ranking in (None, standard("magnitude"))
        own = plain or (step.ranking is not None and step.ranking.name == "obs")
        if update in ("obs", "exact") and scope in ("tensor", "row") and not own:
            raise contradiction(step, f'`update = "{update}"` ranks by its own loss; `"refit"` asks the criterion')
        judge = None if plain else known.rankings.judge(step)
        share = Fraction(1) if few else ratio(step, "keep") if not step.settled else Fraction(1)
        return cls(scope, share, judge, _update(step, update, known))

    def mask(self, step: StepDecl, base: str, state: State) -> tuple[Mask | None, str]:
        """The mask of a weight, and what is to be said of it."""
        name = param(state, base)
        shape = state.weights[name].shape
        size = math.prod(shape)
        pattern = _pattern(step, shape)
        keep = room(pattern, shape)
        if self.judge is not None and not self.judge.fits(state, name):
            return None, f"criterion {self.judge.criterion.name} does not speak of such weights"
        if keep >= _stored(state, base, size) and (self.scope not in ("layer", "global") or keep >= size):
            return None, f"no more than {keep} elements are stored already"
        mask = Mask(base, keep, size, None if pattern == Share(keep) else pattern, self.judge)
        if self.update is None:
            return mask, ""
        if self.update.update == "exact" and size * math.prod(shape[1:]) ** 2 > EXACT:
            return None, 'too large for exact OBS; `update = "obs"` takes it'
        if layers(state.net, name) is None:
            return mask, "masked, and nothing makes up for it: no layer multiplies what it reads with this weight alone"
        return mask, ""


def _update(step: StepDecl, update: str, known: Known) -> Sparsifying | None:
    if update == "none":
        return None
    if "calibrate" not in step.arguments:
        raise needed(step, "calibrate", f'`update = "{update}"` looks at what layers read')
    name = data(step)
    assert update in ("obs", "exact", "refit")
    return Sparsifying(update, float(ratio(step, "damping")), name, known.rankings.opened.rows(name))


def _pattern(step: StepDecl, shape: Sequence[int]) -> Pattern:
    """How many elements of a weight of this shape stay, and among which."""
    few, block = step.arguments.get("pattern"), TILE.fullmatch(str(step.arguments["block"]))
    if isinstance(few, Sparsity):
        return Few(few.kept, few.group)
    if block is None:
        raise contradiction(step, '`block` is height times width, such as "4x1"')
    share, (high, wide) = ratio(step, "keep"), map(int, block.groups())
    if (high, wide) != (1, 1):
        tiles = math.ceil(shape[0] / high) * math.ceil(math.prod(shape[1:]) / wide)
        return Tiles(max(1, math.ceil(share * tiles)), high, wide)
    count = max(1, math.ceil(share * math.prod(shape)))
    return Share(count, "row" if step.arguments["scope"] == "row" else "layer")


def _stored(state: State, base: str, size: int) -> int:
    """How many elements of a weight are stored; of a bare one, how many at most."""
    weight = state.weights[param(state, base)]
    if not weight.bare:
        return stored_count(weight)
    term = term_of(state.net.graph.operations[param(state, base)])
    while isinstance(term, Made) and len(term.reads) == 1:
        term = term.reads[0].term
    return term.keep if isinstance(term, LargestOf) else size
