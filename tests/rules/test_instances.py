"""Instances: small, varied, typed by the operators themselves, and the degree of what they test never too low."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import islice, pairwise
from random import Random

import numpy as np
import pytest

from surgdsl.formula.fields import RATIONALS
from surgdsl.formula.tensor import Values
from surgdsl.rules.degree import degree
from surgdsl.rules.instances import Instance, Misbuilt, instances
from surgdsl.rules.meaning import Interpretation
from surgdsl.rules.points import both
from surgdsl.rules.schema import Schema
from tests.rules.declaring import FUSE, schema, standard

CONVOLUTION = standard("fold_batchnorm")[0]


def some(rule: Schema, count: int = 40) -> list[Instance]:
    return list(islice(instances(rule), count))


def test_instances_are_the_same_each_time_and_differ_by_seed() -> None:
    assert some(CONVOLUTION, 5) == some(CONVOLUTION, 5)
    assert some(CONVOLUTION, 5) != list(islice(instances(CONVOLUTION, seed=1), 5))


def test_instances_vary_in_sizes_arguments_and_absent_weights() -> None:
    found = some(CONVOLUTION)
    assert {1, 2} <= {one.binding["g"] for one in found}
    assert len({one.binding["s"] for one in found}) == 4
    assert len({one.binding["p"] for one in found}) == 4
    assert {("weight",), ("weight", "bias")} == {one.left[0].tensors for one in found}
    assert len({one.left[1].operation.attribute("eps") for one in found}) > 1


def test_both_sides_write_what_is_kept() -> None:
    for one in some(CONVOLUTION):
        left, right = one.sorts
        assert (left["x"], left["y"]) == (right["x"], right["y"])


def test_conditions_hold_in_every_instance() -> None:
    rule = schema(FUSE.replace("  with", "  where o * i < h * (o + i)\n  with"))
    sizes = [tuple(int(str(one.binding[name])) for name in "hio") for one in some(rule)]
    assert all(o * i < h * (o + i) for h, i, o in sizes)
    assert len(set(sizes)) > 5


def test_what_cannot_be_met_is_told_with_the_condition() -> None:
    rule = schema(FUSE.replace("  with", "  where h < 1\n  with"))
    with pytest.raises(Misbuilt, match="nothing satisfies the condition after `where`"):
        next(instances(rule))


# ---- degrees ------------------------------------------------------------------------------------


class Scaled(Random):
    """Random numbers that are all multiplied by the same factor, so that values grow as their degree says."""

    def __init__(self, seed: int, factor: int) -> None:
        super().__init__(seed)
        self.factor = factor

    def randint(self, a: int, b: int) -> int:
        return super().randint(a, b) * self.factor


def growth(values: Callable[[int], Values]) -> int:
    """The degree of a polynomial in one variable: how often differences are taken until nothing is left."""
    column = [values(at) for at in range(1, 12)]
    for order in range(len(column)):
        if all((one == 0).all() for one in column):
            return order - 1
        column = [after - before for before, after in pairwise(column)]
    raise AssertionError("no polynomial of so low a degree")


ONES = """rule lossy r {
  L { x -> [linear(o, i)] -> y }
  K { x: real  y: real }
  R { x -> [A: linear(o, i)] -> y }
  with A.weight = 1
}"""
SQUARE = """rule lossy r {
  L { (x, z) -> [mul] -> a  (a, z) -> [mul] -> y }
  K { x: real  z: real  y: real }
  R { (x, z) -> [add] -> y }
}"""


@pytest.mark.parametrize("text", [FUSE, ONES, SQUARE])
def test_a_degree_is_never_below_the_growth_of_both_sides(text: str) -> None:
    rule = schema(text)
    for instance in some(rule, 4):

        def values(factor: int, side: int = 0, instance: Instance = instance) -> Values:
            sides, _ = both(rule, instance, Interpretation(RATIONALS, 1, True), Scaled(1, factor))
            return np.asarray(sides[side]["y"])

        found = max(growth(values), growth(lambda factor, of=values: of(factor, 1)))
        assert found >= 1
        assert found <= degree(rule, instance) < 2**21
        assert isinstance(values(1).ravel()[0], Fraction)
