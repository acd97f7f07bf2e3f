"""Movement: −Σ w · g over a short training; what moves away from zero is worth most (Sanh, Wolf, Rush 2020).

The training is plain gradient descent on a copy of the weights, over batches in an order that the seed decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import batch_of, device, loss
from surgdsl.bridge.slopes import BATCH, cooled
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive


def moved(asked: Asked) -> list[Tensor]:
    """−Σ w · g over `steps` batches, with w as it is when the batch comes, and then w − rate · g."""
    module = rebuild(asked.state).to(device())
    weights = {name: one for name, one in module.named_parameters() if one.requires_grad}
    total = {name: torch.zeros_like(one, dtype=torch.float64) for name, one in weights.items()}
    rate = asked.number("rate")
    for chosen in _batches(asked.data, asked.whole("steps"), asked.whole("seed")):
        inputs, labels = batch_of(asked.data, chosen)
        value = loss(cooled(module(*inputs), labels, 1.0), labels)
        if not value.requires_grad:
            break
        slopes = torch.autograd.grad(value, [*weights.values()], allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            for (name, weight), slope in zip(weights.items(), slopes, strict=True):
                total[name] -= (weight * slope).to(torch.float64)
                weight.sub_(rate * slope)
    return asked.laid({name: one.cpu().numpy() for name, one in total.items()})


def _batches(rows: Rows, steps: int, seed: int) -> Iterator[Array]:
    """So many batches of shuffled rows; the rows are shuffled anew whenever they are used up."""
    generator, left = np.random.Generator(np.random.PCG64(seed)), np.arange(0)
    for _ in range(steps):
        if not len(left):
            left = generator.permutation(len(rows))
        yield left[:BATCH]
        left = left[BATCH:]


MOVEMENT = Primitive("movement", moved)
