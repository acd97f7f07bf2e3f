"""Hessian: half the square of a weight times its second derivative, what the loss loses at a minimum without it.

Optimal brain damage (LeCun, Denker, Solla 1990, equation 5), with the diagonal of the Hessian estimated (Hutchinson).
"""

from __future__ import annotations

from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive
from surgdsl.importance.hutchinson import estimate


def damage(asked: Asked) -> list[Tensor]:
    """w² · H_ii / 2."""
    found = estimate(asked.state, asked.data, asked.whole("probes"), asked.whole("seed"))
    return asked.laid({name: found.weights[name] ** 2 * one / 2 for name, one in found.diagonal.items()})


HESSIAN = Primitive("hessian", damage)
