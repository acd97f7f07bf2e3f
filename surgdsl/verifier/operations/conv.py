"""conv: cross-correlation over the trailing dimensions, channels in groups."""

from __future__ import annotations

from functools import partial

from surgdsl.verifier.extent import Extent, integers, product
from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature, full, spread
from surgdsl.verifier.reject import need


def windows(extents: Shape, kernel: tuple[int, ...], call: Call, up: bool = False) -> tuple[int, ...]:
    """Positions of a sliding window along each dimension: ⌊(in + 2p − d(k−1) − 1)/s⌋ + 1, or ⌈…⌉ when `up`."""
    rank, given = len(kernel), call.values
    strides = spread(given["stride"], rank) if given.get("stride", ()) else kernel
    paddings, dilations = spread(given["padding"], rank, 0), spread(given.get("dilation", (1,)), rank)
    found: list[int] = []
    for size, k, s, p, d in zip(
        integers(extents, "spatial extents"), kernel, strides, paddings, dilations, strict=True
    ):
        room = size + 2 * p - d * (k - 1) - 1
        need(room >= 0, "V09", "a window is larger than what it slides over")
        count = (room + s - 1) // s + 1 if up else room // s + 1
        found.append(
            count - 1 if up and (count - 1) * s >= size + p else count
        )  # the last window starts inside the input or its left padding
    return tuple(found)


def infer(rank: int, call: Call) -> Shape:
    """[N, w[0], windows…]."""
    x, w, groups = call.shape("input"), integers(call.shape("weight"), "the extents of a kernel"), call.values["groups"]
    need(len(x) == len(w) == rank + 2, "V09", "conv: x or w has the wrong rank")
    need(groups >= 1 and w[0] % groups == 0 and x[1] == w[1] * groups, "V09", "conv: channels and groups do not fit")
    need(all(call.shape(name) == w[:1] for name in call.given("bias")), "V09", "conv: the bias is not [w[0]]")
    need(len(call.values["stride"]) >= 1, "V09", "conv: the stride is empty")
    return (x[0], w[0], *windows(x[2:], w[2:], call))


def relate(cut: Cut) -> bool:
    """Every output channel reads the same source channels as before; batch agrees, space and kernel are whole."""
    x, w, y = cut.of("input"), cut.of("weight"), cut.target
    whole = all(kept is None for kept in (*x[2:], *w[2:], *y[2:]))
    biases = all(cut.of(name)[0] == w[0] for name in cut.before.given("bias"))
    shape = integers(cut.before.shape("weight"), "the extents of a kernel")
    outs, ins = full(w[0], shape[0]), full(w[1], shape[1])
    channels = full(x[1], cut.before.shape("input")[1])
    old, new = cut.before.values["groups"], cut.after.values["groups"]
    pairs = {(at * new // len(outs), out * old // shape[0]) for at, out in enumerate(outs)}
    reads = all(channels[g * len(ins) : (g + 1) * len(ins)] == tuple(h * shape[1] + j for j in ins) for g, h in pairs)
    return whole and biases and x[0] == y[0] and y[1] == w[0] and reads


def macs(call: Call, target: Shape) -> tuple[Extent, ...]:
    """N·w[0]·w[1]·∏kernel·∏windows."""
    return (call.shape("input")[0], product(*call.shape("weight")), *target[2:])


SCHEMA = "input weight bias? stride:ints padding:ints dilation:ints groups:int"
CONV = {f"aten.conv{rank}d.default": Signature(SCHEMA, partial(infer, rank), relate, macs) for rank in (1, 2, 3)}
