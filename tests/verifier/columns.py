"""Between arrays of numpy's, which tests compute with, and what the verifier holds: shapes and columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgdsl.verifier.arrays import ops
from surgdsl.verifier.declared.meaning import Value
from surgdsl.verifier.named import Tensor
from tests.verifier.encodings import Array


def value(array: Array) -> Value:
    return array.shape, ops.numbers(array.ravel().tolist())


def tensor(axes: Sequence[str], array: Array) -> Tensor:
    return Tensor(dict(zip(axes, array.shape, strict=True)), value(array)[1])


def array(found: Value | Tensor) -> Array:
    shape, values = (tuple(found.extents.values()), found.values) if isinstance(found, Tensor) else found
    return np.array(values, dtype=np.float64).reshape(shape)
