"""nnz/1 of codes: counted without decoding, and equal to what decoding gives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from surgdsl.bridge.encoding import decode, dense, with_codebook, with_mask
from surgdsl.diagram.payload import Affine
from surgdsl.metrics.nnz import nonzero
from surgdsl.surgery import affine

GRIDS = tuple(
    Affine(bits, axis, group=group, symmetric=symmetric)
    for bits, axis, group, symmetric in product((2, 3, 8), (-1, 0, 1), (0, 3), (False, True))
)


def values(seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Numbers of very different sizes, subnormal ones among them."""
    random = np.random.default_rng(seed)
    return (random.standard_normal((5, 7)) * 10.0 ** random.integers(-44, 3, (5, 1))).astype(np.float32)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_grids(grid: Affine, masked: bool) -> None:
    weight = dense(values(grid.bits))
    if masked:
        weight = with_mask(weight, np.random.default_rng(1).random((5, 7)) < 0.5)
    made = affine.quantize(weight, grid)
    assert nonzero(made) == np.count_nonzero(decode(made))


def test_codebooks() -> None:
    weight = dense(np.array([0.1, -0.1, 2.0, -0.0, 3.0], dtype=np.float32))
    made = with_codebook(weight, np.array([-0.0, 2.5], dtype=np.float32), 1)
    assert nonzero(made) == np.count_nonzero(decode(made)) == 2
