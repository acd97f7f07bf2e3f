"""Formulas over named axes: to the bit what a plain loop over Python's floats gives, whatever the axes."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.verifier.named import Tensor, evaluate
from surgdsl.verifier.reject import Reject
from tests.verifier.columns import array, tensor

Element = dict[str, int]
EXTENTS = {"a": 2, "b": 3, "c": 4}
ODD = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]
FLOATS = st.sampled_from(ODD) | st.floats(-10, 10)


def variable(name: str) -> dict[str, Any]:
    return {"variable": name}


def ap(function: str, *terms: dict[str, Any]) -> dict[str, Any]:
    return {"apply": function, "terms": list(terms)}


def bits(value: float) -> bytes:
    return b"NaN" if math.isnan(value) else struct.pack("<d", value)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    axes = draw(st.permutations(sorted(EXTENTS)))[: draw(st.integers(0, 3))]
    shape = [EXTENTS[axis] for axis in axes]
    values = draw(st.lists(FLOATS, min_size=math.prod(shape), max_size=math.prod(shape)))
    return tensor(axes, np.array(values, dtype=np.float64).reshape(shape))


def at(found: Tensor, element: Element) -> float:
    return float(array(found)[tuple(element[axis] for axis in found.extents)])


def elements(axes: tuple[str, ...]) -> list[Element]:
    return [dict(zip(axes, index, strict=True)) for index in itertools.product(*(range(EXTENTS[a]) for a in axes))]


def divided(x: float, y: float) -> float:
    if y:
        return x / y
    return math.nan if math.isnan(x) or not x else math.copysign(math.inf, x) * math.copysign(1, y)


def lesser(x: float, y: float) -> float:
    return x if x <= y or math.isnan(x) else y


def greater(x: float, y: float) -> float:
    return x if x >= y or math.isnan(x) else y


PLAIN: dict[str, Callable[[float, float], float]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": divided,
    "min": lesser,
    "max": greater,
}


@pytest.mark.parametrize("function", PLAIN)
@given(tensors(), tensors())
def test_a_function_is_ieee_element_by_element_over_the_union_of_axes(function: str, x: Tensor, y: Tensor) -> None:
    found = evaluate(ap(function, variable("x"), variable("y")), {"x": x, "y": y})
    assert [*found.extents] == [*x.extents, *(axis for axis in y.extents if axis not in x.extents)]
    for element in elements(tuple(found.extents)):
        assert bits(at(found, element)) == bits(PLAIN[function](at(x, element), at(y, element)))


@given(tensors(), tensors())
def test_a_choice_compares_and_chooses_element_by_element(x: Tensor, y: Tensor) -> None:
    test = ap("and", ap("lt", variable("x"), variable("y")), ap("not", ap("eq", variable("x"), {"number": "0"})))
    found = evaluate(ap("if", test, ap("neg", variable("x")), ap("abs", variable("y"))), {"x": x, "y": y})
    for element in elements(tuple(found.extents)):
        left, right = at(x, element), at(y, element)
        assert bits(at(found, element)) == bits(-left if left < right and left else abs(right))


FOLDS: dict[str, Callable[[float, float], float]] = {
    "sum": lambda x, y: x + y,
    "mean": lambda x, y: x + y,
    "prod": lambda x, y: x * y,
    "min": lesser,
    "max": greater,
}


@pytest.mark.parametrize("kind", FOLDS)
@given(tensors(), st.data())
def test_a_reduction_goes_row_major_from_the_first_element_to_the_last(kind: str, x: Tensor, data: Any) -> None:
    over = data.draw(st.permutations([*x.extents]))[: data.draw(st.integers(0, len(x.extents)))]
    found = evaluate({"reduce": kind, "axes": list(over), "body": variable("x")}, {"x": x})
    assert [*found.extents] == [axis for axis in x.extents if axis not in over]
    for element in elements(tuple(found.extents)):
        first, *rest = [at(x, element | inner) for inner in elements(tuple(over))]
        for other in rest:
            first = FOLDS[kind](first, other)
        count = math.prod(EXTENTS[axis] for axis in over)
        assert bits(at(found, element)) == bits(first / count if kind == "mean" else first)


@given(tensors())
def test_all_axes_are_reduced_in_their_order(x: Tensor) -> None:
    found = evaluate({"reduce": "sum", "axes": ["*"], "body": variable("x")}, {"x": x})
    written = evaluate({"reduce": "sum", "axes": list(x.extents), "body": variable("x")}, {"x": x})
    assert (found.extents, bits(found.values[0])) == ({}, bits(written.values[0]))
    assert evaluate({"reduce": "count", "axes": ["*"], "body": variable("x")}, {"x": x}).values[0] == len(x.values)


def test_a_sum_is_sequential_where_pairs_would_give_other_bits() -> None:
    x = np.random.default_rng(7).normal(size=4096)
    found = evaluate({"reduce": "sum", "axes": ["a"], "body": variable("x")}, {"x": tensor("a", x)})
    total = 0.0
    for value in x:
        total += float(value)
    assert found.values[0] == total != float(np.sum(x))


@given(tensors(), st.integers(-5, 5))
def test_a_power_is_repeated_multiplication(x: Tensor, exponent: int) -> None:
    found = evaluate(ap("pow", variable("x"), {"number": str(exponent)}), {"x": x})
    for element in elements(tuple(x.extents)):
        value = at(x, element)
        expected = math.prod([value] * (abs(exponent) - 1), start=value) if exponent else 1.0
        assert bits(at(found, element)) == bits(divided(1.0, expected) if exponent < 0 else expected)


def test_a_number_is_the_nearest_float_and_a_root_is_rounded_once() -> None:
    assert evaluate({"number": "1/3"}, {}).values[0] == 1 / 3
    assert evaluate(ap("sqrt", {"number": "2"}), {}).values[0] == math.sqrt(2)
    assert math.isnan(evaluate(ap("sqrt", {"number": "-1"}), {}).values[0])


def test_axes_that_do_not_fit_are_refused() -> None:
    x, y = tensor("a", np.ones(2)), tensor("a", np.ones(1))
    with pytest.raises(Reject, match="V15"):
        evaluate(ap("add", variable("x"), variable("y")), {"x": x, "y": y})
    for axes in (["b"], ["a", "a"], ["*", "a"]):
        with pytest.raises(Reject, match="V15"):
            evaluate({"reduce": "sum", "axes": axes, "body": variable("x")}, {"x": x})
