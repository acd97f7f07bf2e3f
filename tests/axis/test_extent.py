"""Extents: polynomials in normal form, against numbers put in for their symbols."""

from __future__ import annotations

import pytest
from hypothesis import given

from surgdsl.axis.extent import (
    Extent,
    Polynomial,
    add,
    evaluate,
    multiply,
    normal,
    product,
    show,
    symbol,
    symbols,
    terms,
)
from tests.strategies import bindings, extents


@given(extents(), extents(), bindings())
def test_sums_and_products_are_those_of_numbers(a: Extent, b: Extent, values: dict[str, int]) -> None:
    assert evaluate(add(a, b), values) == evaluate(a, values) + evaluate(b, values)
    assert evaluate(multiply(a, b), values) == evaluate(a, values) * evaluate(b, values)
    assert evaluate(product((a, b, a)), values) == evaluate(a, values) ** 2 * evaluate(b, values)


@given(extents(), extents(), extents())
def test_a_commutative_semiring(a: Extent, b: Extent, c: Extent) -> None:
    assert add(a, b) == add(b, a)
    assert multiply(a, b) == multiply(b, a)
    assert add(add(a, b), c) == add(a, add(b, c))
    assert multiply(multiply(a, b), c) == multiply(a, multiply(b, c))
    assert multiply(a, add(b, c)) == add(multiply(a, b), multiply(a, c))
    assert (add(a, 0), multiply(a, 1), multiply(a, 0)) == (a, a, 0)


@given(extents(), extents())
def test_equal_normal_forms_are_equal_functions(a: Extent, b: Extent) -> None:
    # Values that no sum of small coefficients can confuse: the normal form is complete.
    values = {"B": 10**4, "S": 10**9 + 7, "T": 10**19 + 51}
    assert (a == b) == (
        evaluate(a, values) == evaluate(b, values)
        and evaluate(a, {"B": 1, "S": 1, "T": 1}) == evaluate(b, {"B": 1, "S": 1, "T": 1})
    )


@given(extents())
def test_normal_form_is_stable_and_evaluates(a: Extent) -> None:
    assert normal(terms(a)) == a
    assert eval(repr(a)) == a  # noqa: S307 - the law is about eval
    assert isinstance(a, Polynomial) == bool(symbols(a))


@given(extents(), bindings())
def test_text_is_the_same_polynomial(a: Extent, values: dict[str, int]) -> None:
    assert eval(show(a), dict(values)) == evaluate(a, values)  # noqa: S307 - the text is arithmetic


def test_addition_is_not_idempotent() -> None:
    assert add(symbol("B"), symbol("B")) == multiply(2, symbol("B"))


def test_a_symbol_without_a_value_has_no_value() -> None:
    with pytest.raises(KeyError):
        evaluate(symbol("B"), {"T": 3})
