"""Bias correction: what a layer gives on the average is moved back to what it gave in the input model.

Rounding and cutting shift the mean of every output (Nagel et al. 2019, section 4.2; Banner et al. 2019, section 4); a
bias takes such a shift away at no cost. Layers are corrected one after the other, each on what the corrected ones
before it give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.bridge.moments import means
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.diagram.hypergraph import topological
from surgdsl.diagram.net import Net
from surgdsl.surgery.adjusting import Account, adjust, stated
from surgdsl.surgery.recalibrate import rewritten
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard

PORTS: Mapping[str, tuple[int, int]] = {
    "aten.linear.default": (2, -1), "aten.conv1d.default": (2, 1), "aten.conv2d.default": (2, 1),
    "aten.conv3d.default": (2, 1), "aten.batch_norm.default": (2, 1),
}  # fmt: skip
"""Operations that add a bias: its place among the sources, and the dimension of the channels of the target."""


@frozen
class Corrected:
    """A bias by its name, the wire of the input model whose mean is wanted, and which of its channels are left."""

    bias: str
    wire: str
    left: tuple[int, ...] | None


@frozen
class CorrectBias:
    """Subtract from each bias the mean error of its layer against the input model, on the rows of `data`."""

    biases: tuple[Corrected, ...]
    data: str
    start: State = field(eq=False, repr=False)
    rows: Callable[[], Rows] = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        many = len(self.biases) > 1
        return f"{len(self.biases)} bias{'es' * many} corrected by the mean error on {self.data}"

    @property
    def _method(self) -> str:
        return "mean error of each layer against the input model, layer after layer"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """The same biases in their place: their values are not known yet."""
        names = [adding(state.net, one.bias)[1] for one in self.biases]
        kept = {name: state.weights[name] for name in names}
        yield adjust(state, kept, Account(self._method, self.data), number, step)

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Correct, with a pass over the rows for the input model and one for each layer, up to where it stands.

        Raises:
            Refusal: E0506, what a layer gives is not finite.
        """
        rows, changed = self.rows(), state
        before = self._wanted(rows)
        order = {name: place for place, name in enumerate(topological(state.net.graph))}
        weights, figures = dict[str, Weight](), {"rows": stated(len(rows))}
        for one in sorted(self.biases, key=lambda one: order[adding(state.net, one.bias)[0]]):
            heard(one.bias)
            layer, param = adding(state.net, one.bias)
            operation = state.net.graph.operations[layer]
            wire = operation.targets[0]
            error = means(changed, rows, {wire: PORTS[operation.name][1]})[wire] - before[one.bias]
            old = state.weights[param].parts["values"].astype(np.float64)
            weights[param] = rewritten(state.weights[param], old - error, state.net, param)
            figures[f"{one.bias}.error"] = stated(float(np.sqrt(np.mean(error**2))))
            changed = evolve(changed, weights={**changed.weights, param: weights[param]})
        yield adjust(state, weights, Account(self._method, self.data, figures), number, step)

    def _wanted(self, rows: Rows) -> Mapping[str, Array]:
        """By bias, the means that its layer had in the input model, of the channels that are left."""
        graph = self.start.net.graph
        sides = {one.wire: PORTS[graph.operations[graph.producers[one.wire][0]].name][1] for one in self.biases}
        found = means(self.start, rows, sides)
        return {
            one.bias: found[one.wire] if one.left is None else found[one.wire][np.array(one.left)]
            for one in self.biases
        }


def adding(net: Net, bias: str) -> tuple[str, str]:
    """The operation that adds the bias of this name, and the param that holds it.

    Raises:
        KeyError: there is none.
    """
    for name, operation in net.graph.operations.items():
        param = bias_of(net, name)
        if operation.name in PORTS and param is not None and base(net, param) == bias:
            return name, param
    raise KeyError(bias)


def bias_of(net: Net, name: str) -> str | None:
    """The param of the bias of an operation, if it has one that nothing else reads."""
    operation = net.graph.operations[name]
    if operation.name not in PORTS or any(key == "bias" and value is None for key, value in operation.attributes):
        return None
    place = PORTS[operation.name][0] - any(key == "weight" and value is None for key, value in operation.attributes)
    wire = operation.sources[place]
    makers = net.graph.producers[wire]
    return makers[0] if makers and base(net, makers[0]) and len(net.graph.consumers[wire]) == 1 else None


def base(net: Net, name: str) -> str:
    """The name of a weight; empty where the operation is none."""
    payload = net.graph.operations[name].payload
    return payload.base if payload else ""
