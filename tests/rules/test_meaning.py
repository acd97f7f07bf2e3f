"""Meanings: what a discharge takes boxes for is what torch computes, on random instances of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from surgdsl.diagram.operation import Operation
from surgdsl.formula.fields import FLOATS, RATIONALS, Residues
from surgdsl.formula.tensor import Values
from surgdsl.rules.boxes import KINDS
from surgdsl.rules.instances import instances
from surgdsl.rules.meaning import COMPUTED, Interpretation
from surgdsl.rules.points import both
from tests.operations.calling import overload
from tests.rules.declaring import schema

BOXES = {
    "conv1d": ("conv1d(o, i, k, stride = s, padding = p, dilation = d, groups = g)",
               "real[*, g * i, w]", "real[*, o, v]"),
    "conv2d": ("conv2d(o, i, k, l, stride = s, padding = p, dilation = d, groups = g)",
               "real[*, g * i, h, w]", "real[*, o, u, v]"),
    "conv3d": ("conv3d(o, i, k, l, m, stride = s, padding = p, dilation = d, groups = g)",
               "real[*, g * i, t, h, w]", "real[*, o, q, u, v]"),
    "linear": ("linear(o, i)", "real", "real"),
    "batchnorm": ("batchnorm(c)", "real[*, c, h]", "real[*, c, h]"),
    "embedding": ("embedding(n, d)", "i64[*, t]", "real[*, t, d]"),
    "relu": ("relu", "real", "real"),
    "relu6": ("relu6", "real", "real"),
    "abs": ("abs", "real", "real"),
    "neg": ("neg", "real", "real"),
    "leaky_relu": ("leaky_relu(negative_slope = 0.25)", "real", "real"),
    "dropout": ("dropout", "real", "real"),
    "identity": ("identity", "real", "real"),
    "flatten": ("flatten(start_dim = 1)", "real[*, c, h]", "real[*, e]"),
}  # fmt: skip
PAIRS = {name: f"(x, z) -> [{name}(alpha = 3)] -> y" for name in ("add", "sub")} | {
    name: f"(x, z) -> [{name}] -> y" for name in ("mul", "div")
}


def written(name: str) -> str:
    """A rule whose both sides are one box of this kind, with its weights as they are."""
    inner = PAIRS[name] if name in PAIRS else f"x -> [A: {BOXES[name][0]}] -> y"
    glue = "x: real  z: real  y: real" if name in PAIRS else f"x: {BOXES[name][1]}  y: {BOXES[name][2]}"
    kind = next(kind for kind in KINDS if kind.name == name)
    clauses = " ".join(f"A.{one.name} = A.{one.name}" for one in kind.tensors)
    inner_right = inner.replace("batchnorm(c)", "batchnorm(c, eps = e)")
    return (
        f"rule lossy r {{ L {{ {inner_right} }} K {{ {glue} }} R {{ {inner_right} }}"
        f" {'with ' + clauses if clauses else ''} }}"
    )


def drawn(number: int) -> Random:
    """A source of numbers that repeats."""
    return Random(number)  # noqa: S311 - it must repeat, not surprise


def by_torch(one: Operation, wires: Mapping[str, Values]) -> Values:
    """What torch computes for an operation, in float64."""
    attributes, sources = dict(one.attributes), iter(one.sources)
    positional, named = list[Any](), dict[str, Any]()
    for argument in overload(one.name)._schema.arguments:  # noqa: SLF001 - the schema has no other door
        if argument.name in attributes:
            value: Any = attributes[argument.name]
        else:
            given = wires[next(sources)]
            value = torch.tensor(given.astype(np.int64 if given.dtype == object else np.float64))
        (named.__setitem__(argument.name, value) if argument.kwarg_only else positional.append(value))
    return overload(one.name)(*positional, **named).numpy()


def test_every_kind_that_is_computed_is_compared_here() -> None:
    named = {kind.name for kind in KINDS if kind.operator in COMPUTED}
    assert named == BOXES.keys() | PAIRS.keys()


@pytest.mark.parametrize("name", sorted(BOXES.keys() | PAIRS.keys()))
def test_a_box_means_what_torch_computes(name: str) -> None:
    rule = schema(written(name))
    for number, instance in enumerate(islice(instances(rule), 12)):
        (left, right), _ = both(rule, instance, Interpretation(FLOATS, number, True), drawn(number))
        (placed,) = instance.left
        wires = {**left, "z": left.get("z", left["x"])}
        if name == "embedding":
            wires["x"] = left["x"] % instance.sorts[0]["A.weight"].shape[0]
        expected = by_torch(placed.operation, wires)
        assert expected.shape == left["y"].shape
        np.testing.assert_allclose(np.asarray(left["y"], np.float64), expected, rtol=1e-9, atol=1e-9)
        if placed.tensors == instance.right[0].tensors:
            np.testing.assert_array_equal(np.asarray(left["y"], np.float64), np.asarray(right["y"], np.float64))


@pytest.mark.parametrize("name", ["batchnorm", "conv2d", "leaky_relu", "linear", "relu6"])
def test_exact_arithmetic_agrees_with_torch(name: str) -> None:
    rule = schema(written(name))
    for number, instance in enumerate(islice(instances(rule), 6)):
        (left, _), _ = both(rule, instance, Interpretation(RATIONALS, number, True), drawn(number))
        floats = {wire: np.asarray(values, np.float64) for wire, values in left.items()}
        expected = by_torch(instance.left[0].operation, floats)
        np.testing.assert_allclose(floats["y"], expected, rtol=1e-9, atol=1e-6)


def test_an_oracle_answers_the_same_question_alike() -> None:
    inside = Interpretation(Residues(1), 5, False)
    assert inside.oracle("a") == inside.oracle("a")
    assert inside.oracle("a") != inside.oracle("b")
    assert Interpretation(Residues(1), 6, False).oracle("a") != inside.oracle("a")
