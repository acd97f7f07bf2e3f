"""Gram matrices against unfolded patches, and layers as matrices."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.curvature.gram import Gram, Moments, grams
from surgdsl.curvature.layer import Layer, layer, layers


def measured(net: nn.Module, inputs: Tensor, batch: int = 64) -> tuple[State, list[Layer], list[Gram]]:
    (argument,) = inspect.signature(net.forward).parameters
    state = capture(net.eval(), (inputs[:2],), dynamic={argument: {0: "B"}})
    rows = Rows("rows", (inputs.numpy(),), np.zeros(len(inputs), dtype=np.int64))
    found = [one for name in state.net.graph.operations if (one := layer(state.net, name))]
    by_name = grams(state, rows, found, batch)
    return state, found, [by_name[one.name] for one in found]


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


CONVOLUTIONS = (
    (nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2), (9, 4, 11)),
    (nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 0), groups=2), (9, 4, 7, 8)),
    (nn.Conv2d(4, 4, 3, groups=4, bias=False), (9, 4, 7, 8)),
    (nn.Conv2d(4, 6, (4, 3), padding="same", dilation=(1, 2)), (9, 4, 7, 8)),
    (nn.Conv2d(4, 6, 2, padding="valid"), (9, 4, 7, 8)),
    (nn.Conv3d(2, 3, (2, 3, 1), padding=(1, 0, 1)), (9, 2, 4, 5, 3)),
)


@pytest.mark.parametrize(("net", "shape"), CONVOLUTIONS, ids=lambda one: str(one).replace(" ", ""))
def test_patches_times_filters_are_the_outputs(net: nn.Module, shape: tuple[int, ...]) -> None:
    """What decides: W H Wᵀ is the sum of y yᵀ over all outputs y without bias, W Σx that of y."""
    inputs = drawn(*shape)
    state, (one,), (gram,) = measured(net, inputs, batch=4)
    matrices = one.matrices(decode(state.weights[one.weight]))
    with torch.no_grad():
        outputs = net(inputs).double()
        bias = getattr(net, "bias", None)
        if bias is not None:
            outputs -= bias.double().reshape(-1, *[1] * (len(shape) - 2))
    apart = outputs.transpose(0, 1).reshape(one.groups, -1, outputs.numel() // outputs.shape[1])
    np.testing.assert_allclose(
        matrices @ gram.moment @ matrices.transpose(0, 2, 1), (apart @ apart.mT).numpy(), atol=1e-3, rtol=1e-5
    )
    np.testing.assert_allclose(np.einsum("god,gd->go", matrices, gram.total), apart.sum(2).numpy(), atol=1e-3)
    assert gram.count == apart.shape[2]
    np.testing.assert_array_equal(one.tensor(matrices).astype(np.float32), decode(state.weights[one.weight]))


def test_a_linear_layer_is_measured_over_rows_and_positions() -> None:
    inputs = drawn(70, 5, 8)
    _, _, (gram,) = measured(nn.Linear(8, 3), inputs)
    flat = inputs.double().reshape(-1, 8).numpy()
    np.testing.assert_allclose(gram.moment[0], flat.T @ flat, rtol=1e-12)
    centred = flat - flat.mean(axis=0)
    seen = Moments(gram.layer, gram.moment, gram.total, gram.count)
    np.testing.assert_allclose(seen.centred[0], centred.T @ centred, atol=1e-10)


def test_later_layers_read_what_earlier_ones_give_and_share_what_they_read() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.left, self.right = nn.Linear(8, 6), nn.Linear(6, 3), nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            hidden = functional.relu(self.first(x))
            return torch.cat([self.left(hidden), self.right(hidden)], dim=1)

    torch.manual_seed(0)
    net, inputs = Two(), drawn(70, 8)
    _, _, (_, left, right) = measured(net, inputs)
    assert left is right
    with torch.no_grad():
        hidden = functional.relu(net.first(inputs)).double().numpy()
    np.testing.assert_allclose(left.moment[0], hidden.T @ hidden, rtol=1e-5)


def test_patches_are_laid_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = drawn(9, 4, 7, 8)
    _, _, (whole,) = measured(CONVOLUTIONS[1][0], inputs)
    monkeypatch.setattr("surgdsl.curvature.gram.CHUNK", 1)
    _, _, (parts,) = measured(CONVOLUTIONS[1][0], inputs)
    np.testing.assert_allclose(whole.moment, parts.moment, rtol=1e-12, atol=1e-12)


def test_a_weight_that_something_else_reads_has_no_layers() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.twice = nn.Embedding(5, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            seen = self.twice(self.twice(self.table(x)))
            return functional.linear(seen, self.table.weight)

    state = capture(Tied(), (torch.zeros(2, dtype=torch.int64),), dynamic={"x": {0: "B"}})
    names = {payload.base: name for name, one in state.net.params().items() if (payload := one.payload)}
    assert layers(state.net, names["table.weight"]) is None
    found = layers(state.net, names["twice.weight"])
    assert found is not None
    assert len(found) == 2
