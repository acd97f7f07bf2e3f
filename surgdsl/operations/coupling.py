"""Coupling: one walk over a net that finds its axes, who shares them, and which are pinned and why.

Every operation's relation is told to one unification; a relation that fails, or that does not exist, pins what it
touches and is never skipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cached_property

from attrs import field, frozen

from surgdsl.axis.dim import Axis, Dim, axes, size
from surgdsl.axis.unification import Clash, Pin, Unification
from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature
from surgdsl.operations.weight import born


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
    blurs: Mapping[Axis, tuple[Pin, ...]]
    """Axes that an operation works over, with each reason: cutting one gives another function than neutralising it."""

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

    def natural(self, axis: Axis) -> bool:
        """Whether cutting `axis` gives exactly the function of the net with the cut indices neutralised."""
        return axis not in self.blurs

    def wires(self, axis: Axis) -> tuple[str, ...]:
        """Wires with a dimension that `axis` is part of."""
        return tuple(wire for wire, dims in self.dims.items() if any(axis in axes(dim) for dim in dims))


FAILURES = (Clash, IllTyped, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What a relation may raise on an operation that it does not understand."""


def couple(net: Net) -> Coupling:
    """The axes of `net`: a pass in canonical order, so that names do not depend on its history, and its interface."""
    unification, dims, zeros = Unification(), dict[str, Dims](), Zeros()
    for name, wire in net.inputs:
        dims[wire] = tuple(unification.fresh(f"{name}:{i}", extent) for i, extent in enumerate(net.sort(wire).shape))
        zeros.known[wire] = False
        for dim in dims[wire]:
            unification.pin(dim, f"reaches input `{name}`")
    for name in number(net).operations:
        _relate(net, net.graph.operations[name], dims, zeros, unification)
    for kind, ports in (("output", net.outputs), ("boundary", tuple(net.boundary.items()))):
        for name, wire in ports:
            for dim in dims[wire]:
                unification.pin(dim, f"reaches {kind} `{name}`")
    resolved = _resolved(dims, unification)
    _hold_symbolic(resolved, unification)
    pins = {axis: pin for axis, pin in unification.pins.items() if unification.resolve(axis) == axis}
    return Coupling(net, resolved, pins, _blurs(unification))


def _resolved(dims: Mapping[str, Dims], unification: Unification) -> Mapping[str, Dims]:
    """What every wire's dims were found to be; wires that an operation passes on share theirs."""
    done: dict[int, Dims] = {}
    for found in dims.values():
        if id(found) not in done:
            done[id(found)] = tuple([unification.resolve(dim) for dim in found])
    return {wire: done[id(found)] for wire, found in dims.items()}


def _blurs(unification: Unification) -> Mapping[Axis, tuple[Pin, ...]]:
    """For each axis that operations work over, why cutting it is approximate."""
    found: dict[Axis, dict[Pin, None]] = {}
    for dim, pin in unification.blurs:
        for axis in axes(unification.resolve(dim)):
            found.setdefault(axis, {})[pin] = None
    return {axis: tuple(pins) for axis, pins in found.items()}


def _hold_symbolic(resolved: Mapping[str, Dims], unification: Unification) -> None:
    """An axis that shares a dimension with one of symbolic size cannot be cut: its positions are not known."""
    for found in {id(one): one for one in resolved.values()}.values():
        for dim in found:
            if not isinstance(dim, Axis) and not isinstance(size(dim), int):
                unification.pin(dim, "it shares a dimension with one of symbolic size")


@frozen(eq=False)
class Zeros:
    """Which wires carry zero where weights are neutralised. Few relations ask, so it is found out when one does."""

    known: dict[str, bool] = field(factory=dict[str, bool])
    waiting: deque[tuple[Call, Signature]] = field(factory=deque[tuple[Call, Signature]])

    def of(self, wire: str) -> bool:
        """Whether `wire` does; its operation has been put before."""
        while wire not in self.known:
            call, signature = self.waiting.popleft()
            try:
                zero = signature.zero(call)
            except FAILURES:
                zero = False
            self.known.update(dict.fromkeys(call.operation.targets, zero))
        return self.known[wire]


def _relate(net: Net, operation: Operation, dims: dict[str, Dims], zeros: Zeros, unification: Unification) -> None:
    """Tell one operation's relation, and what its targets are made of."""
    wires = net.graph.wires
    if operation.name == PARAM:
        (target,) = operation.targets
        dims[target], zeros.known[target] = born(operation, wires[target], unification), True
        return
    call = Call(
        operation,
        tuple([wires[wire] for wire in operation.sources]),
        tuple([wires[wire] for wire in operation.targets]),
        tuple([dims[wire] for wire in operation.sources]),
        unification,
        zeros.of,
    )
    signature = BY_NAME.get(operation.name)
    if signature is None:
        found = _pinned(call, f"no axis rule for {operation.name}")
    else:
        try:
            _check(call, signature)
            found = signature.relation(call)
        except FAILURES as failure:
            found, signature = _pinned(call, str(failure) or "its relation does not apply"), None
    dims.update(zip(operation.targets, found, strict=True))
    if signature is None:
        zeros.known.update(dict.fromkeys(operation.targets, False))
    else:
        zeros.waiting.append((call, signature))


def _check(call: Call, signature: Signature) -> None:
    """A relation speaks only of calls that the operator's typing covers: a convolution without a batch is another."""
    if signature.typing(call.operation, call.sources) != call.targets:
        raise IllTyped("its result has another sort than its rule gives")


def _pinned(call: Call, reason: str) -> tuple[Dims, ...]:
    for dims in call.dims:
        call.pin(dims, reason)
    found: list[Dims] = []
    for target, sort in enumerate(call.targets):
        fresh: list[Dim] = [call.fresh(f"{target}.{i}", i, target) for i in range(len(sort.shape))]
        call.pin(tuple(fresh), reason)
        found.append(tuple(fresh))
    return tuple(found)
