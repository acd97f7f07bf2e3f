"""Capture and rebuild: a net computes what its module does, and a module that cannot be a net is refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from attrs import field, frozen
from torch import nn
from torch.nn import functional

from surgdsl.axis.extent import symbol
from surgdsl.bridge.capture import capture
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from tests.bridge.cases import CASES
from tests.bridge.zoo import Conv, Linear, Norm, Wired, answers, leaves, randomised
from tests.operations.cutting import apart


@frozen
class Job:
    """A module with example inputs, and which of them varies."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(factory=dict)

    def state(self) -> State:
        return capture(randomised(self.module), self.args, self.kwargs)


def wired(wiring: Callable[[Any, Any], Any], **parts: nn.Module | torch.Tensor) -> nn.Module:
    return randomised(Wired(wiring, parts))


class Named(nn.Module):
    """Takes tensors by position and by name, and a number, and returns a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = Linear(5, 4), Linear(3, 4)

    def forward(self, x: torch.Tensor, *, scale: float, y: torch.Tensor) -> dict[str, torch.Tensor]:
        both = self.a(x) + self.b(y) * scale
        return {"sum": both, "positive": both.relu()}


class Nested(nn.Module):
    """Takes a pair and returns a tuple within a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.a = Linear(5, 4)

    def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> Any:
        return self.a(pair[0]), (self.a(pair[1]).tanh(), pair[0] * 2)


class Held(nn.Module):
    """Parameters, a buffer, one that is not saved, and a constant tensor."""

    kept: torch.Tensor
    passing: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.zeros(5))
        self.register_buffer("kept", torch.zeros(5))
        self.register_buffer("passing", torch.ones(5), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.own + self.kept * self.passing + torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])


def attention(m: Any, x: Any) -> Any:
    q, k, v = m.qkv(x).chunk(3, -1)
    return m.out(functional.scaled_dot_product_attention(q, k, v))


ROW, PICTURE = torch.randn(4, 5), torch.randn(4, 3, 8, 8)
JOBS: Mapping[str, Job] = {
    "mlp": Job(nn.Sequential(Linear(5, 8), nn.ReLU(), nn.Dropout(0.5), Linear(8, 3)), (ROW,)),
    "in place": Job(nn.Sequential(Linear(5, 8), nn.ReLU(inplace=True), nn.Dropout(0.5), Linear(8, 3)), (ROW,)),
    "cnn": Job(
        nn.Sequential(
            Conv(3, 6, 3), Norm(6), nn.ReLU(True), nn.MaxPool2d(2), Conv(6, 8, 2, 2), nn.Flatten(), Linear(8, 2)
        ),
        (PICTURE,),
    ),
    "pools": Job(
        nn.Sequential(nn.AvgPool2d(3, 2, 1, ceil_mode=True), Conv(3, 4, 1), nn.AdaptiveAvgPool2d((2, 3))), (PICTURE,)
    ),
    "dilated": Job(
        nn.Sequential(Conv(3, 6, 3, padding=2, dilation=2), nn.SiLU(), Conv(6, 4, (1, 3), (2, 1))), (PICTURE,)
    ),
    "transposed": Job(nn.Sequential(nn.ConvTranspose2d(3, 4, 3, 2, 1), nn.GELU(approximate="tanh")), (PICTURE,)),
    "group norm": Job(nn.Sequential(Conv(3, 6, 1), nn.GroupNorm(2, 6), nn.LeakyReLU(0.2)), (PICTURE,)),
    "layer norm": Job(nn.Sequential(Linear(5, 6), nn.LayerNorm(6), nn.Softmax(-1)), (ROW,)),
    "attention": Job(wired(attention, qkv=Linear(5, 12), out=Linear(4, 2)), (torch.randn(2, 7, 5),)),
    "transformer": Job(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (torch.randn(2, 5, 8),)),
    "lists of tensors": Job(
        wired(lambda m, x: torch.cat(torch.split(m.a(x), [2, 3, 1], 1)[::-1], 1), a=Linear(5, 6)), (ROW,)
    ),
    "a piece that holds nothing": Job(
        wired(lambda m, x: torch.cat([x[:, 5:], m.a(x), x[:, :0]], -1), a=Linear(5, 6)), (ROW,)
    ),
    "named inputs": Job(Named(), (ROW,), {"y": torch.randn(4, 3), "scale": 0.5}),
    "a tree of inputs": Job(Nested(), ((ROW, torch.randn(4, 5)),)),
    "buffers and constants": Job(Held(), (ROW,)),
    "a recurrent loop": Job(wired(lambda m, x: m.a(m.a(m.a(x).tanh()).tanh()), a=Linear(5, 5)), (ROW,)),
    "whole numbers": Job(nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3)), (torch.tensor([[1, 2], [3, 9]]),)),
    "double precision": Job(nn.Sequential(Linear(5, 4), nn.Tanh()).double(), (ROW.double(),)),
    "an input handed on": Job(wired(lambda m, x: (x, m.a(x)), a=Linear(5, 2)), (ROW,)),
    "a branch on the shape": Job(wired(lambda m, x: m.a(x) if x.shape[1] == 5 else x, a=Linear(5, 2)), (ROW,)),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_a_captured_net_computes_what_the_module_does(name: str) -> None:
    job = JOBS[name]
    state = job.state()
    tensors = [leaf for leaf in (*job.args, *job.kwargs.values()) if isinstance(leaf, torch.Tensor | tuple)]
    inputs = [leaf for one in tensors for leaf in (one if isinstance(one, tuple) else (one,))]
    ports = [name for name, _ in state.net.inputs]
    if job.kwargs:
        given: dict[str, torch.Tensor] = dict(zip(("x", "y"), inputs, strict=True))
        inputs = [given[port] for port in ports]
    with torch.no_grad():
        wanted = job.module.eval()(*job.args, **job.kwargs)
    assert apart(answers(state, tuple(inputs)), leaves(wanted)) <= 1e-6
    assert state.net.faults() == ()


def test_a_net_has_no_extent_of_zero() -> None:
    """No certificate could state it, as of the rotary positions of some transformers."""
    wires = JOBS["a piece that holds nothing"].state().net.graph.wires
    assert all(0 not in sort.shape for sort in wires.values())


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_the_zoo_is_captured_as_it_is(name: str) -> None:
    case = CASES[name]
    module, inputs = case.module(), case.inputs()
    with torch.no_grad():
        wanted = leaves(module(*inputs))
    assert apart(answers(capture(module, inputs), inputs), wanted) <= 1e-6


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_batch_that_varies_runs_at_every_size(batch: int) -> None:
    module = randomised(nn.Sequential(Conv(3, 4, 3), Norm(4), nn.ReLU(), nn.Flatten(), Linear(144, 3))).eval()
    state = capture(module, (PICTURE,), dynamic={"input": {0: "B"}})
    assert state.net.sort(state.net.inputs[0][1]).shape[0] == symbol("B")
    assert state.net.sort(state.net.outputs[0][1]).shape == (symbol("B"), 3)
    x = torch.randn(batch, 3, 8, 8)
    assert apart(answers(state, (x,)), leaves(module(x))) <= 1e-6


class Placed(nn.Module):
    """Adds as much of a table as the input is long."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.a = nn.Parameter(torch.zeros(10, 4)), Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a(x) + self.table[: x.shape[1]]


@pytest.mark.parametrize("length", [2, 5, 10])
def test_a_slice_as_long_as_the_input_stays_one(length: int) -> None:
    module = randomised(Placed())
    state = capture(module, (torch.zeros(2, 3, 5),), dynamic={"x": {1: "T"}}, ranges={"T": (2, 10)})
    x = torch.randn(2, length, 5)
    assert apart(answers(state, (x,)), leaves(module(x))) <= 1e-6


def test_outputs_are_called_as_the_keys_of_a_dictionary() -> None:
    state = JOBS["named inputs"].state()
    assert [name for name, _ in state.net.outputs] == ["sum", "positive"]
    assert sorted(name for name, _ in state.net.inputs) == ["x", "y"]


def test_a_shared_weight_is_one() -> None:
    first, second = Linear(5, 5), Linear(5, 5)
    second.weight = first.weight
    state = capture(nn.Sequential(first, second), (ROW,))
    names = [operation.payload.base for operation in state.net.params().values() if operation.payload]
    assert sorted(names) == ["0.bias", "0.weight", "1.bias"]


def test_an_equal_weight_is_another() -> None:
    first, second = Linear(5, 5), Linear(5, 5)
    second.load_state_dict(first.state_dict())
    assert len(capture(nn.Sequential(first, second), (ROW,)).net.params()) == 4


def test_weights_know_their_roles() -> None:
    state = JOBS["buffers and constants"].state()
    roles = sorted(operation.payload.role for operation in state.net.params().values() if operation.payload)
    assert roles[:1] == ["buffer"] or "buffer" in roles
    assert "parameter" in roles
    assert "constant" in roles


def test_a_module_is_left_in_the_modes_in_which_it_was() -> None:
    module = nn.Sequential(Linear(5, 4), nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.1)))
    module.train()
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    capture(module, (ROW,))
    assert [part.training for part in module.modules()] == [True, True, False, True, True]
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in before.items())


def test_weights_of_a_net_are_read_only_copies() -> None:
    module = nn.Sequential(Linear(5, 4))
    state = capture(module, (ROW,))
    before = answers(state, (ROW,))
    with torch.no_grad():
        next(module.parameters()).zero_()
    assert np.array_equal(answers(state, (ROW,))[0], before[0])
    assert all(not part.flags.writeable for weight in state.weights.values() for part in weight.parts.values())


def test_a_rebuilt_module_has_the_names_of_the_parameters() -> None:
    module = nn.Sequential(Conv(3, 4, 3), Norm(4))
    rebuilt = rebuild(capture(module, (PICTURE,)))
    assert {name for name, _ in rebuilt.named_parameters()} == {name for name, _ in module.named_parameters()}


def branching(m: Any, x: Any) -> Any:
    return m.a(x) if x.sum() > 0 else m.a(-x)


def raising(m: Any, x: Any) -> Any:
    raise RuntimeError(f"no way with {m.a.in_features} features, {x.shape[0]} rows")


def counting(m: Any, x: Any) -> Any:
    m.seen.add_(1)
    return m.a(x) * m.seen


def complex_inside(m: Any, x: Any) -> Any:
    return (m.a(x) * 1j).abs()


REFUSED: Mapping[str, tuple[nn.Module, str]] = {
    "control flow on data": (wired(branching, a=Linear(5, 2)), "E0601"),
    "a forward that raises": (wired(raising, a=Linear(5, 2)), "E0601"),
    "numbers out of data": (wired(lambda m, x: m.a(x) * x.sum().item(), a=Linear(5, 2)), "E0601 E0602"),
    "sizes out of data": (wired(lambda m, x: m.a(x[x[:, 0] > 0]), a=Linear(5, 2)), "E0601 E0602"),
    "a buffer that counts": (wired(counting, a=Linear(5, 2), seen=torch.zeros(1)), "E0602"),
    "complex numbers": (wired(complex_inside, a=Linear(5, 2)), "E0602"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_net_is_refused(name: str) -> None:
    module, codes = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        capture(module, (ROW,))
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code in codes.split()
    assert diagnostic.help
    assert all("\n" not in text for text in diagnostic.help)


def test_an_input_that_the_forward_does_not_have_is_refused() -> None:
    with pytest.raises(Refusal, match="E0601"):
        capture(Linear(5, 2), (ROW,), dynamic={"image": {0: "B"}})
