"""Allotting: every place takes the value that loses least in all, within the counted promises; the gap is told.

The figures of the places are added up, so the choice is a knapsack and solved exactly. Sizes are sums over weights too;
where a promise speaks of what is none (the work of layers whose neighbours are cut as well), the plan is counted
again, what the sum was off by is put in, and the choice is made anew until the plan itself keeps the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from attrs import evolve, frozen

from surgdsl.bridge.source import Rows
from surgdsl.diagnostic import Diagnostic, Note, Refusal
from surgdsl.language.claim import Counted, Require
from surgdsl.language.program import DataName, Objective, StepDecl, SurgeryDecl, Value
from surgdsl.metrics import METRICS, count, ones
from surgdsl.planning.allocation import knapsack, programming
from surgdsl.planning.allocation.allocation import Allocation, Allotted
from surgdsl.planning.allocation.knapsack import Choices, Infeasible, Optimum
from surgdsl.planning.allocation.limits import Figures, Limits, Reader, Row
from surgdsl.planning.allocation.making import Ground, ground
from surgdsl.planning.allocation.measuring import Measured, measured
from surgdsl.planning.claims import asks, shown
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import Plan, check_counted, plan

Told = Callable[[str, str], None]
Picks = tuple[int, ...]

ROUNDS = 8
"""How often a choice is made anew where sizes are no sums."""
UNITS = 1 << 58
"""Into so many parts the largest loss of all choices is divided, to reckon in integers."""


def allot(opened: Opened, told: Told) -> Plan:
    """The plan of a surgery whose choices are made place by place.

    Raises:
        Refusal: E0804 with exit code 3, no choice keeps what is promised, with the least that can be reached; E0801,
            only a promise that is no sum is broken; whatever making the options is refused for.
    """
    objective = opened.surgery.objective
    assert objective is not None
    here = ground(opened, told)
    losses = measured(here, objective.damage, _rows(opened, objective), opened.surgery.seed, told)
    return _Search(here, objective, losses, told).best()


def _rows(opened: Opened, objective: Objective) -> Rows | None:
    """The rows that a damage is measured on: those that it names, else those of the choosing steps."""
    named = [step.arguments.get("calibrate") for step in opened.surgery.steps if step.options]
    names = [objective.data] if objective.data else [one.name for one in named if isinstance(one, DataName)]
    return opened.rows(names[0]) if names else None


@frozen(eq=False)
class Found:
    """A choice, what it costs and how exact that is, and the limits that it was made within."""

    picks: Picks
    optimum: Optimum
    method: str
    limits: Limits


@frozen(eq=False)
class _Search:
    ground: Ground
    objective: Objective
    losses: Measured
    told: Told

    def best(self) -> Plan:
        """The plan of the best choice; made anew as long as its sizes are not what was reckoned with."""
        offset = self._offset(tuple(0 for _ in self.ground.places)) if self._later() else dict.fromkeys(METRICS, 0)
        seen, kept, last = set[Picks](), list[tuple[float, Plan]](), list[Plan]()
        for turn in range(1, ROUNDS + 1):
            self.told("allocating", f"choosing {turn}")
            found = self._chosen(offset)
            made = self._planned(found)
            last = [made]
            off = {metric: made.after[metric] - self._counts(found.picks, offset)[metric] for metric in METRICS}
            if self._holds(made):
                kept.append((self._loss(found.picks), made))
            if not any(off.values()) or found.picks in seen:
                break
            seen.add(found.picks)
            offset = {metric: offset[metric] + off[metric] for metric in METRICS}
        best = min(kept, key=lambda one: one[0])[1] if kept else last[0]
        check_counted(_counted(self.surgery), best.before, best.after)
        return best

    @property
    def surgery(self) -> SurgeryDecl:
        """The surgery, its choices open."""
        return self.ground.opened.surgery

    def _later(self) -> bool:
        """Whether steps that leave nothing open come after the first choice."""
        steps = self.surgery.steps
        first = next(at for at, step in enumerate(steps) if step.options)
        return any(not step.options for step in steps[first:])

    def _offset(self, picks: Picks) -> dict[str, int]:
        """What the other steps add to the sums."""
        made = plan(self._settled(picks))
        counts = self._counts(picks, dict.fromkeys(METRICS, 0))
        return {metric: made.after[metric] - counts[metric] for metric in METRICS}

    def _counts(self, picks: Picks, offset: Mapping[str, int]) -> dict[str, int]:
        """The metrics of a choice as a sum."""
        base = self.ground.figures.counts
        chosen = [place.options[pick].figures.counts for place, pick in zip(self.ground.places, picks, strict=True)]
        return {one: base[one] + offset[one] + sum(each[one] - base[one] for each in chosen) for one in METRICS}

    def _holds(self, made: Plan) -> bool:
        try:
            check_counted(_counted(self.surgery), made.before, made.after)
        except Refusal:
            return False
        return True

    def _loss(self, picks: Picks) -> float:
        return sum(row[pick] for row, pick in zip(self.losses.losses, picks, strict=True))

    def _settled(self, picks: Picks) -> Opened:
        """The surgery with the choice put in, and nothing promised."""
        settled: dict[str, dict[str, dict[str, Value]]] = {}
        for place, pick in zip(self.ground.places, picks, strict=True):
            for step, argument, value in place.options[pick].settings:
                settled.setdefault(step, {}).setdefault(place.name, {})[argument] = value
        steps = tuple(_decided(step, settled.get(step.name, {})) for step in self.surgery.steps)
        opened = self.ground.opened
        return evolve(opened, surgery=evolve(self.surgery, steps=steps, requires=(), targets=()))

    def _planned(self, found: Found) -> Plan:
        """The plan of a choice, with the promises that it has to keep."""
        settled = self._settled(found.picks)
        surgery = evolve(settled.surgery, requires=self.surgery.requires, targets=self.surgery.targets)
        made = plan(settled)
        return evolve(made, opened=evolve(settled, surgery=surgery), allocation=self._allocation(found))

    def _allocation(self, found: Found) -> Allocation:
        unit = self._unit()
        rows = zip(self.ground.places, found.picks, self.losses.losses, strict=True)
        base = self.ground.figures.counts
        places = tuple(
            Allotted(
                place.name,
                place.options[pick].text,
                len(place.options),
                place.options[pick].figures.counts["size/1"] - base["size/1"],
                sum(record["size"] for record in place.before.records),
                losses[pick],
            )
            for place, pick, losses in rows
        )
        notes = (
            *self.losses.otherwise,
            *(f"`{one.text}` is no sum over places: only checked" for one in found.limits.unheeded),
        )
        return Allocation(
            self.objective.text,
            self.losses.unit,
            self.losses.rows,
            places,
            self._loss(found.picks),
            float(found.optimum.bound * unit),
            found.optimum.gap,
            found.method,
            tuple(row.require.text for row in found.limits.rows),
            notes,
        )

    # ---- choosing ---------------------------------------------------------------------------

    def _chosen(self, offset: Mapping[str, int]) -> Found:
        """The best choice by the sums."""
        opened = self.ground.opened
        before, base = _before(opened), self._shifted(self.ground.figures, offset)
        options = [[self._shifted(one.figures, offset) for one in place.options] for place in self.ground.places]
        reader = Reader(before, base, [place.before for place in self.ground.places], options)
        limits = reader.limits(_counted(self.surgery))
        left = [
            [at for at in range(len(place.options)) if (number, at) not in limits.barred]
            for number, place in enumerate(self.ground.places)
        ]
        for place, some in zip(self.ground.places, left, strict=True):
            if not some:
                raise self._refused(f"every value for `{place.name}` breaks a promise about single weights", ())
        optimum, method = self._solved(left, limits.rows)
        picks = tuple(some[pick] for some, pick in zip(left, optimum.picks, strict=True))
        return Found(picks, optimum, method, limits)

    def _shifted(self, figures: Figures, offset: Mapping[str, int]) -> Figures:
        return evolve(figures, counts={metric: figures.counts[metric] + offset[metric] for metric in METRICS})

    def _unit(self) -> Fraction:
        """What one unit of integer cost is in the unit of the figure."""
        top = sum(map(max, self.losses.losses))
        return Fraction(top) / UNITS if top else Fraction(1)

    def _solved(self, left: Sequence[Sequence[int]], rows: Sequence[Row]) -> tuple[Optimum, str]:
        """The best choice among the options that are left.

        Raises:
            Refusal: E0804, there is none.
        """
        unit = self._unit()
        costs = tuple(
            tuple(round(Fraction(losses[at]) / unit) for at in some)
            for losses, some in zip(self.losses.losses, left, strict=True)
        )
        loads = [
            tuple(tuple(own[at] for at in some) for own, some in zip(row.loads, left, strict=True)) for row in rows
        ]
        try:
            return _solve(costs, loads, [row.limit for row in rows])
        except Infeasible as none:
            raise self._infeasible(rows, loads) from none

    def _infeasible(self, rows: Sequence[Row], loads: Sequence[tuple[tuple[int, ...], ...]]) -> Refusal:
        """What is said where the promises cannot be kept: how far each can be come to alone."""
        notes: list[Note] = []
        for row, own in zip(rows, loads, strict=True):
            least, claim = sum(map(min, own)), row.require.claim
            assert isinstance(claim, Counted)
            if least > row.limit:
                picks = tuple(line.index(min(line)) for line in row.loads)
                counts = self._counts(picks, dict.fromkeys(METRICS, 0))
                told = shown(claim, _before(self.ground.opened).counts, counts)
                notes.append(Note(row.require.span, f"the least that can be reached: {told}"))
        helps = () if notes else ("each promise can be kept alone, and no choice keeps all of them",)
        return self._refused(f"no choice for the places of `{self.surgery.name}` keeps what is promised", notes, helps)

    def _refused(self, told: str, notes: Sequence[Note], helps: Sequence[str] = ()) -> Refusal:
        return Refusal(
            Diagnostic("E0804", told, self.objective.span, notes=tuple(notes), help=tuple(helps)), exit_code=3
        )


def _solve(
    costs: tuple[tuple[int, ...], ...], loads: Sequence[tuple[tuple[int, ...], ...]], limits: Sequence[int]
) -> tuple[Optimum, str]:
    """By dynamic programming where one limit binds, by branch and bound where several do."""
    binding = [at for at, (rows, limit) in enumerate(zip(loads, limits, strict=True)) if sum(map(max, rows)) > limit]
    if len(binding) > 1:
        program = programming.Program(costs, tuple(loads[at] for at in binding), tuple(limits[at] for at in binding))
        return programming.solve(program), "branch and bound"
    rows = loads[binding[0]] if binding else tuple(tuple(0 for _ in row) for row in costs)
    lowest = [min(row) for row in rows]
    shifted = tuple(tuple(one - least for one in row) for row, least in zip(rows, lowest, strict=True))
    limit = limits[binding[0]] - sum(lowest) if binding else 0
    if limit < 0:
        raise Infeasible(sum(lowest))
    return knapsack.solve(Choices(costs, shifted, limit)), "dynamic programming"


def _decided(step: StepDecl, settled: Mapping[str, Mapping[str, Value]]) -> StepDecl:
    return evolve(step, options={}, settled=settled) if step.options else step


def _counted(surgery: SurgeryDecl) -> list[Require]:
    """The promises that are counted and need no Python to be asked."""
    promises = (*surgery.requires, *surgery.targets)
    return [one for one in promises if isinstance(one.claim, Counted) and not asks(one.claim)]


def _before(opened: Opened) -> Figures:
    start = opened.start
    counts = count(start.net, start.weights, ones(start.net))
    return Figures(counts, counts.weights)
