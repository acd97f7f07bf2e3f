"""Factoring, resolved: which weights a step writes as products, of which ranks, and by which rules of the library.

Only where that takes fewer weights: what would not is left alone, and so is what the rules say nothing of.
"""

from __future__ import annotations

import math
from fractions import Fraction

from surgdsl.bridge.weight import State
from surgdsl.curvature.layer import Layer, layers
from surgdsl.curvature.lowrank import rank_for, saves
from surgdsl.curvature.tucker import ranks_for, size
from surgdsl.diagram.payload import Dense
from surgdsl.language.program import StepDecl
from surgdsl.language.rules import standard
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import contradiction, data, ratio, whole
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import weights
from surgdsl.rules.ground import FLOATING
from surgdsl.surgery.declared import Apply
from surgdsl.surgery.lowering import Lower, Product
from surgdsl.surgery.recode import param

KERNEL = "aten.conv2d.default"


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One product for each meant weight that has fewer weights then.

    Raises:
        Refusal: E0207, neither a rank nor a share is given, or both.
    """
    products, left_alone = list[Product](), list[str]()
    for base in weights(step, state):
        found = _product(step.at(base), base, state)
        if isinstance(found, Product):
            products.append(found)
        else:
            left_alone.append(f"{base}: {found}")
    if "calibrate" not in step.arguments or not products:
        return Resolved(tuple(products), tuple(left_alone))
    name = data(step)
    return Resolved((Lower(tuple(products), name, known.rankings.opened.rows(name)),), tuple(left_alone))


def _product(step: StepDecl, base: str, state: State) -> Product | str:
    """What becomes of a weight, or why it is left alone."""
    if ("rank" in step.arguments) == ("keep" in step.arguments):
        raise contradiction(
            step, "either `rank` says how large the factors are, or `keep` which share of the weights stays"
        )
    name = param(state, base)
    weight, found = state.weights[name], layers(state.net, name)
    if found is None or len(found) != 1:
        return "no layer multiplies what it reads with this weight alone"
    if weight.encoding != Dense() or weight.dtype not in FLOATING:
        return "it is not stored as plain numbers"
    (layer,) = found
    if layer.window and (layer.groups != 1 or state.net.graph.operations[layer.name].name != KERNEL):
        return "the library has no product for this kind of convolution"
    if step.arguments.get("keep") == 1:
        return "all of its weights stay"
    outputs, inputs = _ranks(step, layer)
    rules = _rules(layer, outputs, inputs, state)
    if not rules:
        return f"of rank {outputs} it would take no fewer weights"
    return Product(base, outputs, inputs, rules)


def _ranks(step: StepDecl, layer: Layer) -> tuple[int, int]:
    """Over outputs and over input channels; full where that side stays as it is."""
    wide, channels, positions = _shape(layer)
    if "rank" in step.arguments:
        rank = whole(step, "rank")
        return min(rank, wide), min(rank, channels) if positions > 1 else channels
    share = ratio(step, "keep")
    if positions == 1:
        return min(rank_for(wide, channels, float(share)), wide), channels
    return ranks_for((wide, channels, positions), math.floor(share * Fraction(wide * channels * positions)))


def _shape(layer: Layer) -> tuple[int, int, int]:
    return layer.shape[0], layer.shape[1], math.prod(layer.shape[2:])


def _rules(layer: Layer, outputs: int, inputs: int, state: State) -> tuple[Apply, ...]:
    """The applications that write a layer with these ranks; none where that takes as many weights as before."""
    path = state.net.graph.operations[layer.name].path
    wide, channels, positions = _shape(layer)
    if not layer.window:
        return (_apply("factor", 0, outputs, path),) if saves(wide, channels, outputs) else ()
    if positions == 1:
        return (_apply("factor", 1, outputs, path),) if saves(wide, channels, outputs) else ()
    if size((wide, channels, positions), outputs, inputs) >= wide * channels * positions:
        return ()
    split = (_apply("factor_outputs", 0, outputs, path),) if outputs < wide else ()
    return (*split, _apply("factor_inputs", 0, inputs, path)) if inputs < channels else split


def _apply(rule: str, alternative: int, rank: int, path: str) -> Apply:
    schema = standard(f"std.rules.{rule}")[alternative]
    return Apply(schema, (("r", rank),), (path,), f"{schema.name} at {path}")
