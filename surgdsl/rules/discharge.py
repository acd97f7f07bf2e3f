"""Discharge: whether L and R of an `exact` rule are the same function, tested before the rule is used.

On random small instances both sides are evaluated at random points modulo the prime 2^61 − 1. Two different polynomials
of degree d agree at such a point with a probability of at most d/p (Schwartz 1980, Zippel 1979), so agreement is
evidence with a figure. Where that is too strict, because a function is only known piece by piece, both sides are
evaluated exactly at random rational points, and the evidence is how many there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from itertools import islice
from random import Random

import numpy as np
from attrs import frozen

from surgdsl.formula import Apply, walk
from surgdsl.formula.fields import PRIME, RATIONALS, Resample, Residues, Undefined
from surgdsl.formula.tensor import Misfit, Values
from surgdsl.rules.assignment import assigned, environment
from surgdsl.rules.degree import degree
from surgdsl.rules.ground import FLOATING, numbers
from surgdsl.rules.instances import Instance, instances, spelled
from surgdsl.rules.meaning import PIECEWISE, Interpretation
from surgdsl.rules.schema import Schema

IDENTITIES, SAMPLES, REDRAWN = 8, 64, 200
CONFIDENCE = 40
"""Bits: an identity is accepted when a wrong one would pass with a probability of at most 2^-40."""


@frozen
class Discharged:
    """What speaks for an exact rule: how many instances, and at each either so many bits or a sample."""

    method: str
    """``identity`` (modulo the prime) or ``samples`` (exact rationals)."""
    instances: int
    bits: int

    def __str__(self) -> str:
        if self.method == "identity":
            return f"identity at {self.instances} small sizes, each with probability 1 - 2^-{self.bits}"
        return f"equal at {self.instances} random points in exact arithmetic"


@frozen
class Refuted:
    """A point at which L and R differ, or the reason why nothing could be tested."""

    reason: str


@cache
def discharge(schema: Schema) -> Discharged | Refuted:
    """Test an `exact` rule.

    Raises:
        Misbuilt: it has no well-typed instances.
    """
    try:
        found = _identity(schema)
        if isinstance(found, Discharged) or not _piecewise(schema):
            return _told(schema, found) if isinstance(found, Refuted) else found
        return _sampled(schema)
    except (Undefined, Misfit) as why:
        return Refuted(f"it cannot be tested: {why}")


def _identity(schema: Schema) -> Discharged | Refuted:
    bits = CONFIDENCE + 20
    for number, instance in enumerate(islice(instances(schema), IDENTITIES)):
        reached, draw = 0, 0
        each = PRIME.bit_length() - 1 - degree(schema, instance).bit_length()
        while reached < CONFIDENCE:
            fault, draw = _compared(schema, instance, f"{number}", False, draw)
            if fault:
                return Refuted(fault)
            reached += max(1, each)
        bits = min(bits, reached)
    return Discharged("identity", IDENTITIES, bits)


def _sampled(schema: Schema) -> Discharged | Refuted:
    for number, instance in enumerate(islice(instances(schema), SAMPLES)):
        fault, _ = _compared(schema, instance, f"exact {number}", True, 0)
        if fault:
            return Refuted(fault)
    return Discharged("samples", SAMPLES, 0)


def _told(schema: Schema, found: Refuted) -> Refuted:
    """A counterexample in rationals, which people can follow, where there is one."""
    try:
        other = _sampled(schema)
    except (Undefined, Misfit):
        return found
    return other if isinstance(other, Refuted) else found


def _piecewise(schema: Schema) -> bool:
    """Whether the rule knows functions that only have a meaning where numbers have an order."""
    boxes = any(box.kind.operator in PIECEWISE for box in (*schema.left, *schema.right))
    return boxes or any(
        isinstance(one, Apply) and one.op in ("abs", "min", "max", "if")
        for clause in schema.weights
        for one in walk(clause.value)
    )


# ---- one point ----------------------------------------------------------------------------------


def _compared(schema: Schema, instance: Instance, seed: str, ordered: bool, draw: int) -> tuple[str, int]:
    """How L and R differ at a random point (empty: not at all), and the number of the next draw."""
    for again in range(draw, draw + REDRAWN):
        try:
            return _difference(schema, instance, f"{schema.name} {seed} {again}", ordered), again + 1
        except Resample:
            continue
    raise Undefined("no random point is in the domain of its roots")


def _difference(schema: Schema, instance: Instance, seed: str, ordered: bool) -> str:
    random = Random(seed)  # noqa: S311 - it must repeat, not surprise
    field = RATIONALS if ordered else Residues(random.getrandbits(32))
    inside = Interpretation(field, random.getrandbits(32), ordered)
    left = _given(instance, inside, random)
    right = {wire: values for wire, values in left.items() if wire in schema.inputs}
    right |= _assigned(schema, instance, left, inside)
    sides = [_evaluated(instance, side, wires, inside) for side, wires in enumerate((left, right))]
    for port in schema.glue:
        before, after = sides[0][port.wire], sides[1][port.wire]
        wrong = np.argwhere(np.asarray(before != after, dtype=bool))
        if len(wrong):
            at = tuple(int(place) for place in wrong[0])
            place = f"{port.wire}[{', '.join(map(str, at))}]"
            return (
                f"at {spelled(instance.binding)}: {place} is {_number(before[at])} in L and {_number(after[at])} in R"
            )
    return ""


def _number(value: object) -> str:
    return f"{float(value):.6g}" if isinstance(value, Fraction) else "one number modulo 2^61 - 1"


def _evaluated(instance: Instance, side: int, wires: dict[str, Values], inside: Interpretation) -> dict[str, Values]:
    found = dict(wires)
    for placed in (instance.left, instance.right)[side]:
        found |= inside.compute(placed, found, instance.sorts[side])
    return found


def _given(instance: Instance, inside: Interpretation, random: Random) -> dict[str, Values]:
    """Random values for the inputs and the weights of L."""
    written = {wire for placed in instance.left for wire in placed.box.targets}
    roots = {
        f"{placed.box.name}.var": Fraction(float(str(placed.operation.attribute("eps"))))
        for placed in instance.left
        if placed.box.operation == "batchnorm"
    }
    found: dict[str, Values] = {}
    for wire, sort in instance.sorts[0].items():
        if wire in written:
            continue
        sizes = tuple(int(str(size)) for size in sort.shape)
        values = np.empty(int(np.prod(sizes, dtype=np.int64)), dtype=object)
        for at in range(values.size):
            values[at] = _drawn(inside, random, sort.dtype, roots.get(wire))
        found[wire] = values.reshape(sizes)
    return found


def _drawn(inside: Interpretation, random: Random, dtype: str, epsilon: Fraction | None) -> object:
    """One random number; a variance is one whose root, with its epsilon added, exists."""
    if dtype not in FLOATING:
        return random.randrange(8)
    number = (
        Fraction(random.randint(-99, 99), random.choice((1, 2, 4)))
        if inside.ordered
        else Fraction(random.randrange(PRIME))
    )
    if epsilon is None:
        return inside.field.number(number)
    if not inside.ordered:
        return (int(number) ** 2 - int(str(inside.field.number(epsilon)))) % PRIME
    return (abs(number) + 1) ** 2 - epsilon


def _assigned(
    schema: Schema, instance: Instance, left: Mapping[str, Values], inside: Interpretation
) -> dict[str, Values]:
    """The weights of R that `with` makes, by ``box.tensor``."""
    read = [numbers(placed.box.name, placed.operation.attributes) for placed in instance.left]
    arguments = {name: value for one in read for name, value in one.items()}
    known = environment(schema, instance.binding, left, arguments, inside.field)
    boxes = {box.name: box for box in schema.right}
    return {
        f"{one.box}.{one.tensor}": assigned(one, boxes[one.box], instance.binding, known, inside.field)
        for one in schema.weights
    }
