"""Promotion agrees with torch, for every pair of dtypes, ranks and plain numbers."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from surgdsl.bridge.arguments import DTYPES
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import NAMES, dtype_named, promoted
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import sort_of


def test_two_tensors() -> None:
    for left, right in product(DTYPES, repeat=2):
        for first, second in product(((), (2,)), repeat=2):
            a, b = torch.ones(first, dtype=left), torch.ones(second, dtype=right)
            assert promoted((sort_of(a), sort_of(b))) == DTYPES[torch.result_type(a, b)], (left, first, right, second)


def test_a_tensor_and_a_number() -> None:
    for dtype, shape, number in product(DTYPES, ((), (2,)), (True, 2, 0.5)):
        a = torch.ones(shape, dtype=dtype)
        assert promoted((sort_of(a),), (number,)) == DTYPES[torch.result_type(a, number)], (dtype, shape, number)


def test_there_must_be_something_to_promote() -> None:
    with pytest.raises(IllTyped):
        promoted(())
    with pytest.raises(IllTyped):
        promoted((Sort("F32", (2,)),), ("two",))


def test_names_are_those_of_torch() -> None:
    assert {name: DTYPES[getattr(torch, name.removeprefix("torch."))] for name in NAMES} == NAMES
    operation = Operation("aten.to.dtype", (), (), (("dtype", "torch.complex64"),))
    with pytest.raises(IllTyped):
        dtype_named(operation, "F32")
