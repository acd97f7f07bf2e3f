"""Affine scales: the step and the offset with which b-bit integers stand for each channel, or for each group of it.

The range always includes zero, so that zero is a code exactly: pruned and padded elements stay what they are. A range
that holds every element wastes codes on the few largest; one that is clipped where the squared error is least does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, with_affine
from surgdsl.bridge.packing import Codes
from surgdsl.bridge.scaling import NARROW, by_row, scale_shape
from surgdsl.bridge.weight import Array, Weight
from surgdsl.diagram.payload import Affine

Values = NDArray[np.float32]
Exact = NDArray[np.float64]
LEAST, GREATEST = np.nextafter(np.float32(0), np.float32(1)), np.finfo(np.float32).max
SHRINKS = tuple(2 ** (-step / 6) for step in range(24))
"""Shares of the range that clipping tries, the whole first; the best is then moved to where its codes want it."""
ROUNDS = 3
RUN = 1 << 16
"""Elements that are searched at a time, so that they stay in the processor's cache."""


def quantize(weight: Weight, grid: Affine, clip: str = "range") -> Weight:
    """The weight on a grid; `clip` says by what its scales are found, see `scales`.

    Raises:
        Refusal: E0505 and E0506, as `with_affine`.
    """
    values = decode(weight)
    fits = values.dtype == np.float32 and np.isfinite(values).all()
    scale, zero = scales(values if fits else np.zeros(weight.shape, dtype=np.float32), grid, clip)
    return with_affine(weight, grid, scale, zero)


def scales(values: Values, grid: Affine, clip: str = "range") -> tuple[Array, Codes | None]:
    """Scale and zero point of each channel or group; of a symmetric grid the scale alone.

    By `range`: (max − min)/(2^bits − 1) and round(−min/scale) with min ≤ 0 ≤ max; symmetric: the least scale with which
    −2^(bits−1) … 2^(bits−1) − 1 reach both ends. By `mse`: of SHRINKS times that, and for three bits or fewer also of
    the zero points beside, what leaves the least squared error; then the scale that fits the codes best in the least
    squares, as long as it helps. Never worse than the range.

    >>> scales(np.array([[-1, 2], [0, 0]], dtype=np.float32), Affine(2, 0))
    (array([1., 1.], dtype=float32), array([1, 0], dtype=uint8))

    Args:
        values: float32, finite.
        grid: the bits, and which elements share a scale.
        clip: "range" or "mse".

    Returns:
        finite and positive scales, float16 where `grid` has groups and all are normal in it, else float32; and uint8
        below 2^bits, or None where the grid is symmetric. Of the shape that `scale_shape` tells.
    """
    blocks = _blocks(by_row(values, grid), grid)
    wide = [_range(block, grid) for block in blocks]
    dtype = _dtype([scale for scale, _ in wide], grid)
    fits = [_Fit(_stored(scale, dtype), zero) for scale, zero in wide]
    if clip == "mse":
        fits = [_clipped(block, grid, fit, dtype) for block, fit in zip(blocks, fits, strict=True)]
    scale = np.concatenate([np.ones(0), *(fit.scale for fit in fits)]).astype(dtype)
    zero = np.concatenate([np.zeros(0), *(fit.zero for fit in fits)]).astype(np.uint8)
    shape = scale_shape(grid, values.shape)
    return scale.reshape(shape), None if grid.symmetric else zero.reshape(shape)


@frozen(eq=False)
class _Fit:
    """Scales as they are stored, and zero points, of the rows of a block. Shapes [r]."""

    scale: Exact
    zero: Exact


def _blocks(rows: Values, grid: Affine) -> list[Values]:
    """The elements with a row for each scale, in blocks of about RUN; zeros fill up the last group of an index."""
    if grid.group:
        short = -rows.shape[1] % grid.group
        rows = (np.pad(rows, ((0, 0), (0, short))) if short else rows).reshape(-1, grid.group)
    step = max(1, RUN // max(1, rows.shape[1]))
    return [rows[start : start + step] for start in range(0, len(rows), step)]


def _range(block: Values, grid: Affine) -> tuple[Exact, Exact]:
    """The scale and the zero point with which every element is within half a step."""
    low = block.min(axis=1, initial=0).astype(np.float64)
    high = block.max(axis=1, initial=0).astype(np.float64)
    top = (1 << grid.bits) - 1
    if grid.symmetric:
        step = np.maximum(-low / grid.middle, high / max(1, top - grid.middle))
        return np.where(step > 0, step, 1.0), np.full(len(block), float(grid.middle))
    scale = np.where(high > low, np.clip((high - low) / top, LEAST, GREATEST), 1.0)
    return scale, np.clip(np.rint(-low / scale.astype(np.float32)), 0, top)


def _dtype(scales: list[Exact], grid: Affine) -> type[np.floating[Any]]:
    """Half precision where there are groups and every scale is a normal number of it."""
    limits = np.finfo(NARROW)
    fits = all(bool(((float(limits.tiny) <= one) & (one <= float(limits.max))).all()) for one in scales)
    return NARROW if grid.group and fits else np.float32


def _stored(scale: Exact, dtype: type[np.floating[Any]]) -> Exact:
    """The scales that there will be, rounded to what is stored."""
    limits = np.finfo(dtype)
    least = float(limits.tiny) if dtype == NARROW else float(LEAST)
    return np.clip(scale, least, float(limits.max)).astype(dtype).astype(np.float64)


def _clipped(block: Values, grid: Affine, wide: _Fit, dtype: type[np.floating[Any]]) -> _Fit:
    """The fit of least squared error among those that are tried; among equals the first."""
    best, least = wide, _error(block, grid, wide)
    for share, zero in product(SHRINKS, _zeros(grid, wide.zero)):
        best, least = _less(best, least, _Fit(_stored(wide.scale * share, dtype), zero), block, grid)
    for _ in range(ROUNDS):
        best, least = _less(best, least, _Fit(_stored(_fitting(block, grid, best), dtype), best.zero), block, grid)
    return best


def _zeros(grid: Affine, zero: Exact) -> Iterator[Exact]:
    """The zero points that are tried; with few codes one more or less on a side is a large part of them."""
    shifts = (0, -1, 1) if grid.bits <= 3 and not grid.symmetric else (0,)
    return (np.clip(zero + shift, 0, (1 << grid.bits) - 1) for shift in shifts)


def _less(best: _Fit, least: Exact, other: _Fit, block: Values, grid: Affine) -> tuple[_Fit, Exact]:
    """Row by row the better of two fits, and its error."""
    error = _error(block, grid, other)
    wins = error < least
    return (
        _Fit(np.where(wins, other.scale, best.scale), np.where(wins, other.zero, best.zero)),
        np.where(wins, error, least),
    )


def _error(block: Values, grid: Affine, fit: _Fit) -> Exact:
    """Σ(w − s·q)² of each row, q being the code less the zero point."""
    with np.errstate(over="ignore", invalid="ignore"):
        apart = (block - _steps(block, grid, fit) * fit.scale[:, None].astype(np.float32)).astype(np.float64)
        return np.einsum("rg,rg->r", apart, apart)


def _steps(block: Values, grid: Affine, fit: _Fit) -> Values:
    """The code of each element less the zero point of its row."""
    scale, zero = fit.scale[:, None].astype(np.float32), fit.zero[:, None].astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.clip(np.rint(block / scale), -zero, (1 << grid.bits) - 1 - zero)


def _fitting(block: Values, grid: Affine, fit: _Fit) -> Exact:
    """The scale that suits the codes of each row best: Σw·q / Σq², or the one that it has."""
    steps = _steps(block, grid, fit).astype(np.float64)
    products, squares = np.einsum("rg,rg->r", steps, block.astype(np.float64)), np.einsum("rg,rg->r", steps, steps)
    return np.where((products > 0) & (squares > 0), products / np.where(squares > 0, squares, 1.0), fit.scale)
