"""Sampling: gradients of what a net says of answers drawn from the net itself, so that no label is read.

Their outer products average to the Fisher matrix, which measures in nats how far predictions move when weights do
(Martens 2020). Answers of different rows are independent with mean 0, so the square of a sum over rows is unbiased too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch.nn import functional

from surgdsl.bridge.arguments import to_tensor
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import answers, batch_of, device
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import chunks
from surgdsl.bridge.weight import Array, State

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


Moved = Mapping[str, Array]
"""By weight, changes of it: float32[options, elements]."""


def losses(
    state: State, rows: Rows, moved: Sequence[Moved], seed: int, draws: int = 1, *, alike: bool = False
) -> list[list[float]]:
    """½ Δᵀ F Δ for every change Δ, in nats a row: by how far predictions move, to second order (Martens 2020, eq. 18).

    Args:
        state: the net and its weights.
        rows: what it is run on.
        moved: groups of changes. Those of one group at one position are of several weights at once.
        seed: of what is drawn.
        draws: how often an answer is drawn for each row.
        alike: take F for its mean diagonal within each weight: ½ (tr F / n) ‖Δ‖².
    """
    where = device()
    stacks = [{base: to_tensor(one, "F32", where) for base, one in group.items()} for group in moved]
    sums = [torch.zeros(max((len(one) for one in group.values()), default=0), dtype=torch.float64) for group in moved]
    squares = [{base: one.double().square().sum(dim=1).cpu() for base, one in group.items()} for group in stacks]
    for _, slope in slopes(state, rows, seed, draws):
        for total, stack, square in zip(sums, stacks, squares, strict=True):
            seen = {base: slope[base].reshape(-1) for base in stack if base in slope}
            if alike:
                total.add_(sum(square[base] * float(one.double().square().mean()) for base, one in seen.items()))
            else:
                total.add_(sum((stack[base] @ one).double().cpu() for base, one in seen.items()) ** 2)
    return [(total / (2 * draws * len(rows))).tolist() for total in sums]


def _drawn(output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """−log p(class), added up over the rows, for classes that are drawn."""
    shares = functional.softmax(output.detach().double().cpu(), dim=-1)
    drawn = torch.multinomial(shares, 1, generator=generator).squeeze(1).to(output.device)
    return functional.cross_entropy(output, drawn, reduction="sum")


def _probed(output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The output along a Gaussian direction: what log p of a drawn answer changes by, to first order."""
    direction = torch.randn(output.shape, generator=generator, dtype=torch.float64)
    return (output * direction.to(output.device, output.dtype)).sum()


def divergence(state: State, others: Sequence[State], rows: Rows) -> list[float]:
    """How far the first outputs of other nets lie from those of `state`, in nats a row.

    The Kullback-Leibler divergence where labels are classes, else half the squared distance.
    """
    before, classes = answers(state, rows).double(), rows.labels.dtype.kind in "iu"
    return [_apart(before, answers(one, rows).double(), classes=classes) for one in others]


def _apart(one: torch.Tensor, other: torch.Tensor, *, classes: bool) -> float:
    if not classes:
        return float((one - other).square().sum()) / 2 / len(one)
    logs = functional.log_softmax(one, dim=-1)
    return max(0.0, float((logs.exp() * (logs - functional.log_softmax(other, dim=-1))).sum()) / len(one))
