"""Fake quantization: typed as torch types it, and zero stays zero where the grid has it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.operations import BY_NAME
from surgdsl.operations.fake_quantize import NAME
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import agree, said


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 255))
def test_it_types_as_in_torch(shape: list[int], zero: int) -> None:
    agree(NAME, torch.zeros(*shape), 0.25, zero, 0, 255)
    assert torch.equal(
        torch.zeros(*shape), torch.fake_quantize_per_tensor_affine(torch.zeros(*shape), 0.25, zero, 0, 255)
    )


@pytest.mark.parametrize(
    ("x", "scale", "low", "high"),
    [
        (torch.zeros(2, dtype=torch.int64), 0.5, 0, 255),
        (torch.zeros(2), 0.0, 0, 255),
        (torch.zeros(2), -1.0, 0, 255),
        (torch.zeros(2), 0.5, 3, 3),
    ],
)
def test_what_is_no_grid_is_refused(x: torch.Tensor, scale: float, low: int, high: int) -> None:
    operation, sources = said(NAME, x, scale, 3, low, high)
    with pytest.raises(IllTyped):
        BY_NAME[NAME].typing(operation, sources)
