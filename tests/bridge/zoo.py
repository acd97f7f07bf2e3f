"""Small modules, one for each way in which axes meet, with what is expected of their axes.

Weights, biases and statistics are random and far from zero, so that a cut that forgets one of them shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import field, frozen
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from surgdsl.bridge.capture import capture
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import Array, State

Wiring = Callable[[Any, Any], Any] | Callable[[Any, Any, Any], Any]
Image = (3, 8, 8)
Conv, Linear, Norm = nn.Conv2d, nn.Linear, nn.BatchNorm2d


class Wired(nn.Module):
    """A module whose forward is a function of its parts and inputs; tensors among the parts are buffers."""

    def __init__(self, wiring: Wiring, parts: Mapping[str, Any]) -> None:
        super().__init__()
        self.wiring = wiring
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *inputs: Any) -> Any:
        wiring: Callable[..., Any] = self.wiring
        return wiring(self, *inputs)


@frozen
class Case:
    """A module by its wiring and its parts, the shapes of its inputs without the batch, and its natural axes."""

    wiring: Wiring
    shapes: tuple[tuple[int, ...], ...]
    parts: Callable[[], Mapping[str, Any]]
    natural: tuple[str, ...] | None = field(default=None)
    """Axes that a cut must be exact for; None where this is not what the case is about."""

    def module(self) -> nn.Module:
        """The module in eval mode with random weights."""
        return randomised(Wired(self.wiring, self.parts())).eval()

    def inputs(self, batch: int = 3, seed: int = 1) -> tuple[torch.Tensor, ...]:
        """Random inputs."""
        generator = torch.Generator().manual_seed(seed)
        return tuple(torch.randn(batch, *shape, generator=generator) for shape in self.shapes)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with normal weights, biases and means, and variances in [0.5, ∞)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict(keep_vars=True).items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.5)
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.5)
    return module


def leaves(found: Any) -> tuple[Array, ...]:
    """A module's outputs, in order, as arrays."""
    if isinstance(found, Mapping):
        return leaves(tuple(found.values()))
    if isinstance(found, tuple | list):
        return tuple(leaf for one in found for leaf in leaves(one))
    return (found.detach().numpy(),)


def answers(state: State, inputs: tuple[torch.Tensor, ...]) -> tuple[Array, ...]:
    """What a net computes."""
    with torch.no_grad():
        return leaves(rebuild(state)(*inputs))


def captured(case: Case) -> State:
    """The net of a case, its batch fixed."""
    return capture(case.module(), case.inputs())


def flat(x: Any) -> Any:
    """Everything behind the batch, merged."""
    return torch.flatten(x, 1)


def residual(m: Any, x: Any) -> Any:
    y = F.relu(m.a(x))
    return m.fc(flat(y + m.c(F.relu(m.b(y)))))


def squeezed(m: Any, x: Any) -> Any:
    y = F.relu(m.a(x))
    return m.e(y * torch.sigmoid(m.up(F.relu(m.down(F.adaptive_avg_pool2d(y, 1))))))


def gated_by_one(m: Any, x: Any) -> Any:
    y = m.a(x)
    return m.e(y * torch.sigmoid(y[:, 2:3]))


def shuffled(m: Any, x: Any) -> Any:
    y = F.relu(m.a(x))
    return m.e(F.relu(m.d(y.view(y.size(0), 2, 4, 6, 6).transpose(1, 2).reshape(y.size(0), 8, 6, 6))))


def dense(m: Any, x: Any) -> Any:
    first = m.c0(x)
    second = F.relu(m.c1(m.n1(first)))
    third = F.relu(m.c2(m.n2(torch.cat([first, second], 1))))
    return m.o(torch.cat([first, second, third], 1))


def mobile(m: Any, x: Any) -> Any:
    y = F.hardswish(m.n(m.g(F.relu(m.a(x)))))
    gate = F.hardsigmoid(m.up(F.relu(m.down(y.mean((2, 3), keepdim=True)))))
    return m.o(F.relu(m.p(y * gate) + m.a(x)))


def branches(m: Any, x: Any) -> Any:
    y = m.a(x)
    return m.d(torch.cat([y[:, 2:6].relu(), y[:, :2].sigmoid(), y[:, 6:]], 1))


def outer(m: Any, x: Any) -> Any:
    y = F.relu(m.i(x))
    return m.o(flat(y.unsqueeze(1) * y.unsqueeze(2)))


def with_dead_branch(m: Any, x: Any) -> Any:
    y = m.i(x)
    m.dead(y).relu()
    return m.o(y.relu())


def mixer(m: Any, x: Any) -> Any:
    y = m.i(x)
    return m.o(flat(m.u(F.relu(m.t(y.transpose(1, 2)))).transpose(1, 2) + y))


def tied() -> Mapping[str, Any]:
    first, second = Linear(6, 6), Linear(6, 6)
    second.weight = first.weight
    return {"i": Linear(5, 6), "a": first, "b": second, "o": Linear(6, 3)}


def hidden(function: Callable[[Any], Any], natural: tuple[str, ...] | None = None) -> Case:
    """Six hidden units under `function`, which must keep their number."""
    return Case(
        lambda m, x: m.o(function(F.relu(m.i(x)))), ((5,),), lambda: {"i": Linear(5, 6), "o": Linear(6, 3)}, natural
    )


def image(wiring: Wiring, natural: tuple[str, ...] | None, /, **parts: Callable[[], Any]) -> Case:
    """A case on a small image; parts are made anew for every module."""
    return Case(wiring, (Image,), lambda: {name: make() for name, make in parts.items()}, natural)


def row(wiring: Wiring, natural: tuple[str, ...] | None, /, **parts: Callable[[], Any]) -> Case:
    """A case on a row of five."""
    return Case(wiring, ((5,),), lambda: {name: make() for name, make in parts.items()}, natural)


def weight(*shape: int) -> nn.Parameter:
    """A parameter by itself."""
    return nn.Parameter(torch.zeros(shape))
