"""Slopes: first and second derivatives of the mean loss over all rows, for every weight of a net at once.

Batches come in the order of the rows and count by their rows; nothing larger than the weights is kept between them.
Products with the Hessian are exact: the gradient of the gradient's product with a direction (Pearlmutter 1994).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from attrs import frozen
from torch import nn
from torch.nn import attention

from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import batch_of, device, loss
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State

BATCH = 64
"""Rows of a batch."""
Named = Mapping[str, torch.Tensor]
"""A tensor for each weight, by its name in files."""


@frozen(eq=False)
class Slopes:
    """A net as a function of its weights, and the rows over which its loss is taken.

    Where labels are classes the answers are divided by `temperature` before the loss.
    """

    module: nn.Module
    rows: Rows
    temperature: float = 1.0

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        """What the loss is a function of, by name."""
        return {name: one for name, one in self.module.named_parameters() if one.requires_grad}

    def gradient(self) -> Named:
        """The gradient of the mean loss, float64."""
        found = self._zeros()
        for share, value in self._losses():
            for name, one in self._slope(value, create_graph=False).items():
                found[name] += share * one.to(torch.float64)
        return found

    def curved(self, direction: Named) -> Named:
        """The Hessian of the mean loss times a direction, float64; a direction is as long as the weights."""
        found = self._zeros()
        with attention.sdpa_kernel(attention.SDPBackend.MATH):  # the fused kernels have no second derivative
            for share, value in self._losses():
                slope = self._slope(value, create_graph=True)
                along = sum(((one * direction[name].to(one)).sum() for name, one in slope.items()), value.new_zeros(()))
                if along.requires_grad:  # else the loss is linear in every weight
                    for name, one in self._slope(along, create_graph=False).items():
                        found[name] += share * one.to(torch.float64)
        return found

    def _losses(self) -> Iterator[tuple[float, torch.Tensor]]:
        """The share of all rows that each batch is, and its mean loss."""
        count = len(self.rows)
        for start in range(0, count, BATCH):
            chosen = np.arange(start, min(start + BATCH, count))
            inputs, labels = batch_of(self.rows, chosen)
            yield len(chosen) / count, loss(cooled(self.module(*inputs), labels, self.temperature), labels)

    def _slope(self, value: torch.Tensor, *, create_graph: bool) -> Named:
        """The gradient of a number, 0 for weights that it does not depend on; of none where it depends on none."""
        weights = self.weights
        if not value.requires_grad:
            return {}
        made = torch.autograd.grad(
            value, [*weights.values()], create_graph=create_graph, allow_unused=True, materialize_grads=True
        )
        return dict(zip(weights, made, strict=True))

    def _zeros(self) -> dict[str, torch.Tensor]:
        return {name: torch.zeros_like(one, dtype=torch.float64) for name, one in self.weights.items()}


def slopes(state: State, rows: Rows, temperature: float = 1.0) -> Slopes:
    """The loss of `state` over `rows`, to be differentiated."""
    return Slopes(rebuild(state).to(device()), rows, temperature)


def cooled(outputs: torch.Tensor | tuple[torch.Tensor, ...], labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """The first answer; where labels are classes, over the temperature."""
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    return first if labels.is_floating_point() else first / temperature
