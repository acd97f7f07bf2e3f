"""Coupling: one walk over a net that finds its axes, who shares them, and which are pinned and why.

Every operation's relation is told to one unification; a relation that fails, or that does not exist, pins what it touches and is never skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from attrs import frozen

from surgdsl.axis.dim import Axis, Dim, axes
from surgdsl.axis.unification import Clash, Pin, Unification
from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import Call, Dims, IllTyped


@frozen
class Member:
    """A dimension of a weight in which an axis occurs."""

    operation: str
    tensor: str
    dimension: int


@frozen(slots=False)
class Coupling:
    """The axes of a net: the dims of every wire, and the pins."""

    net: Net
    dims: Mapping[str, Dims]
    pins: Mapping[Axis, Pin]

    @cached_property
    def members(self) -> Mapping[Axis, tuple[Member, ...]]:
        """Every axis that occurs in a weight, in the order of the net, with where it occurs."""
        found: dict[Axis, dict[Member, None]] = {}
        for name, operation in self.net.params().items():
            base = operation.payload.base if operation.payload else name
            for dimension, dim in enumerate(self.dims[operation.targets[0]]):
                for axis in axes(dim):
                    found.setdefault(axis, {})[Member(name, base, dimension)] = None
        return {axis: tuple(places) for axis, places in found.items()}

    @cached_property
    def prunable(self) -> tuple[Axis, ...]:
        """Axes of weights that nothing pins."""
        return tuple(axis for axis in self.members if axis not in self.pins and isinstance(axis.size, int))

    def wires(self, axis: Axis) -> tuple[str, ...]:
        """Wires with a dimension that `axis` is part of."""
        return tuple(wire for wire, dims in self.dims.items() if any(axis in axes(dim) for dim in dims))


def couple(net: Net) -> Coupling:
    """The axes of `net`, by one pass in canonical order, so that names do not depend on how the net came about, and one over its interface."""
    unification, dims = Unification(), dict[str, Dims]()
    for name, wire in net.inputs:
        dims[wire] = tuple(unification.fresh(f"{name}:{i}", extent) for i, extent in enumerate(net.sort(wire).shape))
    for operation in (net.graph.operations[name] for name in number(net).operations):
        dims.update(zip(operation.targets, _related(net, operation, dims, unification), strict=True))
    for kind, ports in (("input", net.inputs), ("output", net.outputs), ("boundary", tuple(net.boundary.items()))):
        for name, wire in ports:
            for dim in dims[wire]:
                unification.pin(dim, f"reaches {kind} `{name}`")
    resolved = {wire: tuple(map(unification.resolve, found)) for wire, found in dims.items()}
    return Coupling(
        net, resolved, {axis: pin for axis, pin in unification.pins.items() if unification.resolve(axis) == axis}
    )


def _related(net: Net, operation: Operation, dims: Mapping[str, Dims], unification: Unification) -> tuple[Dims, ...]:
    call = Call(
        operation,
        tuple(map(net.sort, operation.sources)),
        tuple(map(net.sort, operation.targets)),
        tuple(dims[wire] for wire in operation.sources),
        unification,
    )
    if operation.name not in BY_NAME:
        return _pinned(call, f"no axis rule for {operation.name}")
    try:
        found = BY_NAME[operation.name].relation(call)
    except (Clash, IllTyped) as clash:
        return _pinned(call, str(clash))
    return found


def _pinned(call: Call, reason: str) -> tuple[Dims, ...]:
    for dims in call.dims:
        call.pin(dims, reason)
    found: list[Dims] = []
    for number, sort in enumerate(call.targets):
        fresh: list[Dim] = [call.fresh(f"{number}.{i}", i, number) for i in range(len(sort.shape))]
        call.pin(tuple(fresh), reason)
        found.append(tuple(fresh))
    return tuple(found)
