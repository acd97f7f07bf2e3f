"""Folding: a frozen batch norm disappears into the convolution or linear map that feeds it.

Exact in real arithmetic: (W·x + b − μ)·s + β with s = γ/√(σ² + ε) is (W·s)·x + (b − μ)·s + β. Computed in float64,
element by element, and rounded once, so that anyone can recompute the bytes.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from surgdsl.bridge.encoding import dense
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Made, along, made
from surgdsl.surgery.rewrite import Replacement, Rewrite, around, created, derived, replace, term_of

RULE = "fold-batchnorm/1"
NORM = "aten.batch_norm.default"
MAPS = ("aten.linear.default", "aten.conv1d.default", "aten.conv2d.default", "aten.conv3d.default")
STATISTICS = ("weight", "bias", "running_mean", "running_var")


@frozen
class Fold:
    """Fold the batch norm called at `norm` into the map called at `layer`."""

    layer: str
    norm: str

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.norm} into {self.layer}"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Fold in `state`.

        Raises:
            KeyError: there is no such pair.
        """
        site = {(site.layer, site.norm): site for site in sites(state)}[self.layer, self.norm]
        derivation, after = replace(state, RULE, site.replacement(state), number)
        return Rewrite(RULE, step, "reduce", "params/1", {}, self.note, derivation, state, after)


@frozen
class Site:
    """A place where folding is possible: the operations by name, `None` for tensors that are absent."""

    layer: str
    norm: str
    linear: str
    weight: str
    bias: str | None
    batch_norm: str
    tensors: tuple[str | None, ...]

    def replacement(self, state: State) -> Replacement:
        """The map with its new weight and bias in place of both."""
        graph = state.net.graph
        names = tuple(name for name in (self.weight, self.bias, *self.tensors, self.linear, self.batch_norm) if name)
        left = around(state, names)
        old, norm, param = (
            graph.operations[self.linear],
            graph.operations[self.batch_norm],
            graph.operations[self.weight],
        )
        ends = (old.sources[0], norm.targets[0])
        weight, bias = self._values(state, norm)
        assert param.payload is not None
        base = param.payload.base.removesuffix("weight") + "bias"
        old_bias = graph.operations[self.bias].payload if self.bias else None
        term = self._term(state, (self.bias, *self.tensors), (0,))
        payload = evolve(old_bias, term=term) if old_bias else Payload(base, "parameter", Dense(), term)
        every = tuple(range(len(weight.shape)))
        new = {
            created(self.weight): evolve(
                param,
                targets=("weight+",),
                payload=derived(param, weight, self._term(state, (self.weight, *self.tensors), every)),
            ),
            "bias": Operation(PARAM, (), ("bias+",), (), payload, param.path),
            created(self.linear): evolve(
                old,
                sources=(ends[0], "weight+", "bias+"),
                targets=(ends[1],),
                attributes=tuple(item for item in old.attributes if item[0] != "bias"),
            ),
        }
        wires = {"weight+": state.net.sort(param.targets[0]), "bias+": Sort("F32", (weight.shape[0],))}
        glue = Hypergraph({wire: sort for wire, sort in left.wires.items() if wire in ends})
        return Replacement(left, glue, wires, new, {created(self.weight): weight, "bias": bias})

    def _term(self, state: State, tensors: tuple[str | None, ...], natural: tuple[int, ...]) -> Made:
        """Where the new weight, or the new bias, comes from: every element from those of the same index alone."""
        epsilon = state.net.graph.operations[self.batch_norm].attribute("eps")
        reads = tuple(
            along(term_of(state.net.graph.operations[name]), *range(len(state.weights[name].shape)))
            for name in tensors
            if name
        )
        given = "".join("0" if name is None else "1" for name in tensors)
        made_of = "weight" if tensors[0] == self.weight else "bias"
        return made(RULE, reads, {"eps": repr(epsilon), "given": given, "tensor": made_of}, natural)

    def _values(self, state: State, norm: Operation) -> tuple[Weight, Weight]:
        """The new weight and the new bias."""
        old = state.weights[self.weight]
        if old.bare:
            return old, Weight(Dense(), "F32", old.shape[:1], {})

        def read(name: str | None, default: float) -> Array:
            if name is None:
                return np.full(channels, default)
            return state.weights[name].parts["values"].astype(np.float64)

        weight = state.weights[self.weight].parts["values"].astype(np.float64)
        channels = len(weight)
        gamma, beta, mean, variance = (
            read(name, default) for name, default in zip(self.tensors, (1.0, 0.0, 0.0, 1.0), strict=True)
        )
        epsilon = norm.attribute("eps")
        assert isinstance(epsilon, float)
        scale = gamma / np.sqrt(variance + epsilon)
        shifted = (read(self.bias, 0.0) - mean) * scale + beta
        scaled = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
        return dense(scaled.astype(np.float32)), dense(shifted.astype(np.float32))


def sites(state: State) -> tuple[Site, ...]:
    """Every frozen batch norm over the outputs of a map that it alone reads, with weights that nothing else reads."""
    found = (_site(state, name) for name, operation in state.net.graph.operations.items() if operation.name == NORM)
    return tuple(site for site in found if site is not None)


def _site(state: State, name: str) -> Site | None:
    graph = state.net.graph
    norm = graph.operations[name]
    makers = graph.producers[norm.sources[0]]
    if len(makers) != 1 or graph.operations[makers[0]].name not in MAPS:
        return None
    linear = graph.operations[makers[0]]
    given = [key for key in STATISTICS if key not in dict(norm.attributes)]
    frozen = norm.attribute("training") is False and {"running_mean", "running_var"} <= set(given)
    if not (frozen and _over_outputs(state, linear) and _private(state, linear, norm)):
        return None
    tensors = dict(zip(given, (graph.producers[wire][0] for wire in norm.sources[1:]), strict=True))
    params = [graph.producers[wire][0] for wire in linear.sources[1:]]
    return Site(
        linear.path,
        norm.path,
        makers[0],
        params[0],
        params[1] if len(params) > 1 else None,
        name,
        tuple(map(tensors.get, STATISTICS)),
    )


def _over_outputs(state: State, linear: Operation) -> bool:
    """Whether dimension 1, which a batch norm works over, is the one that the map writes.

    It is not where a linear map has more than one row a sample, or a convolution no batch.
    """
    x, weight = state.net.sort(linear.sources[0]), state.net.sort(linear.sources[1])
    return len(x.shape) == len(weight.shape)


def _private(state: State, linear: Operation, norm: Operation) -> bool:
    """Whether nothing else sees what would go: one reader each, no interface, own weights, dense and in F32."""
    graph = state.net.graph
    tensors = (*linear.sources[1:], *norm.sources[1:])
    inside = (norm.sources[0], *tensors)
    if any(len(graph.consumers[wire]) != 1 or wire in state.net.interface for wire in inside):
        return False
    own = {maker for wire in tensors for maker in graph.producers[wire]}
    return len(own) == len(tensors) and all(
        name in state.weights and state.weights[name].encoding == Dense() and state.weights[name].dtype == "F32"
        for name in own
    )
