"""Limits: the counted promises of a surgery as linear limits on what is chosen, place by place.

A knapsack is solved exactly only over sums. Every figure that is a sum over weights is one; a quotient is, once it is
multiplied out. A promise that every weight makes alone rules single options out. What is none of these is told, and
only checked once the choice is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from attrs import field, frozen

from surgdsl.formula import Apply, Each, Formula, Metric, Number, walk
from surgdsl.formula.evaluation import Environment, exactly
from surgdsl.formula.fields import RATIONALS, Undefined
from surgdsl.language.claim import Counted, Require
from surgdsl.metrics import Record
from surgdsl.planning.claims import RELATIONS

Counts = Mapping[str, int]


@frozen(eq=False)
class Figures:
    """What a promise can speak of: the metrics, and the properties of some weights."""

    counts: Counts
    records: tuple[Record, ...] = ()


@frozen(eq=False)
class Row:
    """A limit: the load of each option of each place, integers, and what their sum may be at most."""

    require: Require
    loads: tuple[tuple[int, ...], ...]
    limit: int
    unit: Fraction
    """What one unit of load is in the unit of the promise."""

    @property
    def least(self) -> int:
        """The smallest sum."""
        return sum(map(min, self.loads))


@frozen(eq=False)
class Limits:
    """The promises as rows, the options that break one alone, and the promises that are neither."""

    rows: tuple[Row, ...]
    barred: frozenset[tuple[int, int]]
    """Pairs of a place and an option."""
    unheeded: tuple[Require, ...] = ()


@frozen
class Linear:
    """A constant, and sums over the weights of the result with their factors."""

    constant: Fraction = Fraction(0)
    terms: Mapping[Formula, Fraction] = field(factory=dict[Formula, Fraction])

    def plus(self, other: Linear, factor: Fraction = Fraction(1)) -> Linear:
        """This, and so many times the other."""
        keys = dict.fromkeys((*self.terms, *other.terms))
        terms = {key: self.terms.get(key, Fraction(0)) + factor * other.terms.get(key, Fraction(0)) for key in keys}
        return Linear(self.constant + factor * other.constant, {key: one for key, one in terms.items() if one})

    def times(self, other: Linear) -> Linear | None:
        """The product, where one of both is constant."""
        if other.terms:
            return None if self.terms else other.times(self)
        return Linear().plus(self, other.constant)


Quotient = tuple[Linear, Linear]
ONE = Linear(Fraction(1))


@frozen(eq=False)
class Reader:
    """Reads promises where `before` is the input, `base` the model with nothing chosen, and `options` are by place."""

    before: Figures
    base: Figures
    places: Sequence[Figures]
    """The weights of each place with nothing chosen."""
    options: Sequence[Sequence[Figures]]

    def limits(self, promises: Sequence[Require]) -> Limits:
        """All counted promises."""
        rows, barred, unheeded = list[Row](), set[tuple[int, int]](), list[Require]()
        for one in promises:
            if not isinstance(one.claim, Counted):
                continue
            alone = self._alone(one.claim)
            row = None if alone is not None else self._row(one, one.claim)
            if alone is not None:
                barred |= alone
            elif row is not None:
                rows.append(row)
            else:
                unheeded.append(one)
        return Limits(tuple(rows), frozenset(barred), tuple(unheeded))

    # ---- promises that every weight makes ---------------------------------------------------

    def _alone(self, claim: Counted) -> frozenset[tuple[int, int]] | None:
        """The options that break `claim`, where it says something of every weight of the result."""
        match claim:
            case Counted(Each("max", _, _, "after"), "<=" | "<", Number()):
                pass
            case Counted(Each("min", _, _, "after"), ">=" | ">", Number()):
                pass
            case _:
                return None
        return frozenset(
            (place, at)
            for place, options in enumerate(self.options)
            for at, option in enumerate(options)
            if option.records and not self._kept(claim, option)
        )

    def _kept(self, claim: Counted, option: Figures) -> bool:
        try:
            left, right = (self._value(side, option.records) for side in (claim.left, claim.right))
        except Undefined:
            return False
        return RELATIONS[claim.relation](left, right)

    def _value(self, formula: Formula, records: Sequence[Record]) -> Fraction:
        states = (("before", self.before.counts), ("after", self.base.counts))
        metrics = {(name.partition("/")[0], state): count for state, counts in states for name, count in counts.items()}
        weights = {"before": self.before.records, "after": tuple(records)}
        return exactly(formula, Environment(metrics=metrics, weights=weights), RATIONALS)

    # ---- promises about sums ----------------------------------------------------------------

    def _row(self, require: Require, claim: Counted) -> Row | None:
        try:
            left, right = self._quotient(claim.left), self._quotient(claim.right)
        except Undefined:
            return None
        if left is None or right is None or not (self._positive(left[1]) and self._positive(right[1])):
            return None
        one, other = left[0].times(right[1]), right[0].times(left[1])
        if one is None or other is None:
            return None
        below = one.plus(other, Fraction(-1)) if claim.relation in ("<=", "<") else other.plus(one, Fraction(-1))
        return self._integers(require, below, strict=claim.relation in ("<", ">"))

    def _integers(self, require: Require, below: Linear, *, strict: bool) -> Row:
        """The row that says that `below` is at most 0."""
        loads = [
            [self._moved(below, place, option) for option in options] for place, options in enumerate(self.options)
        ]
        scale = math.lcm(below.constant.denominator, *(load.denominator for row in loads for load in row))
        made = tuple(tuple(int(load * scale) for load in row) for row in loads)
        return Row(require, made, int(-below.constant * scale) - strict, Fraction(1, scale))

    def _moved(self, linear: Linear, place: int, option: Figures) -> Fraction:
        """What an option adds to a sum, compared with nothing being chosen at its place."""
        parts = (factor * self._change(key, place, option) for key, factor in linear.terms.items())
        return sum(parts, Fraction(0))

    def _change(self, key: Formula, place: int, option: Figures) -> Fraction:
        if isinstance(key, Metric):
            return Fraction(option.counts[f"{key.id}/1"] - self.base.counts[f"{key.id}/1"])
        return self._value(key, option.records) - self._value(key, self.places[place].records)

    def _positive(self, linear: Linear) -> bool:
        """Whether a sum is above 0 whatever is chosen."""
        least = (
            min(self._moved(linear, place, option) for option in options) for place, options in enumerate(self.options)
        )
        return linear.constant + sum(least, Fraction(0)) > 0

    def _quotient(self, formula: Formula) -> Quotient | None:
        """`formula` as a quotient of two sums, where it is one.

        Raises:
            Undefined: a constant in it has no value.
        """
        if not any(self._varies(one) for one in walk(formula)):
            return Linear(self._value(formula, self.base.records)), ONE
        match formula:
            case Metric() | Each("sum" | "count"):
                return Linear(self._value(formula, self.base.records), {formula: Fraction(1)}), ONE
            case Each("mean"):
                parts = [self._quotient(Each(kind, *_rest(formula))) for kind in ("sum", "count")]
                return None if parts[0] is None or parts[1] is None else (parts[0][0], parts[1][0])
            case Apply(op, terms) if op in COMBINED:
                sides = [self._quotient(term) for term in terms]
                known = [one for one in sides if one is not None]
                return COMBINED[op](*known) if len(known) == len(sides) else None
            case _:
                return None

    def _varies(self, formula: Formula) -> bool:
        """Whether a figure of the result depends on what is chosen."""
        if isinstance(formula, Each):
            return formula.state == "after"
        if not isinstance(formula, Metric) or formula.state != "after":
            return False
        name = f"{formula.id}/1"
        return any(option.counts[name] != self.base.counts[name] for options in self.options for option in options)


def _rest(each: Each) -> tuple[str, str, str, Formula]:
    return each.variable, each.over, each.state, each.body


def _added(one: Quotient, other: Quotient, sign: Fraction = Fraction(1)) -> Quotient | None:
    left, right, below = one[0].times(other[1]), other[0].times(one[1]), one[1].times(other[1])
    return None if left is None or right is None or below is None else (left.plus(right, sign), below)


def _taken(one: Quotient, other: Quotient) -> Quotient | None:
    return _added(one, other, Fraction(-1))


def _negated(one: Quotient) -> Quotient | None:
    return Linear().plus(one[0], Fraction(-1)), one[1]


def _multiplied(one: Quotient, other: Quotient) -> Quotient | None:
    above, below = one[0].times(other[0]), one[1].times(other[1])
    return None if above is None or below is None else (above, below)


def _divided(one: Quotient, other: Quotient) -> Quotient | None:
    return _multiplied(one, (other[1], other[0]))


COMBINED: Mapping[str, Callable[..., Quotient | None]] = {
    "add": _added, "sub": _taken, "neg": _negated, "mul": _multiplied, "div": _divided,
}  # fmt: skip
"""What is done with quotients, by the name of the function."""
