"""Recurrent layers and cells: units are cut from every gate, layer and direction at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations.recurrent import RECURRENT
from surgdsl.operations.signature import IllTyped
from tests.operations.neutralising import check

# torch.export finds that these layers set their list of weights anew, and oneDNN that it has no projections: both
# change nothing.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The tensor attributes? self.*_flat_weights:UserWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning"),
]

LSTM, GRU, RNN = nn.LSTM, nn.GRU, nn.RNN
SETTINGS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (LSTM, {}),
    (LSTM, {"num_layers": 2, "bidirectional": True}),
    (LSTM, {"num_layers": 2, "bias": False}),
    (GRU, {}),
    (GRU, {"num_layers": 2, "bidirectional": True, "bias": False}),
    (RNN, {"num_layers": 2}),
    (RNN, {"nonlinearity": "relu", "bidirectional": True}),
)


@pytest.mark.parametrize(("kind", "options"), SETTINGS)
def test_features_and_units_are_free(kind: Any, options: dict[str, Any]) -> None:
    layer = kind(6, 5, batch_first=True, **options)
    out = 10 if layer.bidirectional else 5
    found = check(lambda x, a, b, c: c(b(a(x))[0].relu()), nn.Linear(3, 6), layer, nn.Linear(out, 4), shape=(7, 3))
    assert sorted(found.free) == [5, 6]
    assert found.approximate == ()


@pytest.mark.parametrize("batch", [True, False])
def test_units_are_called_units(batch: bool) -> None:
    layers = nn.Linear(3, 6), LSTM(6, 5, batch_first=True), GRU(5, 4, batch_first=True)
    found = check(lambda x, a, b, c: c(b(a(x))[0])[0].sum(2), *layers, shape=(7, 3), batch=batch)
    assert {axis.name for axis in found.coupling.prunable} == {"layers.0:out", "layers.1:units", "layers.2:units"}


def test_time_may_come_first() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module, c: nn.Module) -> torch.Tensor:
        return c(b(a(x).transpose(0, 1))[0].transpose(0, 1))

    assert sorted(check(function, nn.Linear(3, 6), GRU(6, 5), nn.Linear(5, 4), shape=(7, 3)).free) == [5, 6]


def test_states_at_the_end_are_read() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module, c: nn.Module) -> torch.Tensor:
        _, (hidden, cell) = b(a(x))
        return c(torch.cat([hidden[-1], cell[0]], 1))

    layers = nn.Linear(3, 6), LSTM(6, 5, 2, batch_first=True), nn.Linear(10, 4)
    assert sorted(check(function, *layers, shape=(7, 3)).free) == [5, 6]


def test_a_first_state_that_is_computed() -> None:
    def function(x: torch.Tensor, *layers: nn.Module) -> torch.Tensor:
        start = layers[3](x[:, 0]).unsqueeze(0), layers[3](x[:, 1]).sigmoid().unsqueeze(0)
        return layers[2](layers[1](layers[0](x), start)[0])

    layers = nn.Linear(3, 6), LSTM(6, 5, batch_first=True), nn.Linear(5, 4), nn.Linear(3, 5)
    assert sorted(check(function, *layers, shape=(7, 3)).free) == [5, 6]


def test_a_first_state_that_is_not_zero_is_not_taken_for_zero() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        found = a(x, b(x[:, 0]).sigmoid().unsqueeze(0))[0]
        return torch.matmul(found, b(x).sigmoid().transpose(1, 2))

    assert 5 in check(function, GRU(3, 5, batch_first=True), nn.Linear(3, 5), shape=(7, 3)).approximate


def test_a_projection_is_free_and_its_units_are_pinned() -> None:
    layer = LSTM(6, 5, 2, batch_first=True, proj_size=3, bidirectional=True)
    found = check(lambda x, a, b, c: c(b(a(x))[0]), nn.Linear(3, 6), layer, nn.Linear(6, 4), shape=(7, 3))
    assert sorted(found.free) == [3, 6]
    assert any("larger than its projection" in reason for reason in found.pins("layers.1.weight_hh_l0", 0))


def test_cells_share_their_units() -> None:
    def function(x: torch.Tensor, *layers: nn.Module) -> torch.Tensor:
        h = layers[0](x)
        return layers[4](layers[3](h, layers[2](h, layers[1](h)[0])))

    layers = nn.Linear(3, 6), nn.LSTMCell(6, 5), nn.GRUCell(6, 5), nn.RNNCell(6, 5), nn.Linear(5, 4)
    found = check(function, *layers, shape=(3,))
    assert sorted(found.free) == [5, 6]
    rows = 2
    wanted = sum(parameter.numel() for parameter in found.module.parameters() if parameter.dim() == 2)
    assert found.macs({"B": rows}) == rows * wanted


@pytest.mark.parametrize(("kind", "options"), [*SETTINGS, (LSTM, {"proj_size": 3, "bidirectional": True})])
def test_every_matrix_counts_once_for_each_step(kind: Any, options: dict[str, Any]) -> None:
    layer = kind(6, 5, batch_first=True, **options)
    found = check(lambda x, a: a(x)[0], layer, shape=(7, 6))
    wanted = sum(parameter.numel() for parameter in layer.parameters() if parameter.dim() == 2)
    assert found.macs({"B": 3}) == 3 * 7 * wanted


def test_weights_that_do_not_fit_are_ill_typed() -> None:
    settings = (
        ("batch_first", True),
        ("bidirectional", False),
        ("dropout", 0.0),
        ("has_biases", False),
        ("num_layers", 1),
        ("params", Tensors(2)),
        ("train", False),
    )
    operation = Operation("aten.gru.input", (), (), settings)
    x, state, reading, looping = (Sort("F32", shape) for shape in ((2, 7, 6), (1, 2, 5), (15, 6), (15, 5)))
    assert RECURRENT.typing(operation, (x, state, reading, looping)) == (Sort("F32", (2, 7, 5)), state)
    for sources in (
        (x, state, looping, reading),
        (x, Sort("F32", (2, 2, 5)), reading, looping),
        (Sort("F32", (7, 6)), state, reading, looping),
        (x, state, reading),
    ):
        with pytest.raises((IllTyped, ValueError)):
            RECURRENT.typing(operation, sources)
