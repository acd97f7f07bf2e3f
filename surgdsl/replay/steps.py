"""Steps: what each of them does to the function, seen at random inputs, before and after.

A cut is compared with the net whose cut weights are zero (neutralise, then cut); an exact rule of the file with nothing
changed at all. Everything else changes the outputs, and how much is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from attrs import frozen

from surgdsl.replay.machine import TORCH, Tensors, run, weights, widened
from surgdsl.replay.opening import Opened
from surgdsl.verifier.extent import value
from surgdsl.verifier.net import Net
from surgdsl.verifier.replay import State

CUT = 2.0**-32
"""What float64 may lose in a cut, relative to the largest output: no weight was rounded."""
ROUNDED = 2.0**-12
"""What a rule may lose whose weights were rounded once to float32 or less, likewise."""
MOST = 1 << 28
"""Elements of an input that are drawn; what needs more is not run."""
CLASSES = 2
"""Integers at the boundary are drawn below the rows of the smallest table that is looked up; without one below this."""


@frozen
class Seen:
    """One step, run: how far the outputs after are from those before, relative to the largest, and what that means.

    `verdict` is "equal", "differs" (it ought to be equal), "changes" (by how much nobody promised) or "not run".
    """

    index: int
    step: str
    rule: str
    verdict: str
    difference: float
    reason: str = ""


def seen(opened: Opened, seed: int, sizes: Mapping[str, int]) -> list[Seen]:
    """Run every step at random inputs of one binding of the symbols, in float64."""
    found: list[Seen] = []
    for index, (raw, row, before, after) in enumerate(opened.states()):
        held = widened(weights(before.net, opened.ledger.load))
        if row.rule == "prune-channels/1":
            neutralise(raw, held)
        try:
            inputs = drawn(before.net, seed + index, sizes)
            old = run(before.net, held, inputs, sizes, wide=True)
            new = run(after.net, widened(weights(after.net, opened.ledger.load)), inputs, sizes, wide=True)
        except (RuntimeError, IndexError, ValueError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:200]
            found.append(Seen(index, row.step, row.rule, "not run", math.nan, reason))
            continue
        distance = relative(old, new)
        found.append(Seen(index, row.step, row.rule, judged(row.rule, row.grade, distance), distance))
    return found


def judged(rule: str, grade: str, distance: float) -> str:
    """What a difference of the outputs means for a step of such a rule."""
    if math.isnan(distance):
        return "not run"
    if rule == "prune-channels/1":
        return "equal" if distance <= CUT else "differs"
    if rule.startswith("rule/1") and grade == "exact":
        return "equal" if distance <= ROUNDED else "differs"
    return "equal" if distance == 0 else "changes"


def neutralise(raw: dict[str, Any], held: Tensors) -> None:
    """Set to zero what a cut takes from the weights of a net, in place of the tensors that are held."""
    wires, lists = dict(map(tuple, raw["match"]["wires"])), raw["arguments"]["indices"]
    for local, dim, number in raw["arguments"]["kept"]:
        wire = wires[local]
        if wire in held:
            lives = torch.isin(torch.arange(list(held[wire].shape)[int(dim)]), torch.tensor(lists[number]))
            shape = [-1 if at == dim else 1 for at in range(held[wire].dim())]
            held[wire] = torch.where(lives.reshape(shape), held[wire], torch.zeros((), dtype=held[wire].dtype))


def drawn(net: Net, seed: int, sizes: Mapping[str, int]) -> Tensors:
    """Inputs at random: floats standard normal, in float64; integers that tables have rows for; truth values."""
    chance = torch.Generator().manual_seed(seed)
    tables = [net.wires[op.sources[0]].shape[0] for op in net.operations.values() if "embedding" in op.name]
    below = min((value(extent, sizes) for extent in tables), default=CLASSES)
    found: Tensors = {}
    for name, wire in net.inputs:
        sort = net.wires[wire]
        shape = [value(extent, sizes) for extent in sort.shape]
        if math.prod(shape) > MOST:
            raise ValueError(f"the input {name} has more than {MOST} elements")
        if TORCH[sort.dtype].is_floating_point:
            found[name] = torch.randn(shape, generator=chance, dtype=torch.float64)
        else:
            most = 2 if sort.dtype == "BOOL" else below
            found[name] = torch.randint(0, most, shape, generator=chance).to(TORCH[sort.dtype])
    return found


def relative(old: list[torch.Tensor], new: list[torch.Tensor]) -> float:
    """The largest difference of two lists of outputs, relative to the largest number of the first; nan without any."""
    largest = max((float(one.double().abs().max()) for one in old if one.numel()), default=math.nan)
    pairs = [(a.double(), b.double()) for a, b in zip(old, new, strict=True) if a.numel()]
    distance = max((float((a - b).abs().max()) for a, b in pairs), default=math.nan)
    return 0.0 if distance == 0 else distance / largest if largest else math.inf


def sizes_of(opened: Opened, times: int) -> dict[str, int]:
    """A binding for running: the certificate's, every symbol times so many."""
    return {symbol: number * times for symbol, number in opened.predicate["binding"]}


def last(opened: Opened) -> State:
    """The state after all steps."""
    states = [after for _, _, _, after in opened.states()]
    return states[-1] if states else opened.first
