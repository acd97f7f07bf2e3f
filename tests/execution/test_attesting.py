"""What Python answers becomes an exact number that a certificate can hold, or is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.execution.attesting import number

NUMBERS: tuple[tuple[Any, str], ...] = (
    (0.1, "1/10"), (3, "3"), (Fraction(2, 6), "1/3"), (np.float32(0.5), "1/2"), (np.array([2.5]), "5/2"),
    (np.int64(7), "7"), (1e-30, "1/1000000000000000000000000000000"), (-0.0, "0"),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), NUMBERS, ids=repr)
def test_a_number_is_exact(value: Any, expected: str) -> None:
    assert Fraction(expected) == number(value, "house:f", None)


@pytest.mark.parametrize(
    "value",
    [True, None, "1", float("inf"), float("nan"), 1e-45, 10**39, 1j, Decimal(1), np.zeros(2), np.array([np.nan])],
    ids=repr,
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(Refusal) as refused:
        number(value, "house:f", None)
    assert [one.code for one in refused.value.diagnostics] == ["E0605"]
