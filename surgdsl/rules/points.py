"""Points: both sides of an instance, evaluated at random values of its inputs and of the weights of L."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from surgdsl.formula.evaluation import Environment
from surgdsl.formula.fields import PRIME, Floats, Residues
from surgdsl.formula.tensor import Values
from surgdsl.rules.assignment import assigned, environment
from surgdsl.rules.ground import FLOATING, extent, numbers
from surgdsl.rules.instances import Instance
from surgdsl.rules.meaning import Interpretation
from surgdsl.rules.schema import Schema

Sides = tuple[Mapping[str, Values], Mapping[str, Values]]
"""The values of all wires of L and of R, the weights among them as ``box.tensor``."""


def both(schema: Schema, instance: Instance, inside: Interpretation, random: Random) -> tuple[Sides, Environment]:
    """Both sides at one random point, and what the names of the rule stand for there.

    Raises:
        Undefined: something has no value in this field, at this point or at all.
    """
    left = _given(instance, inside, random)
    known = _environment(schema, instance, {**left, **_scales(schema, instance, inside, random)}, inside)
    boxes = {box.name: box for box in schema.right}
    right = {wire: values for wire, values in left.items() if wire in schema.inputs}
    for one in schema.weights:
        made = assigned(one, boxes[one.box], instance.binding, known, inside.field)
        right[f"{one.box}.{one.tensor}"] = made
    return (_evaluated(instance, 0, left, inside), _evaluated(instance, 1, right, inside)), known


def _evaluated(instance: Instance, side: int, wires: Mapping[str, Values], inside: Interpretation) -> dict[str, Values]:
    found = dict(wires)
    for placed in (instance.left, instance.right)[side]:
        found |= inside.compute(placed, found, instance.sorts[side])
    return found


def _environment(schema: Schema, instance: Instance, left: Mapping[str, Values], inside: Interpretation) -> Environment:
    read = [numbers(placed.box.name, placed.operation.attributes) for placed in instance.left]
    arguments = {name: value for one in read for name, value in one.items()}
    return environment(schema, instance.binding, left, arguments, inside.field)


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
        whole = sort.dtype not in FLOATING
        values = np.empty(int(np.prod(sizes, dtype=np.int64)), dtype=object if whole else inside.field.dtype)
        for at in range(values.size):
            values[at] = random.randrange(8) if whole else _drawn(inside, random, roots.get(wire))
        found[wire] = values.reshape(sizes)
    return found


def _scales(schema: Schema, instance: Instance, inside: Interpretation, random: Random) -> dict[str, Values]:
    """A random vector for each scale: positive where numbers have an order, not zero elsewhere."""
    found: dict[str, Values] = {}
    for one in schema.scales:
        count = int(str(extent(one.size, instance.binding)))
        if isinstance(inside.field, Residues):
            drawn = [random.randrange(1, PRIME) for _ in range(count)]
        else:
            drawn = [inside.field.number(Fraction(2) ** random.randint(-3, 3)) for _ in range(count)]
        found[one.name] = np.array(drawn, dtype=inside.field.dtype)
    return found


def _drawn(inside: Interpretation, random: Random, epsilon: Fraction | None) -> Any:
    """One random number; a variance is one whose root, with its epsilon added, exists."""
    match inside.field:
        case Floats():
            return random.gauss(0.0, 1.0) if epsilon is None else random.uniform(0.1, 2.0)
        case Residues():
            number = random.randrange(PRIME)
            return number if epsilon is None else (number**2 - int(str(inside.field.number(epsilon)))) % PRIME
        case _:
            exact = Fraction(random.randint(-99, 99), random.choice((1, 2, 4)))
            return exact if epsilon is None else (abs(exact) + 1) ** 2 - epsilon
