"""FPGM: the sum of the distances from a filter to all others of its layer; what is near to all others is redundant.

He, Liu, Wang, Hu, Yang 2019, equation 7. Each weight that goes with an axis is such a set of filters.
"""

from __future__ import annotations

import torch

from surgdsl.bridge.arguments import to_tensor
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive

EXACT = "donot_use_mm_for_euclid_dist"
"""Differences first, then squares: a near duplicate would be lost in the rounding of the other way."""


def distances(asked: Asked) -> list[Tensor]:
    """Σ over j of the Euclidean distance between filters i and j."""
    found: list[Tensor] = []
    for one, weight in zip(asked.slices, asked.weights(), strict=True):
        filters = to_tensor(one.seen.tensor(weight).values.reshape(one.seen.extent, -1), "F64")
        apart = torch.cdist(filters, filters, compute_mode=EXACT).sum(dim=1)
        found.append(Tensor(one.seen.axes[:1], apart.numpy()))
    return found


FPGM = Primitive("fpgm", distances)
