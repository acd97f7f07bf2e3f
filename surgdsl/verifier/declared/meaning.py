"""What boxes compute, in float64: both sides of a rule at a random point, so that a rule that lies is seen here, too.

Of a kind that is not in the table, or of more work than LIMIT, nothing is said; then what speaks for it is attested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from surgdsl.verifier.content import Array
from surgdsl.verifier.extent import Extent, symbols, value
from surgdsl.verifier.reject import need

LIMIT = 1 << 28  # multiply-accumulates of a box
ROUNDING = 2.0**-26  # of the largest element: what float64 may lose
Box = dict[str, Any]
Point = dict[str, Array]
Weights = Mapping[str, Array]
Side = tuple[Mapping[str, Weights], Mapping[str, Any]]
"""The weights of each box, and its attributes."""


def conv(x: Array, weights: Weights, arguments: Mapping[str, Any]) -> Array:
    """Cross-correlation over the trailing dimensions, channels in groups."""
    weight, groups = weights["weight"], int(arguments["groups"])
    rank, outs, ins = weight.ndim - 2, len(weight) // groups, weight.shape[1]
    padding, stride, dilation = (arguments[name] * (rank // len(arguments[name])) for name in GEOMETRY)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    windows = sliding_window_view(padded, spans, axis=tuple(range(2, rank + 2)))
    windows = windows[(slice(None), slice(None), *(slice(None, None, step) for step in (*stride, *dilation)))]
    axes = [1, *range(rank + 2, 2 * rank + 2)], [1, *range(2, rank + 2)]
    parts = [
        np.tensordot(windows[:, at * ins : (at + 1) * ins], weight[at * outs : (at + 1) * outs], axes)
        for at in range(groups)
    ]
    return np.moveaxis(np.concatenate(parts, axis=-1) + weights["bias"], -1, 1)


def batchnorm(x: Array, weights: Weights, arguments: Mapping[str, Any]) -> Array:
    """An affine map for each channel, the second dimension."""
    gamma, beta, mean, var = (
        weights[name].reshape(-1, *[1] * (x.ndim - 2)) for name in ("gamma", "beta", "mean", "var")
    )
    return (x - mean) / np.sqrt(var + float.fromhex(arguments["eps"]["float"])) * gamma + beta


def layernorm(x: Array, weights: Weights, arguments: Mapping[str, Any]) -> Array:
    """The last dimension at mean 0 and variance 1, but for eps; then an affine map."""
    root = np.sqrt(x.var(-1, keepdims=True) + float.fromhex(arguments["eps"]["float"]))
    return (x - x.mean(-1, keepdims=True)) / root * weights["gamma"] + weights["beta"]


def gelu(x: Array, _: Weights, arguments: Mapping[str, Any]) -> Array:
    """x·Φ(x), or the formula with tanh."""
    smooth = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return x / 2 * (1 + (smooth if arguments["approximate"] == "tanh" else np.vectorize(math.erf)(x / math.sqrt(2))))


def sigmoid(x: Array) -> Array:
    """1/(1 + e^−x)."""
    return 1 / (1 + np.exp(-x))


GEOMETRY = ("padding", "stride", "dilation")
UNARY: dict[str, Callable[[Array], Array]] = {
    "identity": np.positive, "dropout": np.positive, "abs": np.abs, "neg": np.negative, "exp": np.exp, "sqrt": np.sqrt,
    "tanh": np.tanh, "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x), "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6), "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6, "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
}  # fmt: skip
BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
}  # fmt: skip
WEIGHED: dict[str, Callable[[Array, Weights, Mapping[str, Any]], Array]] = {
    **{f"conv{rank}d": conv for rank in (1, 2, 3)}, "batchnorm": batchnorm, "layernorm": layernorm,
    "gelu": gelu,
    "linear": lambda x, weights, _: x @ weights["weight"].T + weights["bias"],
}  # fmt: skip


def run(boxes: list[Box], weights: Mapping[str, Weights], attributes: Mapping[str, Any], given: Point) -> Point | None:
    """The values of all wires of a side; None when a box is not in the table, too large, or reads nothing."""
    found, left = dict(given), list(boxes)
    while left:
        box = next((box for box in left if found.keys() >= set(box["sources"])), None)
        value = None if box is None else compute(box, found, weights, attributes)
        if box is None or value is None or not np.all(np.isfinite(value)):
            return None
        found[box["targets"][0]] = value
        left.remove(box)
    return found


def compute(box: Box, at: Point, weights: Mapping[str, Weights], attributes: Mapping[str, Any]) -> Array | None:
    """The target of a box; None when it is not in the table or too large."""
    kind, sources = box["kind"], [at[wire] for wire in box["sources"]]
    own, arguments = weights[box["name"]], attributes[box["name"]]
    with np.errstate(all="ignore"):
        if kind in UNARY:
            return UNARY[kind](sources[0])
        if kind in BINARY and arguments.get("alpha", 1) == 1:
            return BINARY[kind](*sources)
        positions = sources[0].size // own["weight"].shape[1] if "weight" in own else 0
        small = positions * (own["weight"].size if positions else 0) <= LIMIT
        return WEIGHED[kind](sources[0], own, arguments) if kind in WEIGHED and small else None


def point(d: dict[str, Any], shapes: Mapping[str, tuple[Extent, ...]], seed: str) -> Point:
    """Random values, small and large, for the wires of K that the rule only reads; symbols of their extents are 1.

    Large ones reach where functions such as relu6 bend; what agrees near zero only is not equal.
    """
    made, random = {wire for box in d["left"] for wire in box["targets"]}, np.random.default_rng(int(seed[:16], 16))
    found = Point()
    for wire, shape in shapes.items():
        if wire not in made:
            sizes = [value(extent, dict.fromkeys(symbols(extent), 1)) for extent in shape]
            found[wire] = random.standard_normal(sizes) * np.exp2(random.uniform(-3, 5, sizes))
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
        scale = max(norm(left[end], "linf"), norm(right[end], "linf"))
        same = left[end].shape == right[end].shape and norm(left[end] - right[end], "linf") <= ROUNDING * scale
        need(same or not exact, "V15", f"the sides of `{d['name']}` differ: it is not exact")
    if "bound" in d:
        about = d["bound"]
        change, size = left[about["output"]] - right[about["output"]], left[about["input"]]
        most = factor * norm(size, about["norm"]) * (1 + ROUNDING)
        need(norm(change, about["norm"]) <= most, "V15", f"`{d['name']}` changes more than its bound allows")
    return True


def norm(values: Array, kind: str) -> float:
    """The l2 or the largest-element norm."""
    return float(np.sqrt(np.sum(values * values)) if kind == "l2" else np.max(np.abs(values)))
