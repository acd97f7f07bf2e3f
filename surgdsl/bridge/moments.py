"""Moments: the mean and the variance of every channel of a wire, averaged over batches as batch norms keep them.

A batch norm normalises by moments of the model that it was trained in; after surgery its inputs are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from attrs import define, evolve

from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import BATCH, watch
from surgdsl.bridge.weight import Array, State
from surgdsl.diagram.net import Net

NORM = "aten.batch_norm.default"


@define(eq=False)
class Moments:
    """Cumulative averages over batches, in float64: what torch keeps with ``momentum=None``.

    The mean of a batch and its *unbiased* variance (divided by n − 1, n positions in all) count as much as the batch
    has rows, so that a last batch of another size does not weigh more than its share.
    """

    rows: int = 0
    mean: torch.Tensor | None = None
    variance: torch.Tensor | None = None

    def take(self, values: torch.Tensor) -> None:
        """Take in a batch; channels are dimension 1."""
        count = len(values)
        by_channel = values.detach().to("cpu", torch.float64).transpose(0, 1).flatten(1)
        mean, variance = by_channel.mean(dim=1), by_channel.var(dim=1, correction=1)
        self.rows += count
        share = count / self.rows
        self.mean = mean if self.mean is None else self.mean + (mean - self.mean) * share
        self.variance = variance if self.variance is None else self.variance + (variance - self.variance) * share

    def arrays(self) -> tuple[Array, Array]:
        """Mean and variance, float64[c]."""
        assert self.mean is not None
        assert self.variance is not None
        return self.mean.numpy(), self.variance.numpy()


def moments(state: State, rows: Rows, norms: Sequence[str], batch: int = BATCH) -> Mapping[str, tuple[Array, Array]]:
    """Mean and variance of what each of the batch norms reads, in one pass over all rows in order.

    While they are measured, these norms normalise by the batch that they see, so that a later one is measured on what
    the earlier ones will give: the statistics belong together, as after training (Ioffe and Szegedy 2015).

    Args:
        state: a net and its weights.
        rows: two or more.
        norms: names of batch norms.
        batch: rows of a batch.
    """
    operations = state.net.graph.operations
    heard = {operations[name].sources[0]: Moments() for name in norms}
    following = evolve(state, net=_following(state.net, frozenset(norms)))
    watch(following, rows, {wire: one.take for wire, one in heard.items()}, batch)
    return {name: heard[operations[name].sources[0]].arrays() for name in norms}


def _following(net: Net, norms: frozenset[str]) -> Net:
    """The net with these batch norms at work on the statistics of the batch."""
    operations = {
        name: evolve(one, attributes=tuple((key, key == "training" or value) for key, value in one.attributes))
        if name in norms
        else one
        for name, one in net.graph.operations.items()
    }
    return evolve(net, graph=evolve(net.graph, operations=operations))


@define(eq=False)
class Mean:
    """The mean of every index of dimension `channels`, over all else that is taken in, in float64."""

    channels: int
    count: int = 0
    total: torch.Tensor | None = None

    def take(self, values: torch.Tensor) -> None:
        """Take in a batch."""
        by_channel = values.detach().to("cpu", torch.float64).movedim(self.channels, 0).flatten(1)
        self.count += by_channel.shape[1]
        part = by_channel.sum(dim=1)
        self.total = part if self.total is None else self.total + part

    def array(self) -> Array:
        """The means, float64[c]."""
        assert self.total is not None
        return (self.total / self.count).numpy()


def means(state: State, rows: Rows, wires: Mapping[str, int], batch: int = BATCH) -> Mapping[str, Array]:
    """The mean of every channel of some wires over all rows, in one pass; `wires` says where their channels lie."""
    heard = {wire: Mean(channels) for wire, channels in wires.items()}
    watch(state, rows, {wire: one.take for wire, one in heard.items()}, batch)
    return {wire: one.array() for wire, one in heard.items()}
