"""Judging an entry: is it captured, what can be cut, and is the cut net exactly the neutralised one.

Weights are random and randomised, so that no output is degenerate; a comparison counts only where another input
changes the output.
"""

from __future__ import annotations

import gc
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from attrs import evolve
from entry import Entry
from torch import nn

import surgdsl
from surgdsl.axis.dim import Axis, Indices, axes, positions
from surgdsl.bridge.encoding import decode, dense
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.operations import BY_NAME
from surgdsl.operations.coupling import Coupling, couple

TOLERANCE = 1e-5
KEEP = 0.7
Record = dict[str, Any]


def judge(entry: Entry) -> Record:
    """One row of the table. Never raises: what fails is in the row."""
    record: Record = {"family": entry.family, "name": entry.name}
    try:
        torch.manual_seed(0)
        record |= _judged(entry, randomised(entry.build().eval()))
        if record["verdict"] == "WRONG":
            record = again(entry, record)
    except Refusal as refusal:
        told = refusal.diagnostics[0]
        record |= {
            "verdict": "refused",
            "reason": f"{told.code} {told.message}: {' '.join(told.help)} {told.label}".strip(),
        }
    except Exception as error:  # noqa: BLE001 - the row says what happened
        record |= {"verdict": "failed", "reason": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
    gc.collect()
    return record


def again(entry: Entry, record: Record) -> Record:
    """Judge in float64: a deep random net can blow float32 rounding up, and never float64's to the same size."""
    torch.manual_seed(0)
    fine = evolve(entry, dtype=torch.float64)
    found = record | _judged(fine, randomised(entry.build().eval()).double())
    rough = max(record["difference"], record["alone"], record["round trip"])
    return found | {"note": f"in float64; float32 rounding grows to {rough:.0e}"}


def _judged(entry: Entry, module: nn.Module) -> Record:
    args, kwargs = entry.arguments(2)
    varies = awoken(entry, module)
    start = time.perf_counter()
    model, note = _captured(entry, module)
    captured = time.perf_counter()
    coupling = couple(model.state.net)
    coupled = time.perf_counter()
    free = [axis for axis in coupling.prunable if int(str(axis.size)) > 1]
    natural = [axis for axis in free if coupling.natural(axis)]
    part, held = share(model.state, coupling, free)
    record: Record = {
        "note": note,
        "operations": len(model.state.net.graph.operations),
        "unknown": sorted({one.name for one in model.state.net.graph.operations.values()} - BY_NAME.keys()),
        "axes": len(free), "natural": len(natural), "share": part, "held": held,
        "pinned": sum(1 for axis in coupling.members if axis in coupling.pins and isinstance(axis.size, int)),
        "shared": len(shared(model.state)), "under": [said(coupling, name) for name in entry.under],
        "varies": varies, "seconds": {"capture": captured - start, "analysis": coupled - captured},
    }  # fmt: skip
    with torch.no_grad():
        expected = flat(module(*args, **kwargs))
        record["round trip"] = relative(_run(model.state, entry, 2), expected)
    del module
    record |= _cuts(entry, model, coupling, free, natural)
    record["verdict"] = verdict(record)
    return record


def verdict(record: Record) -> str:
    """``exact``; ``approximate``: no axis is natural; ``pinned``: there is none; ``vacuous``: nothing has an effect.

    Else it is ``WRONG``.
    """
    if max(record["difference"], record["alone"], record["round trip"]) > TOLERANCE:
        return "WRONG"
    if not record["natural"]:
        return "approximate" if record["axes"] else "pinned"
    return "exact" if record["effect"] > 1e-3 and record["varies"] > 1e-2 else "vacuous"


def _captured(entry: Entry, module: nn.Module) -> tuple[surgdsl.Model, str]:
    args, kwargs = entry.arguments(2)
    try:
        return surgdsl.capture(module, args, kwargs, entry.dynamic), ""
    except Refusal as refusal:
        if not entry.dynamic:
            raise
        reason = " ".join(refusal.diagnostics[0].help)
        return surgdsl.capture(module, args, kwargs), f"at one batch size only ({reason[:90]})"


def _cuts(
    entry: Entry, model: surgdsl.Model, coupling: Coupling, free: Sequence[Axis], natural: Sequence[Axis]
) -> Record:
    """Natural axes, together and a few alone, against the neutralised net; then all free axes, which must run."""
    generator = np.random.default_rng(0)
    keep = {axis: chosen(generator, int(str(axis.size))) for axis in free}
    exact = {axis: keep[axis] for axis in natural}
    with torch.no_grad():
        zeroed = _run(neutralised(model.state, coupling, exact), entry, 2)
        effect = relative(zeroed, _run(model.state, entry, 2))
        start = time.perf_counter()
        small = surgdsl.restrict(model, {axis.name: index.tolist() for axis, index in exact.items()})
        cut = time.perf_counter() - start
        difference = relative(_run(small.state, entry, 2), zeroed)
        del small
        alone = [_alone(entry, model, coupling, axis, keep[axis]) for axis in sampled(natural)]
        whole = surgdsl.restrict(model, {axis.name: index.tolist() for axis, index in keep.items()})
        batches = (1, 2, 5) if _varies(model.state) else (2,)
        for batch in batches:
            _run(whole.state, entry, batch)
    nets = model.state.net, whole.state.net
    assert len({tuple(net.sort(wire) for _, wire in net.outputs) for net in nets}) == 1, "an output changed its shape"
    assert len({tuple(port for port, _ in net.outputs) for net in nets}) == 1, "an output changed its name"
    assert len({len(net.params()) for net in nets}) == 1, "a shared weight was untied"
    assert shared(model.state) == shared(whole.state), "a shared weight was untied"
    return {
        "difference": difference, "alone": max(alone, default=0.0), "effect": effect, "batches": batches,
        "cut seconds": cut, "kept": elements(whole.state) / elements(model.state),
    }  # fmt: skip


def shared(state: State) -> list[str]:
    """The weights that several operations read, by name."""
    graph = state.net.graph
    params = state.net.params().values()
    return sorted(one.payload.base for one in params if one.payload and len(graph.consumers[one.targets[0]]) > 1)


def said(coupling: Coupling, name: str) -> str:
    """What is said of an axis, with the reason where it cannot be cut, or not exactly."""
    (axis,) = [one for one in coupling.members if one.name == name]
    if axis in coupling.pins:
        return f"`{name}` pinned: {coupling.pins[axis]}"
    return f"`{name}` exact" if coupling.natural(axis) else f"`{name}` approximate: {coupling.blurs[axis][0]}"


def _varies(state: State) -> bool:
    """Whether a size of an input is symbolic."""
    return any(not isinstance(size, int) for _, wire in state.net.inputs for size in state.net.sort(wire).shape)


def elements(state: State) -> int:
    """The number of elements of all weights."""
    return sum(math.prod(weight.shape) for weight in state.weights.values())


def _alone(entry: Entry, model: surgdsl.Model, coupling: Coupling, axis: Axis, index: Indices) -> float:
    small = surgdsl.restrict(model, {axis.name: index.tolist()})
    return relative(_run(small.state, entry, 2), _run(neutralised(model.state, coupling, {axis: index}), entry, 2))


def sampled(natural: Sequence[Axis]) -> Sequence[Axis]:
    """Three axes: the first, the middle, the last."""
    return [natural[place] for place in sorted({0, len(natural) // 2, len(natural) - 1})] if natural else []


def chosen(generator: np.random.Generator, size: int) -> Indices:
    """A random 70 % of the positions, rising."""
    return np.sort(generator.choice(size, max(1, round(size * KEEP)), replace=False)).astype(np.intp)


def neutralised(state: State, coupling: Coupling, keep: Mapping[Axis, Indices]) -> State:
    """The state with the weights of every index that would be cut set to zero."""
    weights = dict(state.weights)
    for axis, index in keep.items():
        gone = np.setdiff1d(np.arange(int(str(axis.size))), index)
        for member in coupling.members[axis]:
            values = decode(weights[member.operation]).copy()
            dim = coupling.dims[state.net.graph.operations[member.operation].targets[0]][member.dimension]
            values[(slice(None),) * member.dimension + (np.isin(positions(dim, axis), gone),)] = 0
            weights[member.operation] = dense(values, weights[member.operation].dtype)
    return evolve(state, weights=weights)


def share(state: State, coupling: Coupling, free: Sequence[Axis]) -> tuple[float, str]:
    """The share of all parameters that lie on an axis that can be cut, and what holds most of the others."""
    able, total, held = set(free), 0, Counter[str]()
    for name, operation in state.net.params().items():
        if operation.payload and operation.payload.role == "parameter":
            count = int(np.prod(state.weights[name].shape))
            total += count
            lying = [axis for dim in coupling.dims[operation.targets[0]] for axis in axes(dim)]
            if not able.intersection(lying):
                held[holding(coupling, lying)] += count
    reason = held.most_common(1)[0][0] if held else ""
    return 1 - held.total() / total if total else 0.0, reason


def holding(coupling: Coupling, lying: Sequence[Axis]) -> str:
    """Why none of the axes of a weight can be cut, kernels and gates aside: the last reason is the most telling."""
    reasons = [coupling.pins[axis].reason for axis in lying if axis in coupling.pins]
    telling = [reason for reason in reasons if "window" not in reason and "input" not in reason]
    return (telling or reasons or ["all are of size 1"])[-1]


def _run(state: State, entry: Entry, batch: int) -> torch.Tensor:
    given = entry.arguments(batch)[1]
    names = [name for name, _ in state.net.inputs]
    return flat(rebuild(state)(*(given[name] for name in names)))


def flat(value: Any) -> torch.Tensor:
    """All floating tensors in an output, one after the other."""
    if isinstance(value, torch.Tensor):
        return value.reshape(-1).double() if value.is_floating_point() else value.new_zeros(0, dtype=torch.float64)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (tuple, list)) else ()
    return torch.cat([torch.zeros(0, dtype=torch.float64), *(flat(part) for part in parts)])


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference over the largest value."""
    if found.shape != expected.shape:
        return float("inf")
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30))


def awoken(entry: Entry, module: nn.Module) -> float:
    """How much another input changes the output, with real statistics in batch norms; at least one part in fifty.

    Weights are doubled until it is: without norms, the default initialisation lets signals fade with depth.
    """
    settle(entry, module)
    varies = 0.0
    for _ in range(8):
        with torch.no_grad():
            one, other = (flat(module(**entry.arguments(batch)[1])) for batch in (2, 3))
            size = other.numel() // 3
            varies = relative(one[:size], other[:size])
            if varies >= 0.02:
                return varies
            for parameter in module.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(2)
    return varies


def settle(entry: Entry, module: nn.Module) -> None:
    """Give batch norms the statistics of a batch, so that signals keep their size through the depth of the net."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    if norms:
        with torch.no_grad():
            module(**entry.arguments(4)[1])
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()


def randomised(module: nn.Module) -> nn.Module:
    """The module with norms, biases, statistics and anything that is constant drawn at random."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim <= 1 or parameter.numel() == parameter.shape[-1]:
                parameter.add_(noise * 0.1)
            elif (
                float(parameter.std()) < 1e-3 * max(1.0, float(parameter.abs().max()))
                or float(parameter.abs().max()) < 1e-4
            ):
                parameter.copy_(noise * 0.05)
    return module
