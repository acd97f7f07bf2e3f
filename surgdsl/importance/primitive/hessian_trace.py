"""Hessian trace: half the square of a weight times the mean curvature of the whole tensor that it is in.

The mean of a tensor is known far better than each of its elements, and it is what tells the layers apart: HAWQ-V2 (Dong
et al. 2020) weighs what a layer loses by the mean trace of its Hessian.
"""

from __future__ import annotations

from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive
from surgdsl.importance.hutchinson import estimate


def damage(asked: Asked) -> list[Tensor]:
    """w² · tr(H) / 2n, with tr(H) of the block of a tensor of n elements."""
    found = estimate(asked.state, asked.data, asked.whole("probes"), asked.whole("seed"))
    return asked.laid(
        {
            name: found.weights[name] ** 2 * trace.value / one.size / 2
            for name, one in found.diagonal.items()
            if (trace := found.traces[name])
        }
    )


HESSIAN_TRACE = Primitive("hessian_trace", damage)
