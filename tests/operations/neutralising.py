"""Neutralise-then-cut: the test that an axis relation is right.

Zeroing the weights of some indices of an axis, and cutting those indices out, must give the same function wherever the axis is natural; an axis
that is not must still give a net that types and runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from attrs import frozen
from torch import nn

from surgdsl.axis.dim import Axis, Indices, positions
from surgdsl.axis.extent import Polynomial
from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode, dense
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagram.operation import PARAM
from surgdsl.operations import BY_NAME
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.surgery.prune import RULE, Cutting
from surgdsl.surgery.rewrite import replace

TOLERANCE = 1e-5
Function = Callable[..., Any]


class Around(nn.Module):
    """A function of tensors with layers around it: ``function(x, *layers)``."""

    def __init__(self, function: Function, *layers: nn.Module) -> None:
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(x, *self.layers)


@frozen(slots=False)
class Checked:
    """What a check saw."""

    state: State
    coupling: Coupling

    @property
    def free(self) -> dict[str, int]:
        """The axes that can be cut, with their sizes."""
        return {axis.name: int(str(axis.size)) for axis in self.coupling.prunable}

    @property
    def approximate(self) -> set[str]:
        """Those of them whose cut is only approximate."""
        return {axis.name for axis in self.coupling.prunable if not self.coupling.natural(axis)}

    def pin(self, tensor: str, dimension: int) -> str:
        """The reasons why no part of a weight's dimension can be cut; empty where some part can be."""
        params = self.state.net.params().values()
        (operation,) = [found for found in params if found.payload and found.payload.base == tensor]
        found = [self.coupling.pins.get(axis) for axis in _axes(self.coupling.dims[operation.targets[0]][dimension])]
        return "; ".join(str(pin) for pin in found) if all(found) else ""

    def calls(self) -> set[str]:
        """The operators in the net."""
        return {operation.name for operation in self.state.net.graph.operations.values()} - {PARAM}


def _axes(dim: Any) -> list[Axis]:
    from surgdsl.axis.dim import axes

    return list(axes(dim))


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in eval mode, with every parameter and statistic drawn so that nothing is degenerate."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            scale = parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.5
            parameter.normal_(0, scale)
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 2) if name.endswith("var") else buffer.normal_()
    return module.eval()


def check(
    function: Function,
    *layers: nn.Module,
    shape: tuple[int, ...] = (3, 8, 8),
    batch: bool = True,
    make: Callable[..., torch.Tensor] = torch.randn,
) -> Checked:
    """Capture `function` with `layers`, and cut every axis that can be cut, alone and all at once.

    Args:
        function: of x and the layers, to one tensor.
        layers: their weights are randomised.
        shape: of x without the batch.
        batch: whether the batch size varies; otherwise it is 5.
        make: draws x from its shape.
    """
    module = randomised(Around(function, *layers))
    dynamic = {"x": {0: "B"}} if batch else None
    state = capture(module, (make(2 if batch else 5, *shape),), dynamic=dynamic)
    x = make(5, *shape)
    with torch.no_grad():
        wanted = module(x)
    assert relative(_run(state, x), wanted) <= TOLERANCE
    assert relative(_run(state, make(5, *shape)), wanted) > 1e-3, "the output hardly depends on the input"
    typed(state)
    coupling = couple(state.net)
    for keep in _choices(coupling):
        _cut(state, coupling, keep, x)
    return Checked(state, coupling)


def _choices(coupling: Coupling) -> list[dict[Axis, Indices]]:
    """Each axis alone to about half, to its last index, and all natural ones at once to about half and to one."""
    free = [axis for axis in coupling.prunable if isinstance(axis.size, int) and axis.size > 1]
    rng = np.random.default_rng(0)

    def draw(axis: Axis, count: int) -> Indices:
        assert isinstance(axis.size, int)
        return np.sort(rng.choice(axis.size, size=max(1, count), replace=False)).astype(np.intp)

    sizes = {axis: axis.size for axis in free if isinstance(axis.size, int)}
    alone = [{axis: draw(axis, size // 2)} for axis, size in sizes.items()]
    last = [{axis: draw(axis, 1)} for axis in sizes]
    natural = {axis: size for axis, size in sizes.items() if coupling.natural(axis)}
    every = [{axis: draw(axis, size // 2) for axis, size in found.items()} for found in (natural, sizes) if found]
    return alone + last + every + ([{axis: draw(axis, 1) for axis in natural}] if natural else [])


def _cut(state: State, coupling: Coupling, keep: dict[Axis, Indices], x: torch.Tensor) -> None:
    _, after = replace(state, RULE, Cutting(state, coupling, keep).replacement(0), 0)
    typed(after)
    cut, neutral = _run(after, x), _run(neutralised(state, coupling, keep), x)
    assert cut.shape == neutral.shape
    if all(map(coupling.natural, keep)):
        assert relative(cut, neutral) <= TOLERANCE, f"cutting {', '.join(map(str, keep))} is not what neutralising is"


def neutralised(state: State, coupling: Coupling, keep: dict[Axis, Indices]) -> State:
    """The state with every weight zero at the indices that are not in `keep`."""
    weights: dict[str, Weight] = dict(state.weights)
    for axis, kept in keep.items():
        for member in coupling.members[axis]:
            weight = weights[member.operation]
            dims = coupling.dims[state.net.graph.operations[member.operation].targets[0]]
            found = positions(dims[member.dimension], axis)
            values = np.moveaxis(decode(weight).copy(), member.dimension, 0)
            values[(found >= 0) & ~np.isin(found, kept)] = 0
            weights[member.operation] = dense(np.moveaxis(values, 0, member.dimension), weight.dtype)
    return State(state.net, weights)


def typed(state: State) -> None:
    """Assert that every known operation's typing gives the sorts on its wires."""
    for operation in state.net.graph.operations.values():
        if operation.name == PARAM or operation.name not in BY_NAME:
            continue
        found = BY_NAME[operation.name].typing(operation, tuple(map(state.net.sort, operation.sources)))
        assert found == tuple(map(state.net.sort, operation.targets)), operation
        for sort in found:
            assert all(isinstance(extent, (int, Polynomial)) for extent in sort.shape)


def relative(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference over the largest magnitude."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def _run(state: State, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return rebuild(state)(x)
