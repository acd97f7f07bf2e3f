"""Random: a number drawn for each element, the baseline that every other criterion has to beat.

What is drawn depends on the seed and on the name of the weight alone, so that it is the same in every plan.
"""

from __future__ import annotations

import hashlib

import numpy as np

from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive


def drawn(asked: Asked) -> list[Tensor]:
    """Uniform in [0, 1), independent."""
    found: list[Tensor] = []
    for one in asked.slices:
        digest = hashlib.sha256(f"{asked.whole('seed')}:{one.base}".encode()).digest()
        generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))
        found.append(one.seen.tensor(generator.random(asked.state.weights[one.operation].shape)))
    return found


RANDOM = Primitive("random", drawn)
