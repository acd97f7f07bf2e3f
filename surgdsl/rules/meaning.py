"""Meanings: what boxes compute, in exact numbers, for testing whether two sides of a rule are the same function.

Affine boxes are computed as polynomials in their inputs and weights. Every other one is a random function that gives
equal answers to equal questions: two sides that agree for all functions agree for the one that is meant. Piecewise
linear ones are computed where numbers have an order.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from attrs import frozen

from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.formula.fields import PRIME, Field, Residues
from surgdsl.formula.tensor import Values
from surgdsl.operations.signature import integer, integers
from surgdsl.rules.instances import Placed

Ports = Mapping[str, Values]
"""The weights of a box by name; those that are absent read as their neutral element."""


@frozen
class Interpretation:
    """Boxes over a field of numbers; `ordered` says whether piecewise linear functions are computed."""

    field: Field
    seed: int
    ordered: bool

    def number(self, value: object) -> Values:
        """A number of the field, as an array without dimensions."""
        assert isinstance(value, int | float)
        return self.array(self.field.number(Fraction(value)))

    def array(self, values: object) -> Values:
        """Numbers of the field as an array."""
        return np.asarray(values, dtype=self.field.dtype)

    def reduced(self, values: Values) -> Values:
        """Sums and products of numbers of the field as its numbers again."""
        return values % PRIME if isinstance(self.field, Residues) else values

    def oracle(self, question: str) -> Any:
        """A random number, the same for the same question."""
        text = hashlib.sha256(f"{self.seed}:{question}".encode()).digest()
        return self.field.number(Fraction(int.from_bytes(text[:12]) - 2**95, 1 if not self.ordered else 2**80))

    def compute(self, placed: Placed, wires: Mapping[str, Values], sorts: Mapping[str, Sort]) -> dict[str, Values]:
        """The values that a box writes, by wire."""
        data = [wires[wire] for wire in placed.box.sources]
        shapes = [tuple(int(str(size)) for size in sorts[wire].shape) for wire in placed.box.targets]
        meaning = MEANINGS.get(placed.operation.name, _unknown)
        if placed.operation.name in PIECEWISE:
            meaning = _piecewise if self.ordered else _elementwise
        ports = {tensor.name: _held(self, wires, placed, tensor.name) for tensor in placed.box.kind.tensors}
        found = meaning(self, placed.operation, data, ports, shapes)
        return dict(zip(placed.box.targets, found, strict=True))


def _held(inside: Interpretation, wires: Mapping[str, Values], placed: Placed, name: str) -> Values:
    if name in placed.tensors:
        return wires[f"{placed.box.name}.{name}"]
    tensor = placed.box.kind.tensor(name)
    return np.array(
        inside.number(0 if tensor is None or tensor.absent is None else tensor.absent), dtype=inside.field.dtype
    )


Shapes = Sequence[tuple[int, ...]]
Meaning = Callable[[Interpretation, Operation, Sequence[Values], Ports, Shapes], Sequence[Values]]


def _linear(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del one
    made = np.tensordot(data[0], ports["weight"], axes=([-1], [1])) + ports["bias"]
    return [inside.reduced(made.reshape(shapes[0]))]


def _convolution(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    (x,), weight = data, ports["weight"]
    rank, groups = weight.ndim - 2, integer(one, "groups")
    stride, padding, dilation = (integers(one, name, rank) for name in ("stride", "padding", "dilation"))
    padded = np.full(
        (*x.shape[:2], *(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))),
        inside.number(0),
        dtype=inside.field.dtype,
    )
    padded[(..., *(slice(p, p + n) for n, p in zip(x.shape[2:], padding, strict=True)))] = x
    out = shapes[0]
    made = np.full(out, inside.number(0), dtype=inside.field.dtype)
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    for tap in itertools.product(*map(range, weight.shape[2:])):
        window = padded[
            (
                ...,
                *(
                    slice(t * d, t * d + s * (n - 1) + 1, s)
                    for t, d, s, n in zip(tap, dilation, stride, out[2:], strict=True)
                ),
            )
        ]
        for group in range(groups):
            rows = slice(group * filters, (group + 1) * filters)
            seen = window[:, group * channels : (group + 1) * channels]
            part = np.tensordot(weight[(rows, slice(None), *tap)], seen, axes=([1], [1]))
            made[:, rows] = made[:, rows] + np.moveaxis(part, 0, 1)
    return [inside.reduced(made + _along(ports["bias"], 1, made.ndim))]


def _along(values: Values, axis: int, rank: int) -> Values:
    return values.reshape([-1 if at == axis else 1 for at in range(rank)]) if values.ndim else values


def _batch_norm(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del shapes
    (x,), field = data, inside.field
    spread = {name: _along(values, 1, x.ndim) for name, values in ports.items()}
    epsilon = inside.number(one.attribute("eps"))
    root = field.apply("sqrt", field.apply("add", spread["var"], epsilon))
    scaled = field.apply("mul", field.apply("sub", x, spread["mean"]), spread["gamma"])
    return [field.apply("add", field.apply("div", scaled, root), spread["beta"])]


def _layer_norm(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    (x,) = data
    rows = x.reshape(-1, x.shape[-1])
    made = np.array(
        [_asked(inside, f"normalised {one.attribute('eps')}", [row], (len(row),)) for row in rows], dtype=object
    )
    return [inside.reduced(made.reshape(shapes[0]) * ports["gamma"] + ports["beta"])]


def _group_norm(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    (x,), kind = data, f"grouped {one.attribute('num_groups')} {one.attribute('eps')}"
    made = np.array([_asked(inside, kind, [sample], sample.shape) for sample in x], dtype=inside.field.dtype).reshape(
        shapes[0]
    )
    return [inside.reduced(made * _along(ports["gamma"], 1, x.ndim) + _along(ports["beta"], 1, x.ndim))]


def _embedding(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del inside, one
    rows = np.asarray(data[0] % len(ports["weight"]), dtype=np.intp)
    return [ports["weight"][rows].reshape(shapes[0])]


def _arithmetic(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del ports
    given = dict(one.attributes)
    left, right = (
        data[0],
        data[1] if len(data) > 1 else inside.number(given["other"]),
    )
    if "alpha" in given:
        right = inside.field.apply("mul", right, inside.number(given["alpha"]))
    made = inside.field.apply(one.name.split(".")[1], left, right)
    return [np.asarray(made).reshape(shapes[0])]


def _negative(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del one, ports, shapes
    return [inside.field.apply("neg", data[0])]


def _same(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    """What moves nothing, or merges dimensions row-major."""
    del inside, one, ports
    return [data[0].reshape(shapes[0])]


def _permuted(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del inside, ports, shapes
    return [data[0].transpose([place % data[0].ndim for place in integers(one, "dims")])]


def _elementwise(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del ports, shapes
    kind = _spelled(one)
    function = np.frompyfunc(lambda value: inside.oracle(f"{kind} {value}"), 1, 1)
    return [inside.array(function(data[0]))]


def _unknown(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    """A random function of everything that goes in."""
    questions = [*data, *(values for _, values in sorted(ports.items()))]
    return [_asked(inside, f"{at} {_spelled(one)}", questions, shape) for at, shape in enumerate(shapes)]


def _asked(inside: Interpretation, kind: str, data: Sequence[Values], shape: tuple[int, ...]) -> Values:
    question = ";".join(f"{values.shape}{','.join(map(str, values.ravel()))}" for values in data)
    asked = hashlib.sha256(f"{kind}{question}".encode()).hexdigest()
    made = np.empty(int(np.prod(shape, dtype=np.int64)), dtype=inside.field.dtype)
    for at in range(made.size):
        made[at] = inside.oracle(f"{asked} {at}")
    return made.reshape(shape)


def _spelled(one: Operation) -> str:
    return f"{one.name} {[pair for pair in one.attributes if not isinstance(pair[1], Tensors)]}"


def _piecewise(
    inside: Interpretation, one: Operation, data: Sequence[Values], ports: Ports, shapes: Shapes
) -> Sequence[Values]:
    del ports, shapes
    shape = PIECEWISE[one.name]
    slope = dict(one.attributes).get("negative_slope", 0)
    assert isinstance(slope, int | float)
    return [inside.array(np.frompyfunc(lambda value: shape(value, Fraction(slope)), 1, 1)(data[0]))]


ZERO, SIX = Fraction(0), Fraction(6)
PIECEWISE: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "aten.relu.default": lambda x, _: max(x, ZERO),
    "aten.relu6.default": lambda x, _: min(max(x, ZERO), SIX),
    "aten.abs.default": lambda x, _: abs(x),
    "aten.leaky_relu.default": lambda x, slope: x if x > 0 else x * slope,
}
"""Piecewise linear functions, exactly."""

ELEMENTWISE = ("exp", "sqrt", "sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid", "gelu")
MEANINGS: Mapping[str, Meaning] = {
    "aten.linear.default": _linear,
    **{f"aten.conv{rank}d.default": _convolution for rank in (1, 2, 3)},
    "aten.batch_norm.default": _batch_norm,
    "aten.layer_norm.default": _layer_norm,
    "aten.group_norm.default": _group_norm,
    "aten.embedding.default": _embedding,
    **{f"aten.{name}.Tensor": _arithmetic for name in ("add", "sub", "mul", "div")},
    "aten.neg.default": _negative,
    "aten.dropout.default": _same,
    "aten.alias.default": _same,
    "aten.clone.default": _same,
    "aten.contiguous.default": _same,
    "aten.detach.default": _same,
    "aten.flatten.using_ints": _same,
    "aten.view.default": _same,
    "aten.reshape.default": _same,
    "aten.permute.default": _permuted,
    **{f"aten.{name}.default": _elementwise for name in ELEMENTWISE},
}
"""What is known of operators; all others are random functions of everything that goes in."""

RANDOM = (_elementwise, _layer_norm, _group_norm)
COMPUTED = frozenset((*PIECEWISE, *(name for name, meaning in MEANINGS.items() if meaning not in RANDOM)))
"""Operators whose values are computed where numbers have an order, and not drawn at random."""
