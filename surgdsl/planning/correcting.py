"""Correcting biases, resolved: which layers have a bias that can be moved, and what it is held against.

A layer without a bias has one in the batch norm that reads it. What a layer is held against is the wire of the input
model that it stands for; where that is not known, the layer is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from surgdsl.axis.dim import axes, kept, whole
from surgdsl.bridge.moments import NORM
from surgdsl.bridge.weight import State
from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Dense
from surgdsl.diagram.term import Given, Made, Term
from surgdsl.language.program import StepDecl
from surgdsl.planning.action import Resolved
from surgdsl.planning.arguments import data
from surgdsl.planning.known import Known
from surgdsl.planning.selecting import selected
from surgdsl.rules.ground import FLOATING
from surgdsl.surgery.correct_bias import PORTS, CorrectBias, Corrected, base, bias_of
from surgdsl.surgery.declared import RULE as DECLARED
from surgdsl.surgery.rewrite import term_of


def resolve(step: StepDecl, state: State, known: Known) -> Resolved:
    """One action for all meant layers whose bias, or that of the norm behind them, can be corrected."""
    operations = state.net.graph.operations
    layers = {name: one for name, one in operations.items() if one.name in PORTS and one.name != NORM}
    meant = selected(step, (one.path for one in layers.values()))
    found, left_alone = dict[str, Corrected](), list[str]()
    for name, one in layers.items():
        if one.path not in meant:
            continue
        carrier = _carrier(state.net, name)
        reason = _unfit(state, carrier) if carrier else "it has no bias, and no batch norm of its own behind it"
        held = _against(state, known, carrier) if carrier and not reason else None
        if carrier and isinstance(held, Corrected):
            found[carrier] = held
        else:
            left_alone.append(f"{one.path}: {reason or 'what it stands for in the input model is not known'}")
    if not found:
        return Resolved((), tuple(left_alone))
    rows, opened = data(step), known.rankings.opened
    action = CorrectBias(tuple(found.values()), rows, opened.start, partial(opened.rows, rows))
    return Resolved((action,), tuple(left_alone))


def _carrier(net: Net, name: str) -> str | None:
    """The operation whose bias is the layer's: itself, or the batch norm that alone reads it."""
    if bias_of(net, name) is not None:
        return name
    norm = _norm_behind(net, name)
    return norm if norm is not None and bias_of(net, norm) is not None else None


def _norm_behind(net: Net, name: str) -> str | None:
    """The batch norm that is all that reads a layer."""
    wire = net.graph.operations[name].targets[0]
    readers = net.graph.consumers[wire]
    alone = len(readers) == 1 and wire not in net.interface
    return readers[0] if alone and net.graph.operations[readers[0]].name == NORM else None


def _unfit(state: State, carrier: str) -> str:
    """Why the bias of an operation cannot be moved; empty where it can."""
    param = bias_of(state.net, carrier)
    assert param is not None
    weight = state.weights[param]
    plain = weight.encoding == Dense() and weight.dtype in FLOATING
    return "" if plain else f"`{base(state.net, param)}` is not stored as plain floats"


def _against(state: State, known: Known, carrier: str) -> Corrected | None:
    """What a layer is held against: the wire of the input model that it writes still, or took the place of."""
    operation, start = state.net.graph.operations[carrier], known.rankings.opened.start
    wire, param = operation.targets[0], bias_of(state.net, carrier)
    assert param is not None
    channels = PORTS[operation.name][1]
    now = state.net.sort(wire).shape[channels]
    origin = wire if wire in start.net.graph.wires else _origin(state, start.net, carrier)
    if origin is None:
        return None
    dim = known.rankings.coupling.dims[origin][channels]
    if whole(dim) == now:
        return Corrected(base(state.net, param), origin, None)
    left = kept(dim, {axis: np.array(known.left(axis), dtype=np.intp) for axis in axes(dim)})
    return Corrected(base(state.net, param), origin, tuple(map(int, left))) if len(left) == now else None


def _origin(state: State, start: Net, carrier: str) -> str | None:
    """The wire of the start that a layer took the place of, told from where its weights come from.

    They are weights of one layer of the start, changed by nothing but cuts and encodings; or of a layer and the batch
    norm behind it, folded into one.
    """
    names, remade = set[str](), False
    for source in state.net.graph.operations[carrier].sources[1:]:
        for maker in state.net.graph.producers[source]:
            for term in _below(term_of(state.net.graph.operations[maker])):
                names |= {term.name} if isinstance(term, Given) else set()
                remade |= isinstance(term, Made) and term.how == DECLARED
    layers = [name for name, one in start.graph.operations.items() if one.name in PORTS and _read(start, name) & names]
    for name in layers:
        norm = _norm_behind(start, name)
        if not remade and names <= _read(start, name):
            return start.graph.operations[name].targets[0]
        if norm is not None and layers == [name, norm] and names <= _read(start, name) | _read(start, norm):
            return start.graph.operations[norm].targets[0] if remade else None
    return None


def _read(net: Net, name: str) -> set[str]:
    """The names of the weights that an operation reads."""
    wires = net.graph.operations[name].sources
    return {base(net, maker) for wire in wires for maker in net.graph.producers[wire]} - {""}


def _below(term: Term) -> Iterator[Term]:
    """A term and all that it was made of."""
    yield term
    match term:
        case Made(reads=reads):
            for one in reads:
                yield from _below(one.term)
        case Given():
            return
        case _:
            yield from _below(term.of)
