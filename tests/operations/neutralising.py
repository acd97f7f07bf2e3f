"""Neutralise-then-cut around one function: the test that an axis relation is right.

Zeroing the weights of some indices of an axis, and cutting those indices out, must give the same function wherever the
axis is natural; an axis that is not must still give a net that types and runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import frozen
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from surgdsl.axis.dim import axes
from surgdsl.bridge.capture import capture
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import State
from surgdsl.diagram.operation import PARAM
from surgdsl.operations import BY_NAME, cost
from surgdsl.operations.coupling import Coupling, couple
from tests.operations.cutting import Keep, choices, cut, neutralised

TOLERANCE = 1e-5
T, M = torch.Tensor, nn.Module
Map = Callable[[T], T]
Function = (
    Map
    | Callable[[T, M], T]
    | Callable[[T, M, M], T]
    | Callable[[T, M, M, M], T]
    | Callable[[T, M, M, M, M], T]
    | Callable[[T, M, M, M, M, M], T]
)


class Around(nn.Module):
    """A function of tensors with layers around it: ``function(x, *layers)``."""

    def __init__(self, function: Function, *layers: nn.Module) -> None:
        super().__init__()
        self.function: Callable[..., torch.Tensor] = function
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.layers)


@frozen(slots=False)
class Checked:
    """What a check saw."""

    state: State
    coupling: Coupling
    module: nn.Module

    @property
    def free(self) -> tuple[int, ...]:
        """The sizes of the axes that can be cut, in the order of the net."""
        return tuple(int(str(axis.size)) for axis in self.coupling.prunable)

    @property
    def approximate(self) -> tuple[int, ...]:
        """The sizes of those whose cut is only approximate."""
        return tuple(int(str(axis.size)) for axis in self.coupling.prunable if not self.coupling.natural(axis))

    def pins(self, tensor: str, dimension: int) -> tuple[str, ...]:
        """Why the parts of a weight's dimension cannot be cut, for those that cannot."""
        params = self.state.net.params().values()
        (operation,) = [found for found in params if found.payload and found.payload.base == tensor]
        dim = self.coupling.dims[operation.targets[0]][dimension]
        return tuple(str(self.coupling.pins[axis]) for axis in axes(dim) if axis in self.coupling.pins)

    def macs(self, binding: Mapping[str, int]) -> int:
        """The cost of all operations but weights."""
        net = self.state.net
        return sum(
            cost(operation, tuple(map(net.sort, operation.sources)), tuple(map(net.sort, operation.targets)), binding)
            for operation in net.graph.operations.values()
            if operation.name != PARAM
        )

    def counted(self, x: torch.Tensor) -> int:
        """What torch counts for one evaluation: floating point operations, two for each multiply-accumulate."""
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.module(x)
        return counter.get_total_flops()

    @property
    def calls(self) -> frozenset[str]:
        """The operators in the net."""
        return frozenset(operation.name for operation in self.state.net.graph.operations.values()) - {PARAM}


def randomised(module: nn.Module) -> nn.Module:
    """The module in eval mode, with every parameter and statistic drawn so that nothing is degenerate."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.5)
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5 if name.endswith("var") else torch.randn_like(buffer))
    return module.eval()


def check(
    function: Function,
    *layers: nn.Module,
    shape: tuple[int, ...] = (3, 8, 8),
    batch: bool = True,
    knows: str = "",
) -> Checked:
    """Capture `function` with `layers`, and cut every axis that can be cut, alone and all at once.

    Args:
        function: of x and the layers, to one tensor.
        layers: their weights are randomised.
        shape: of x without the batch.
        batch: whether the batch size varies; otherwise it is 5.
        knows: an operator that must occur in the net and be known.
    """
    module = randomised(Around(function, *layers))
    state = capture(module, (torch.randn(2 if batch else 5, *shape),), dynamic={"x": {0: "B"}} if batch else None)
    x = torch.randn(5, *shape)
    with torch.no_grad():
        wanted = module(x)
    assert apart(_run(state, x), wanted) <= TOLERANCE
    assert apart(_run(state, torch.randn(5, *shape)), wanted) > 1e-2, "the output hardly depends on the input"
    typed(state)
    found = Checked(state, couple(state.net), module)
    assert not knows or (knows in found.calls and knows in BY_NAME)
    free = found.coupling.prunable
    natural = tuple(axis for axis in free if found.coupling.natural(axis))
    for keep in choices(free) + (choices(natural)[3 * len(natural) :] if natural != free else []):
        _cut(found, keep, x)
    return found


def _cut(found: Checked, keep: Keep, x: torch.Tensor) -> None:
    small = cut(found.state, found.coupling, keep)
    typed(small)
    after, before = _run(small, x), _run(neutralised(found.state, found.coupling, keep), x)
    assert after.shape == before.shape
    if all(map(found.coupling.natural, keep)):
        shown = {axis.name: index.tolist() for axis, index in keep.items()}
        assert apart(after, before) <= TOLERANCE, f"cutting {shown} is not what neutralising is"


def typed(state: State) -> None:
    """Assert that every known operation's typing gives the sorts on its wires."""
    for operation in state.net.graph.operations.values():
        if operation.name != PARAM and operation.name in BY_NAME:
            found = BY_NAME[operation.name].typing(operation, tuple(map(state.net.sort, operation.sources)))
            assert found == tuple(map(state.net.sort, operation.targets)), operation


def apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference over the largest magnitude."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def _run(state: State, x: torch.Tensor) -> torch.Tensor:
    module: Any = rebuild(state)
    with torch.no_grad():
        return module(x)
