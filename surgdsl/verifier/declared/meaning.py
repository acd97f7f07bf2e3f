"""What boxes compute, in float64: both sides of a rule at a random point, so that a rule that lies is seen here, too.

Of a kind that is not in the table, or of more work than LIMIT, nothing is said; then what speaks for it is attested.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surgdsl.verifier.arrays import Column, each, finite, ops, steps
from surgdsl.verifier.extent import Extent, symbols, value
from surgdsl.verifier.reject import need

LIMIT = 1 << 28  # multiply-accumulates of a box
ROUNDING = 2.0**-26  # of the largest element: what float64 may lose
Box = dict[str, Any]
Value = tuple[tuple[int, ...], Column]
"""A tensor: its shape, and its elements row-major."""
Point = dict[str, Value]
Weights = Mapping[str, Value]
Side = tuple[Mapping[str, Weights], Mapping[str, Any]]
"""The weights of each box, and its attributes."""


def conv(x: Value, weights: Weights, arguments: Mapping[str, Any]) -> Value:
    """Cross-correlation over the trailing dimensions, channels in groups: rows of windows times rows of the weight."""
    (n, channels, *space), (cout, ins, *spans) = x[0], weights["weight"][0]
    rank, groups = len(spans), int(arguments["groups"])
    padding, stride, dilation = (arguments[name] * (rank // len(arguments[name])) for name in GEOMETRY)
    wide = [size + 2 * more for size, more in zip(space, padding, strict=True)]
    made = [(w - d * (k - 1) - 1) // s + 1 for w, d, k, s in zip(wide, dilation, spans, stride, strict=True)]
    step, size, outs, places = steps((n, channels, *wide)), ins * math.prod(spans), cout // groups, math.prod(made)
    starts = zip((n, channels, *space), step, (0, 0, *padding), strict=True)
    inside = ops.places([(index + more) * far for index in range(extent)] for extent, far, more in starts)
    padded = ops.put(n * step[0], inside, x[1])
    across, within = ([by * far for by, far in zip(row, step[2:], strict=True)] for row in (stride, dilation))
    parts: list[Column] = []
    for group in range(groups):
        strides = (step[0], *across, step[1], *within)
        windows = ops.lay(padded, (n, *made, ins, *spans), strides, group * ins * step[1])
        parts.append(ops.dots(windows, weights["weight"][1][group * outs * size : (group + 1) * outs * size], size))
    found = ops.lay(ops.join(parts), (n, groups, outs, places), (places * outs, n * places * outs, 1, outs))
    return (n, cout, *made), each(operator.add, found, over((n, cout, places), weights["bias"]))


def over(shape: Sequence[int], weight: Value) -> Column:
    """A vector along the second dimension of a shape."""
    return ops.lay(weight[1], (shape[0], shape[1], math.prod(shape[2:])), (0, 1, 0))


def linear(x: Value, weights: Weights, _: Mapping[str, Any]) -> Value:
    """x·Wᵀ + b along the last dimension."""
    shape = (*x[0][:-1], weights["weight"][0][0])
    found = ops.dots(x[1], weights["weight"][1], x[0][-1])
    return shape, each(operator.add, found, over((math.prod(shape[:-1]), shape[-1]), weights["bias"]))


def batchnorm(x: Value, weights: Weights, arguments: Mapping[str, Any]) -> Value:
    """An affine map for each channel, the second dimension."""
    own = [over(x[0], weights[name]) for name in ("mean", "var", "gamma", "beta")]
    return x[0], each(normed(arguments), x[1], *own)


def layernorm(x: Value, weights: Weights, arguments: Mapping[str, Any]) -> Value:
    """The last dimension at mean 0 and variance 1, but for eps; then an affine map."""
    width, rows = x[0][-1], math.prod(x[0][:-1])
    mean = ops.lay(ops.fold("mean", x[1], width), (rows, width), (1, 0))
    squares = each(lambda x, mean: (x - mean) * (x - mean), x[1], mean)
    var = ops.lay(ops.fold("mean", squares, width), (rows, width), (1, 0))
    own = [over((rows, width), weights[name]) for name in ("gamma", "beta")]
    return x[0], each(normed(arguments), x[1], mean, var, *own)


def normed(arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """(x − mean)/√(var + eps)·gamma + beta."""
    eps = float.fromhex(arguments["eps"]["float"])

    def one(x: Any, mean: Any, var: Any, gamma: Any, beta: Any) -> Any:
        return ops.div(x - mean, ops.sqrt(var + eps)) * gamma + beta

    return one


def gelu(x: Value, _: Weights, arguments: Mapping[str, Any]) -> Value:
    """x·Φ(x), or the formula with tanh."""

    def smooth(x: Any) -> Any:
        cubic = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return ops.tanh(cubic) if arguments["approximate"] == "tanh" else ops.erf(x / math.sqrt(2))

    return x[0], each(lambda x: x / 2 * (1 + smooth(x)), x[1])


def sigmoid(x: Any) -> Any:
    """1/(1 + e^−x)."""
    return ops.div(1, 1 + ops.exp(-x))


def to_six(x: Any) -> Any:
    """x between 0 and 6."""
    return ops.where(x < 0, 0, ops.where(x > 6, 6, x))


def together(function: Callable[..., Any], *terms: Value) -> Value:
    """A function of two tensors, element by element, after broadcasting."""
    rank = max(len(shape) for shape, _ in terms)
    padded = [((1,) * (rank - len(shape)) + shape, values) for shape, values in terms]
    whole = tuple(max(extents) for extents in zip(*(shape for shape, _ in padded), strict=True))
    rows = [([step * (size > 1) for step, size in zip(steps(shape), shape, strict=True)], c) for shape, c in padded]
    return whole, each(function, *(ops.lay(values, whole, strides) for strides, values in rows))


GEOMETRY = ("padding", "stride", "dilation")
UNARY: dict[str, Callable[[Any], Any]] = {
    "identity": operator.pos, "dropout": operator.pos, "abs": abs, "neg": operator.neg, "exp": ops.exp,
    "sqrt": ops.sqrt, "tanh": ops.tanh, "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x),
    "relu": lambda x: ops.where(x > 0, x, 0), "relu6": to_six, "hardsigmoid": lambda x: to_six(x + 3) / 6,
    "hardswish": lambda x: x * to_six(x + 3) / 6, "mish": lambda x: x * ops.tanh(ops.log1p(ops.exp(x))),
}  # fmt: skip
BINARY = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": ops.div}
WEIGHED: dict[str, Callable[[Value, Weights, Mapping[str, Any]], Value]] = {
    **{f"conv{rank}d": conv for rank in (1, 2, 3)}, "batchnorm": batchnorm, "layernorm": layernorm,
    "gelu": gelu, "linear": linear,
}  # fmt: skip


def run(boxes: list[Box], weights: Mapping[str, Weights], attributes: Mapping[str, Any], given: Point) -> Point | None:
    """The values of all wires of a side; None when a box is not in the table, too large, or reads nothing."""
    found, left = dict(given), list(boxes)
    while left:
        box = next((box for box in left if found.keys() >= set(box["sources"])), None)
        value = None if box is None else compute(box, found, weights, attributes)
        if box is None or value is None or not finite(value[1]):
            return None
        found[box["targets"][0]] = value
        left.remove(box)
    return found


def compute(box: Box, at: Point, weights: Mapping[str, Weights], attributes: Mapping[str, Any]) -> Value | None:
    """The target of a box; None when it is not in the table or too large."""
    kind, sources = box["kind"], [at[wire] for wire in box["sources"]]
    own, arguments = weights[box["name"]], attributes[box["name"]]
    if kind in UNARY:
        return sources[0][0], each(UNARY[kind], sources[0][1])
    if kind in BINARY and arguments.get("alpha", 1) == 1:
        return together(BINARY[kind], *sources)
    shape = own["weight"][0] if "weight" in own else (0, 1)
    small = math.prod(sources[0][0]) // shape[1] * math.prod(shape) <= LIMIT
    return WEIGHED[kind](sources[0], own, arguments) if kind in WEIGHED and small else None


def point(d: dict[str, Any], shapes: Mapping[str, tuple[Extent, ...]], seed: str) -> Point:
    """Random values, small and large, for the wires of K that the rule only reads; symbols of their extents are 1.

    Large ones reach where functions such as relu6 bend; what agrees near zero only is not equal.
    """
    made, found = {wire for box in d["left"] for wire in box["targets"]}, Point()
    for number, (wire, shape) in enumerate(shapes.items()):
        if wire not in made:
            sizes = tuple(value(extent, dict.fromkeys(symbols(extent), 1)) for extent in shape)
            found[wire] = sizes, ops.normal(int(seed[:16], 16) + number, math.prod(sizes))
    return found


def compared(d: dict[str, Any], sides: tuple[Side, Side], given: Point, allowed: tuple[bool, float]) -> bool:
    """Whether both sides were computed at a point; V15 when they are then further apart than is allowed.

    Not at all when the rule is exact, but for what float64 loses; by a factor of the input when it has a bound.
    """
    exact, factor = allowed
    left, right = (run(d[at], *side, given) for at, side in zip(("left", "right"), sides, strict=True))
    if left is None or right is None:
        return False
    kept = {wire["name"] for wire in d["glue"]}  # inside, both sides may call different wires the same
    ends = [wire for box in d["left"] for wire in box["targets"] if wire in kept]
    for end in ends:
        most = ROUNDING * max(norm(left[end], "linf"), norm(right[end], "linf"))
        same = not exact or change(left[end], right[end], "linf") <= most
        need(same, "V15", f"the sides of `{d['name']}` differ: it is not exact")
    if "bound" in d:
        about = d["bound"]
        most = factor * norm(left[about["input"]], about["norm"]) * (1 + ROUNDING)
        found = change(left[about["output"]], right[about["output"]], about["norm"])
        need(found <= most, "V15", f"`{d['name']}` changes more than its bound allows")
    return True


def change(left: Value, right: Value, kind: str) -> float:
    """The norm of a difference; infinite between different shapes."""
    return norm(together(operator.sub, left, right), kind) if left[0] == right[0] else math.inf


def norm(value: Value, kind: str) -> float:
    """The l2 or the largest-element norm."""
    squares = sum(ops.dots(value[1], value[1], max(1, len(value[1])))) if kind == "l2" else 0
    return math.sqrt(squares) if kind == "l2" else ops.top(each(abs, value[1]))
