"""Grounding and solving: what a value makes of a pattern, the equations read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.extent import Extent, Polynomial, add, evaluate, multiply, symbol, symbols
from surgdsl.diagram.operation import Attribute
from surgdsl.rules.ground import Equations, Unfit, attribute, extent
from tests.strategies import bindings, extents

B, C = symbol("B"), symbol("C")


@given(extents(), bindings())
def test_substitution_is_evaluation(pattern: Extent, binding: dict[str, int]) -> None:
    assert evaluate(pattern, binding) == extent(pattern, binding)


@given(st.lists(extents(), max_size=4), bindings())
def test_equations_find_the_values_behind_patterns(patterns: list[Extent], binding: dict[str, int]) -> None:
    pairs: list[tuple[str, Attribute, Attribute]] = [
        ("", symbol(name), value) for name, value in sorted(binding.items())
    ]
    pairs += [("", pattern, extent(pattern, binding)) for pattern in patterns]
    assert binding == Equations({}).solve(pairs[::-1])


def test_one_unknown_of_a_linear_pattern_is_solved() -> None:
    pattern = add(multiply(B, multiply(C, 2)), 1)
    assert Equations({"B": 3}).solve([("", pattern, 25)]) == {"B": 3, "C": 4}


@pytest.mark.parametrize(
    ("given_values", "pattern", "value"),
    [
        ({"B": 3}, multiply(B, C), 10),
        ({"B": 3}, add(B, C), 2),
        ({}, multiply(B, C), 6),
        ({}, multiply(B, B), 9),
        ({"B": 2}, B, 3),
        ({}, 2, 3),
        ({}, (1, 1), (1, 2)),
        ({}, (1,), (1, 1)),
        ({}, True, 1),
        ({}, 1, 1.0),
        ({}, None, False),
        ({"B": (1, 1)}, add(B, C), 3),
    ],
)
def test_what_does_not_meet_is_unfit(given_values: dict[str, Attribute], pattern: Attribute, value: Attribute) -> None:
    with pytest.raises(Unfit):
        Equations(given_values).solve([("a size", pattern, value)])


def test_a_symbolic_size_is_a_value_like_any() -> None:
    batch = symbol("N")
    binding = Equations({}).solve([("", B, batch), ("", multiply(B, 2), multiply(batch, 2))])
    assert {"B": batch} == binding
    assert multiply(batch, 3) == extent(multiply(B, 3), binding)


@given(extents(), bindings())
def test_an_argument_is_grounded_as_a_size_is(pattern: Extent, binding: dict[str, int]) -> None:
    assert extent(pattern, binding) == attribute(pattern, binding)
    assert (extent(pattern, binding), "same") == attribute((pattern, "same"), binding)


def test_a_bare_variable_may_be_anything_but_a_size_must_be_one() -> None:
    binding: dict[str, Attribute] = {"B": (1, 2)}
    assert attribute(B, binding) == (1, 2)
    with pytest.raises(Unfit, match="no size"):
        extent(B, binding)
    assert isinstance(B, Polynomial)
    assert frozenset({"B"}) == symbols(B)
