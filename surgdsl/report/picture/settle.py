"""Settling: places as near as can be to those that are wanted, in a given order and without overlap.

With the gaps taken off this is isotonic regression, solved by pooling adjacent violators (Ayer et al. 1955).

>>> settle([0, 0, 10], [4, 4, 4], [1, 1, 1], 1)
[-2.5, 2.5, 10.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def settle(wanted: Sequence[float], widths: Sequence[float], weights: Sequence[float], gap: float) -> list[float]:
    """Centres that minimise the weighted squared distance to `wanted`, at least `gap` between neighbours."""
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, offsets, weights, strict=False):
        mean, mass, count = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, heavy, many = pools.pop()
            mean, mass, count = (before * heavy + mean * mass) / (heavy + mass), heavy + mass, count + many
        pools.append((mean, mass, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]
