"""Who writes an axis: the layer whose outputs it counts, whatever way round its weight lies."""

from __future__ import annotations

import torch
from torch import nn

from surgdsl.operations.writing import writers
from tests.operations.neutralising import Checked, check


def written(found: Checked) -> dict[str, set[str]]:
    return {axis.name: set(writers(found.coupling, axis)) for axis in found.coupling.prunable}


def test_convolutions_and_transposed_ones() -> None:
    layers = nn.Conv2d(3, 8, 1), nn.ConvTranspose2d(8, 6, 2), nn.Conv2d(6, 2, 1)
    assert written(check(lambda x, a, b, c: c(b(a(x))), *layers)) == {
        "layers.0:out": {"layers.0"},
        "layers.1:filters": {"layers.1"},
    }


def test_tables() -> None:
    def function(x: torch.Tensor, e: nn.Module, b: nn.Module, c: nn.Module) -> torch.Tensor:
        return c(b(e(x.abs().mul(2).clamp(max=6).long())).relu())

    layers = nn.Embedding(7, 6), nn.Linear(6, 5), nn.Linear(5, 3)
    found = written(check(function, *layers, shape=(4,)))
    assert list(found.values()) == [{"layers.0"}, {"layers.1"}]


def test_layers_that_add_up_write_one_axis_and_norms_write_none() -> None:
    layers = nn.Linear(8, 6), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
    found = check(lambda x, a, b, n, c: c(n(a(x) + b(x))), *layers, shape=(8,))
    assert written(found) == {"layers.0:out": {"layers.0", "layers.1"}}
