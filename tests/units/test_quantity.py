"""Quantities form a graded ring, exactly; every unit of the language is one of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.units import BIT, MAC, PLAIN, SECOND, UNITS, Dimension, Quantity, exact, likely, quantity

dimensions = st.sampled_from([PLAIN, BIT, MAC, SECOND])
quantities = st.builds(Quantity, st.fractions(max_denominator=50), dimensions)


@given(quantities, quantities, quantities)
def test_products_associate_and_commute(a: Quantity, b: Quantity, c: Quantity) -> None:
    assert (a * b) * c == a * (b * c)
    assert a * b == b * a


@given(st.fractions(max_denominator=9), st.fractions(max_denominator=9), quantities, dimensions)
def test_products_distribute_over_sums(x: Fraction, y: Fraction, factor: Quantity, dimension: Dimension) -> None:
    a, b = Quantity(x, dimension), Quantity(y, dimension)
    assert factor * (a + b) == factor * a + factor * b
    assert a - b == a + (-b)


@given(quantities, quantities.filter(lambda one: one.value != 0))
def test_quotients_undo_products(a: Quantity, b: Quantity) -> None:
    assert a * b / b == a


@pytest.mark.parametrize(
    ("digits", "unit", "value"),
    [("1", "B", 8), ("1", "KiB", 8192), ("1", "kB", 8000), ("1.5", "MiB", 12582912), ("50", "%", Fraction(1, 2)),
    ("3", "pp", Fraction(3, 100)),
     ("2", "min", 120), ("1_000", "", 1000), ("3e-4", "", Fraction(3, 10000)), ("1", "Gmac", 10**9)],
)  # fmt: skip
def test_units_are_exact(digits: str, unit: str, value: Fraction | int) -> None:
    assert value == quantity(digits, unit).value


def test_ambiguous_units_do_not_exist() -> None:
    assert {"KB", "Kb", "kb", "MB ", "mb", "FLOP", "MAC", "K"} & set(UNITS) == set()
    assert likely("Kb") == ("KiB", "kB")
    assert likely("FLOPs") == ("flop",)


@given(quantities)
def test_quantities_print(one: Quantity) -> None:
    assert eval(repr(one), {"Quantity": Quantity, "Dimension": Dimension, "Fraction": Fraction}) == one  # noqa: S307
    assert str(one)


@pytest.mark.parametrize("digits", ["9" * 101, "1e301", "1e-9999999999", "1e99999"])
def test_numbers_that_would_not_fit_are_refused(digits: str) -> None:
    with pytest.raises(OverflowError):
        exact(digits)


@pytest.mark.parametrize(("one", "text"), [
    (Quantity(Fraction(1, 2), percent=True), "50%"), (Quantity(Fraction(1, 3)), "1/3"), (Quantity(Fraction(-5, 4),
    BIT), "-1.25 bit"),
    (Quantity(Fraction(7), MAC.times(SECOND, -1)), "7 mac/s"), (Quantity(Fraction(1), PLAIN.times(SECOND.power(2),
    -1)), "1 1/s^2"),
])  # fmt: skip
def test_the_printed_form(one: Quantity, text: str) -> None:
    assert text == str(one)
