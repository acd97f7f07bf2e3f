"""The weights that a rule of the file makes, and its bound: computed again from the weights before, in float64.

What a library may compute in other bits, singular vectors, is not compared but measured against what it must achieve.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from surgdsl.verifier.arrays import Column, each, ops
from surgdsl.verifier.canonical import canon
from surgdsl.verifier.content import FLOATS, Load, check_parts
from surgdsl.verifier.declared.boxes import Kind
from surgdsl.verifier.declared.declaration import number_of
from surgdsl.verifier.declared.meaning import Point, Value, compared
from surgdsl.verifier.extent import Extent, integers
from surgdsl.verifier.formula import all_of
from surgdsl.verifier.named import SLACK, Tensor, evaluate, number, rank_of, singular
from surgdsl.verifier.net import Operation
from surgdsl.verifier.reject import need
from surgdsl.verifier.rules.schema import Attested
from surgdsl.verifier.weight import Weight

REAL = ("F64", "F32", "F16")


@dataclass(frozen=True, slots=True)
class Placed:
    """A box of a rule, its sizes and the operation that it is in a step, and its weights by name."""

    box: dict[str, Any]
    kind: Kind
    sizes: tuple[Extent, ...]
    operation: Operation
    weights: dict[str, Weight]

    def shape(self, tensor: str) -> tuple[int, ...]:
        """The shape that a weight must have."""
        return integers(self.sizes[: self.kind.weights[tensor].rank], "the sizes of a box")

    def axes(self, tensor: str) -> tuple[str, ...]:
        """The axes of a weight: called as the sizes are written, else by the word for the place."""
        found: list[str] = []
        rank = self.kind.weights[tensor].rank
        for extent, word in zip(self.box["sizes"][:rank], self.kind.words[:rank], strict=True):
            name = extent if type(extent) is str and extent not in found else word
            found.append(name if name not in found else f"{name}'")
        return tuple(found)


Boxes = dict[str, Placed]
Numbers = Mapping[str, Fraction]
Bound = Mapping[str, Tensor]
Made = Mapping[tuple[str, str], Value]
About = tuple[list[str], Numbers, Bound, Load]
"""The dtypes of the wires of K that are real, the variables that are numbers, the scales, and what gives weights."""


def settle(d: dict[str, Any], sides: tuple[Boxes, Boxes], about: About, given: Point, factor: float) -> str:
    """Weights, bound, and both sides at a point; tells the bound, and when the sides could not be computed."""
    (olds, news), (real, numbers, scales, load) = sides, about
    made = check_dtypes(d["with"], sides, real)
    stored = {(name, t): values_of(w, load) for name, placed in olds.items() for t, w in placed.weights.items()}
    before = weights_of(olds, stored)
    bound = {**bound_of(olds, before, numbers), **scales}
    after = weights_of(news, check_values(d["with"], news, made, bound, load))
    told = check_bound(d["bound"], factor, bound) if "bound" in d else ""
    attributes = [{name: placed.operation.attributes for name, placed in side.items()} for side in sides]
    both = (before, attributes[0]), (after, attributes[1])
    exact = d["grade"] == "exact" and not any("spectral" in row["value"] for row in d["with"])
    if d["grade"] == "lossy" or compared(d, both, given, (exact, factor)):
        return told
    open_ = f"{d['name']}: its sides are not computed here, what spoke for it is attested"
    return Attested(f"{told}; {open_}" if told else open_)


def check_dtypes(rows: list[Any], sides: tuple[Boxes, Boxes], real: list[str]) -> dict[tuple[str, str], Weight]:
    """All weights are dense and of one dtype, and R has those that `with` gives; returns them. V14 otherwise."""
    weights = [weight for placed in sides[0].values() for weight in placed.weights.values()]
    dtypes = {weight.dtype for weight in weights}
    dense = len(dtypes) <= 1 and dtypes <= {*REAL} and all(weight.plain for weight in weights)
    need(dense, "V14", "L is not dense, of one dtype")
    made = {(name, tensor): weight for name, placed in sides[1].items() for tensor, weight in placed.weights.items()}
    need(made.keys() == {(row["box"], row["tensor"]) for row in rows}, "V14", "R has other weights than `with` makes")
    wanted = [*dtypes, *real][:1]
    same = all(weight.plain and [weight.dtype] == wanted for weight in made.values())
    need(same, "V14", "a weight of R is not dense, or of another dtype")
    return made


def check_values(rows: list[Any], news: Boxes, made: dict[tuple[str, str], Weight], bound: Bound, load: Load) -> Made:
    """Every weight of R is what `with` makes of those of L, byte for byte; returns them before they were rounded."""
    found, pairs = dict[tuple[str, str], Value](), dict[bytes, dict[str, Any]]()
    for row in rows:
        place, value = (row["box"], row["tensor"]), row["value"]
        weight, axes = made[place], news[row["box"]].axes(row["tensor"])
        if value.get("spectral") in ("left", "right"):
            found[place] = values_of(weight, load)
            key = canon([value["body"], value["rank"], value["axis"]])
            need(value["spectral"] not in pairs.setdefault(key, {}), "V15", "two weights are one half of a product")
            stored = Tensor(dict(zip(axes, weight.shape, strict=True)), found[place][1])
            pairs[key] |= {value["spectral"]: stored, "of": value}
        else:
            need(not any("spectral" in each for each in all_of(value)), "V15", "singular vectors inside of a formula")
            found[place] = laid(evaluate(value, bound), weight, axes)
            check_parts(weight, {"values": rounded(found[place][1], weight)}, load)
    for pair in pairs.values():
        check_pair(pair, bound)
    return found


def values_of(weight: Weight, load: Load) -> Value:
    """The elements of a plain weight in float64."""
    return weight.shape, ops.column(load(weight).parts["values"][:], FLOATS[weight.dtype])


def laid(value: Tensor, weight: Weight, axes: tuple[str, ...]) -> Value:
    """A value laid along the axes of a weight; V15 when it does not fit."""
    extents = dict(zip(axes, weight.shape, strict=True))
    need(value.extents.items() <= extents.items(), "V15", f"`{weight.base}` has other axes")
    return weight.shape, value.along(extents)


def rounded(values: Column, weight: Weight) -> bytes:
    """Values rounded once to the dtype of a weight; V15 when one is not finite."""
    found = ops.packed(values, FLOATS[weight.dtype])
    need(found is not None, "V15", f"`{weight.base}` is not finite")
    return found


def weights_of(side: Boxes, found: Made) -> dict[str, dict[str, Value]]:
    """The weights of every box, those that are absent as what they read as."""

    def read(placed: Placed, name: str, tensor: str) -> Value:
        shape, neutral = placed.shape(tensor), placed.kind.weights[tensor].neutral
        return found[name, tensor] if (name, tensor) in found else (shape, ops.numbers([neutral] * math.prod(shape)))

    return {
        name: {tensor: read(placed, name, tensor) for tensor in placed.kind.weights} for name, placed in side.items()
    }


def bound_of(olds: Boxes, weights: dict[str, dict[str, Value]], numbers: Numbers) -> dict[str, Tensor]:
    """What the formulas of a rule may name: its variables, and weights and arguments of the boxes of L."""
    found = {name: number(value) for name, value in numbers.items()}
    for name, placed in olds.items():
        told = {key: number_of(value) for key, value in placed.operation.attributes.items()}
        found |= {f"{name}.{key}": number(value) for key, value in told.items() if value is not None}
        for tensor, (shape, values) in weights[name].items():
            found[f"{name}.{tensor}"] = Tensor(dict(zip(placed.axes(tensor), shape, strict=True)), values)
    return found


def check_pair(pair: dict[str, Any], bound: Mapping[str, Tensor]) -> None:
    """The stored halves U and V: E − U·V is no larger than the best approximation of that rank leaves it; V15."""
    need({"left", "right"} <= pair.keys(), "V15", "one half of a product is missing")
    value = pair["of"]
    body, rank = evaluate(value["body"], bound), rank_of(value, bound)
    sigma, (first, *others) = singular(body, body.values), body.extents
    rest = {axis: body.extents[axis] for axis in others}
    left = half(pair["left"], {first: body.extents[first], value["axis"]: rank})
    right = half(pair["right"], {**rest, value["axis"]: rank})  # across: a column for each row
    made = ops.dots(left, right, rank)
    left_over = singular(body, each(operator.sub, body.values, made))
    least = sigma[rank] if rank < len(sigma) else 0.0
    need(left_over[0] <= least + SLACK * sigma[0], "V15", "a product is not the best approximation of its rank")


def half(stored: Tensor, extents: Mapping[str, int]) -> Column:
    """A stored half, laid along axes; what else the weight has are axes of extent 1. V15 when it has other axes."""
    more = {axis: extent for axis, extent in stored.extents.items() if axis not in extents}
    fits = {**stored.extents} == {**extents, **more} and all(extent == 1 for extent in more.values())
    need(fits, "V15", "the halves of a product have other axes")
    return stored.along(extents)


def check_bound(bound: dict[str, Any], factor: float, values: Bound) -> str:
    """The factor of a bounded rule is at least what its formula gives; returns what it says."""
    found = evaluate(bound["factor"], values)
    need(not found.extents, "V15", "the factor of a bound is no number")
    least = float(found.values[0]) * (1 - 2.0**-30)
    need(math.isfinite(factor) and factor >= least, "V15", f"the bound {factor:.6g} is below {least:.6g}")
    return f"|change of {bound['output']}| <= {factor:.6g} * |{bound['input']}| in {bound['norm']}"
