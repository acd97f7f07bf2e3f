"""Quantizing, resolved: which weights a step stores in few bits, and how.

A weight that would take more bytes than before is left alone, and so is one that is quantized already. Forms decide
that, but for weights so small that their own codebook weighs as much as they do.
"""

from __future__ import annotations

from surgdsl.bridge.encoding import check_codable, coded_bytes, stored_bytes
from surgdsl.bridge.weight import State, Weight
from surgdsl.curvature.layer import layers
from surgdsl.diagram.payload import Dense, innermost
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import contradiction, data, needed, ratio, whole
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import weights
from surgdsl.surgery.recode import Quantize, param
from surgdsl.surgery.rounding import Making, Round
from surgdsl.surgery.solving import Solve


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One recoding for each meant weight that is not quantized and becomes smaller.

    Raises:
        Refusal: E0207, options that contradict each other; E0505, a weight that no code can stand for.
    """
    making = _making(step, known)
    actions, left_alone = list[Quantize](), list[str]()
    for base in weights(step, state):
        weight = state.weights[param(state, base)]
        action = _action(step.at(base), base)
        if not isinstance(innermost(weight.encoding), Dense):
            left_alone.append(f"{base}: already quantized")
        elif not weight.bare and not _saves(action, weight):
            own = "codebook" if action.scheme == "kmeans" else "scales"
            left_alone.append(f"{base}: its {own} would take more than is saved")
        else:
            actions.append(action)
            if making is not None and layers(state.net, param(state, base)) is None:
                told = "no layer multiplies what it reads with this weight alone"
                left_alone.append(f"{base}: rounded, and nothing makes up for it: {told}")
    if making is None or not actions:
        return Resolved(tuple(actions), tuple(left_alone))
    parts = tuple(Round(action, making.order, making.damping) for action in actions)
    return Resolved((Solve(making.method, parts, making.data, making.rows),), tuple(left_alone))


def _making(step: StepDecl, known: Known) -> Making | None:
    """How roundings are made up for, where they are."""
    if step.arguments["update"] == "none":
        if "calibrate" in step.arguments:
            raise contradiction(step, 'nothing looks at `calibrate` without `update = "obs"`')
        return None
    if "calibrate" not in step.arguments:
        raise needed(step, "calibrate", '`update = "obs"` looks at what layers read')
    order, name = str(step.arguments["order"]), data(step)
    assert order in ("activation", "given")
    return Making(order, float(ratio(step, "damping")), name, known.rankings.opened.rows(name))


def _saves(action: Quantize, weight: Weight) -> bool:
    check_codable(weight)
    before = stored_bytes(weight)
    return coded_bytes(weight, action.form) < before or stored_bytes(action.recode(weight)) < before


def _action(step: StepDecl, base: str) -> Quantize:
    bits, group, axis = whole(step, "bits"), whole(step, "group"), 0 if step.arguments["per"] == "channel" else -1
    scheme, clip = str(step.arguments["scheme"]), str(step.arguments["clip"])
    if scheme == "kmeans" and (group, axis, clip) != (0, 0, "range"):
        raise contradiction(step, "`per`, `group` and `clip` speak of scales, and a codebook has none")
    if scheme == "symmetric" and bits == 1:
        raise contradiction(step, "a symmetric grid of one bit has no code above zero; it takes 2bit or more")
    return Quantize(base, bits, scheme, axis, group, clip)
