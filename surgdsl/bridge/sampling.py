"""Sampling: gradients of what a net says of answers drawn from the net itself, so that no label is read.

Their outer products average to the Fisher matrix, which measures in nats how far predictions move when weights do
(Martens 2020). Answers of different rows are independent with mean 0, so the square of a sum over rows is unbiased too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch.nn import functional

from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import batch_of, device
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import chunks
from surgdsl.bridge.weight import State

Slopes = Mapping[str, torch.Tensor]


def slopes(state: State, rows: Rows, seed: int, draws: int = 1, batch: int = 2) -> Iterator[tuple[int, Slopes]]:
    """For each draw of each batch: how many rows it has, and the gradient of the log of what was drawn, by weight.

    Where labels are classes, a class is drawn from what the first output says of each row. Otherwise the first output
    is taken for the mean of a Gaussian of variance 1, and the Fisher matrix is that of least squares.

    Args:
        state: the net and its weights; weights that have no part in the answer have no gradient.
        rows: what it is run on. Of the labels only the kind is looked at.
        seed: of the draws; the same on every device.
        draws: how often an answer is drawn for each row.
        batch: rows of a batch, 2 or more.
    """
    module = rebuild(state).to(device())
    generator = torch.Generator().manual_seed(seed)
    classes = rows.labels.dtype.kind in "iu"
    for chosen in chunks(len(rows), batch):
        inputs, _ = batch_of(rows, chosen)
        made = module(*inputs)
        output = made[0] if isinstance(made, tuple) else made
        for turn in range(draws):
            module.zero_grad(set_to_none=True)
            value = _drawn(output, generator) if classes else _probed(output, generator)
            if value.requires_grad:
                value.backward(retain_graph=turn + 1 < draws)
            yield len(chosen), {name: one.grad for name, one in module.named_parameters() if one.grad is not None}


def _drawn(output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """−log p(class), added up over the rows, for classes that are drawn."""
    shares = functional.softmax(output.detach().double().cpu(), dim=-1)
    drawn = torch.multinomial(shares, 1, generator=generator).squeeze(1).to(output.device)
    return functional.cross_entropy(output, drawn, reduction="sum")


def _probed(output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The output along a Gaussian direction: what log p of a drawn answer changes by, to first order."""
    direction = torch.randn(output.shape, generator=generator, dtype=torch.float64)
    return (output * direction.to(output.device, output.dtype)).sum()


def divergence(before: torch.Tensor, after: torch.Tensor, *, classes: bool) -> float:
    """How far two answers to the same rows lie apart, in nats a row.

    The Kullback-Leibler divergence where the answers are classes, else half the squared distance.
    """
    one, other = before.double(), after.double()
    if not classes:
        return float((one - other).square().sum()) / 2 / len(one)
    logs = functional.log_softmax(one, dim=-1)
    return max(0.0, float((logs.exp() * (logs - functional.log_softmax(other, dim=-1))).sum()) / len(one))
