"""The value of a formula: the same as plain loops give, to the bit in floats, and the same in every field."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.formula import (
    EVERY,
    Apply,
    Attested,
    Each,
    Extern,
    Formula,
    Metric,
    Number,
    Of,
    Reduce,
    Spectral,
    Variable,
)
from surgdsl.formula.evaluation import Environment, evaluate, exactly
from surgdsl.formula.fields import FLOATS, PRIME, RATIONALS, Field, Resample, Residues, Undefined
from surgdsl.formula.tensor import Misfit, Tensor
from tests.formula.formulas import axes_of, formulas, looped, values

RING = ("add", "sub", "mul", "neg", "pow")
EXACT = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg, "abs": abs, "max": max,
    "min": min,
}  # fmt: skip
Given = dict[str, Tensor]


def number(value: int | Fraction) -> Number:
    return Number(Fraction(value))


def found(formula: Formula, given: Given, field: Field) -> dict[tuple[int, ...], Any]:
    made = evaluate(formula, Environment(given), field).laid(axes_of(formula))
    return {place: made.values[place] for place in product(*map(range, made.values.shape))}


def converted(given: Given, field: Field) -> Given:
    def one(tensor: Tensor) -> Tensor:
        flat = np.empty(tensor.values.size, dtype=field.dtype)
        flat[:] = [field.number(value) for value in tensor.values.ravel()]
        return Tensor(tensor.axes, flat.reshape(tensor.values.shape))

    return {name: one(tensor) for name, tensor in given.items()}


@given(formulas((*RING, "abs", "min", "max"), ("sum", "prod", "max", "min")), values())
def test_rationals_are_what_plain_loops_give(formula: Formula, given: Given) -> None:
    assert looped(formula, given, Fraction, EXACT) == found(formula, given, RATIONALS)


@given(formulas((*RING, "abs"), ("sum", "prod")), values())
def test_floats_are_what_plain_loops_give_to_the_bit(formula: Formula, given: Given) -> None:
    expected = looped(formula, given, float, EXACT)
    actual = found(formula, converted(given, FLOATS), FLOATS)
    assert {place: _bits(one) for place, one in expected.items()} == {
        place: _bits(one) for place, one in actual.items()
    }


def _bits(value: float) -> str:
    return float(value).hex()


@given(formulas((*RING, "div"), ("sum", "prod", "mean")), values())
def test_residues_are_those_of_the_rationals(formula: Formula, given: Given) -> None:
    field = Residues()
    try:
        exact = found(formula, given, RATIONALS)
        actual = found(formula, converted(given, field), field)
    except Undefined:
        return
    assert {place: field.number(Fraction(one)) for place, one in exact.items()} == actual


def test_a_long_sum_is_sequential_and_not_in_pairs() -> None:
    numbers = np.random.default_rng(1).standard_normal(3_000_001)
    expected = 0.0
    for one in numbers.tolist():
        expected += one
    total = evaluate(Reduce("sum", ("i",), Variable("v")), Environment({"v": Tensor(("i",), numbers)}))
    assert expected == total.values
    assert expected != numbers.sum()


def test_the_axes_are_gone_through_in_the_order_in_which_they_are_listed() -> None:
    grid = Tensor(("i", "j"), [[1e16, 1.0], [-1e16, 1.0]])
    totals = [float(evaluate(Reduce("sum", axes, Variable("m")), Environment({"m": grid})).values)
              for axes in (("i", "j"), ("j", "i"))]  # fmt: skip
    assert totals == [1.0, 2.0]


@pytest.mark.parametrize(("rows", "columns"), [(40, 50), (1, 70_000), (300, 257)])
def test_a_contraction_is_the_sum_of_products_without_holding_them(rows: int, columns: int) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((rows, 30)), rng.standard_normal((30, columns))
    formula = Reduce("sum", ("k",), Apply("mul", (Variable("a"), Variable("b"))))
    given = {"a": Tensor(("i", "k"), a), "b": Tensor(("k", "j"), b)}
    made = evaluate(formula, Environment(given))
    expected = a[:, 0, None] * b[0]
    for k in range(1, 30):
        expected = expected + a[:, k, None] * b[k]
    assert made.axes == ("i", "j")
    assert expected.tobytes() == made.values.tobytes()


def test_all_axes_are_meant_by_the_star() -> None:
    given = {"m": Tensor(("i", "j"), [[3.0, 0.0], [0.0, 4.0]])}
    norm = Apply("sqrt", (Reduce("sum", (EVERY,), Apply("pow", (Variable("m"), number(2)))),))
    assert evaluate(norm, Environment(given)).values == 5.0


def test_axes_that_do_not_fit_are_told() -> None:
    given = {"a": Tensor(("i",), [1.0, 2.0]), "b": Tensor(("i",), [1.0])}
    with pytest.raises(Misfit, match="the axis i has 2 and 1"):
        evaluate(Apply("add", (Variable("a"), Variable("b"))), Environment(given))
    with pytest.raises(Misfit, match="no axis j"):
        evaluate(Reduce("sum", ("j",), Variable("a")), Environment(given))


UNDEFINED = {
    "a division by zero": Apply("div", (number(1), number(0))),
    "a division by zero in a power": Apply("pow", (number(0), number(-1))),
    "the mean of nothing": Each("mean", "p", "weights", "after", Of("count", "p")),
    "the root of 2 is not rational": Apply("sqrt", (number(2),)),
    "the root of a negative number": Apply("sqrt", (number(-4),)),
    "not rational": Apply("exp", (number(1),)),
    "more than 4096 bits": Apply("pow", (Apply("pow", (number(3), number(64))), number(64))),
    "no whole constant": Apply("pow", (number(2), Apply("add", (number(1), number(1))))),
    "has not been asked": Extern("house:score", "after", "a.surg"),
    "singular values are not rational": Spectral("sigma", Number(Fraction(1)), number(1)),
}


@pytest.mark.parametrize("reason", UNDEFINED)
def test_what_is_undefined_has_a_reason_and_no_value(reason: str) -> None:
    with pytest.raises(Undefined, match=reason.removesuffix(" in a power")):
        exactly(UNDEFINED[reason], Environment(weights={"after": ()}), RATIONALS)


def test_only_the_chosen_side_of_a_condition_is_evaluated() -> None:
    safe = Apply("if", (Apply("eq", (number(0), number(0))), number(7), UNDEFINED["a division by zero"]))
    assert exactly(safe, Environment(), RATIONALS) == 7


def test_a_condition_on_a_tensor_chooses_place_by_place() -> None:
    v = Variable("v")
    positive = Apply("if", (Apply("gt", (v, number(0))), v, Apply("neg", (v,))))
    for field in (FLOATS, RATIONALS):
        given = {"v": Tensor(("i",), np.array([field.number(Fraction(one)) for one in (-2, 3)], dtype=field.dtype))}
        assert evaluate(positive, Environment(given), field).values.tolist() == [2, 3]


RECORDS: Mapping[str, list[dict[str, int]]] = {
    "before": [{"count": 10, "bits": 32}, {"count": 2, "bits": 32}],
    "after": [{"count": 10, "bits": 4}, {"count": 2, "bits": 32}],
}
REDUCED = {"sum": 104, "mean": 52, "prod": 2560, "max": 64, "min": 40, "count": 2}


@pytest.mark.parametrize("kind", REDUCED)
def test_a_comprehension_goes_over_the_weights_of_its_state(kind: str) -> None:
    stored = Apply("mul", (Of("count", "p"), Of("bits", "p")))
    formula = Each(kind, "p", "weights", "after", stored)
    assert exactly(formula, Environment(weights=RECORDS), RATIONALS) == REDUCED[kind]


def test_metrics_and_attested_numbers_are_their_figures() -> None:
    share = Apply("div", (Metric("size", "after"), Metric("size", "before")))
    figures = {("size", "after"): 30, ("size", "before"): 90}
    assert exactly(share, Environment(metrics=figures), RATIONALS) == Fraction(1, 3)
    assert exactly(Attested(Fraction(5), "m:f", "0" * 64, "after"), Environment(), RATIONALS) == 5


@given(st.integers(0, PRIME - 1))
def test_the_root_of_a_residue_is_canonical_and_every_other_point_is_drawn_again(value: int) -> None:
    field, square = Residues(), np.array(value * value % PRIME, dtype=object)
    root = int(field.apply("sqrt", square)[()])
    assert root in (value, PRIME - value)
    assert pow(root, (PRIME - 1) // 2, PRIME) in (0, 1)
    if value:
        with pytest.raises(Resample):
            field.apply("sqrt", np.array(-square[()] % PRIME, dtype=object))


def test_an_oracle_answers_the_same_question_the_same_way() -> None:
    x, field = np.array([3, 3, 4], dtype=object), Residues(seed=1)
    answers = field.apply("exp", x)
    assert answers[0] == answers[1] != answers[2]
    assert answers[0] != Residues(seed=2).apply("exp", x)[0]
    assert field.apply("max", x, x[::-1])[0] == field.apply("max", x[::-1], x)[0]


def test_residues_have_no_order() -> None:
    with pytest.raises(Undefined, match="no order"):
        Residues().apply("lt", np.array(1, dtype=object), np.array(2, dtype=object))


def test_a_truncated_decomposition_is_off_by_the_next_singular_value() -> None:
    matrix = np.random.default_rng(3).standard_normal((6, 2, 4))
    given = Environment({"w": Tensor(("o", "i", "k"), matrix)})
    parts = [Spectral(part, Variable("w"), number(3), "r") for part in ("left", "right")]
    near = evaluate(Reduce("sum", ("r",), Apply("mul", (parts[0], parts[1]))), given).laid(("o", "i", "k"))
    off = np.linalg.norm((matrix - near.values).reshape(6, -1), 2)
    assert math.isclose(off, evaluate(Spectral("sigma", Variable("w"), number(4)), given).values, rel_tol=1e-12)
    with pytest.raises(Undefined, match="no rank 7"):
        evaluate(Spectral("left", Variable("w"), number(7), "r"), given)
