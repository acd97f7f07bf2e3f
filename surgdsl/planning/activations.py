"""Quantizing activations, resolved: which layers read through a grid.

Where the range of a grid lies is measured when the step runs; which operations there are is a matter of form alone.
"""

from __future__ import annotations

from functools import partial

from surgdsl.bridge.weight import State
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import data, ratio, whole
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import selected
from surgdsl.surgery.fake_quantize import FakeQuantize, base, through_grid


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One action for all meant layers that do not read through a grid yet."""
    net, rows = state.net, data(step)
    layers = {name: operation for name, operation in net.graph.operations.items() if base(net, name)}
    meant = selected(step, (operation.path for operation in layers.values()))
    bases, left_alone = list[str](), list[str]()
    for name, operation in layers.items():
        if operation.path not in meant:
            continue
        dtype = net.sort(operation.sources[0]).dtype
        if through_grid(net, operation.sources[0]):
            left_alone.append(f"{operation.path}: what it reads is quantized already")
        elif dtype != "F32":
            left_alone.append(f"{operation.path}: it reads {dtype.lower()}, and grids are of f32")
        else:
            bases.append(base(net, name))
    if not bases:
        return Resolved((), tuple(left_alone))
    read = partial(known.rankings.opened.rows, rows)
    action = FakeQuantize(
        tuple(dict.fromkeys(bases)), whole(step, "bits"), str(step.arguments["range"]), ratio(step, "share"), rows, read
    )
    return Resolved((action,), tuple(left_alone))
