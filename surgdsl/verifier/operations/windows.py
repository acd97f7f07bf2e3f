"""Windows that slide over the trailing dimensions: convolutions, their transposes, pools; and resampling."""

from __future__ import annotations

import math

from surgdsl.verifier.extent import LARGEST, integers, product
from surgdsl.verifier.operations.call import Call
from surgdsl.verifier.operations.letters import Places, Shape
from surgdsl.verifier.operations.signature import Cut
from surgdsl.verifier.reject import need

Ints = tuple[int, ...]


def spread(call: Call, name: str, least: int = 1) -> Ints:
    """One value of an attribute for each spatial dimension, from as many or from one."""
    given: Ints = call.values.get(name, (1,))
    rank, text = call.rank, isinstance(given, str)
    fits = not text and len(given) in (1, rank) and min(given) >= least
    need(fits, "V09", f"{name}: {given} does not fit {rank} dimensions")
    return given * (rank // len(given))


def slid(call: Call, extents: Shape, kernel: Ints, stride: Ints, padding: Ints) -> Ints:
    """Positions of a window along each dimension: ⌊(in + 2p − d(k−1) − 1)/s⌋ + 1, or ⌈…⌉ with `ceil_mode`."""
    up, found, space = call.values.get("ceil_mode", False), list[int](), integers(extents, "spatial extents")
    for size, k, s, p, d in zip(space, kernel, stride, padding, spread(call, "dilation"), strict=True):
        room = size + 2 * p - d * (k - 1) - 1
        need(room >= 0, "V09", "a window is larger than what it slides over")
        count = (room + s - 1) // s + 1 if up else room // s + 1
        beyond = up and (count - 1) * s >= size + p  # the last window starts inside the input or its left padding
        found.append(count - beyond)
    return tuple(found)


def conv(call: Call) -> Places:
    """[N, w[0], windows…]: cross-correlation, channels in groups."""
    (outs, ins, *kernel), groups = integers(call.shapes[1], "the extents of a kernel"), call.values["groups"]
    need(groups >= 1 and outs % groups == 0, "V09", "conv: channels and groups do not fit")
    stride, padding, space = spread(call, "stride"), call.values["padding"], call.shape[2:]
    if padding == "same":
        plain = {*stride} == {1} and any(spread(call, "dilation"))
        need(plain, "V09", "conv: with a stride the size cannot stay the same")
        sizes = integers(space, "spatial extents")
    else:
        margins = (0,) * call.rank if padding == "valid" else spread(call, "padding", 0)
        sizes = slid(call, space, tuple(kernel), stride, margins)
    return call.places("ncABD oiKLM o>noXYZ", dict(zip("cXYZ", [ins * groups, *sizes], strict=False)))


def transposed(call: Call) -> Places:
    """[N, w[1]·groups, …]: every input position sets a kernel down."""
    (ins, outs, *kernel), groups = integers(call.shapes[1], "the extents of a kernel"), call.values["groups"]
    need(groups >= 1 and ins % groups == 0, "V09", "conv: channels and groups do not fit")
    rows = [spread(call, name) for name in ("stride", "dilation")]
    rows += [spread(call, name, 0) for name in ("padding", "output_padding")]
    spans = zip(integers(call.shape[2:], "spatial extents"), kernel, *rows, strict=True)
    sizes = [(size - 1) * s - 2 * p + d * (k - 1) + more + 1 for size, k, s, d, p, more in spans]
    need(all(size >= 1 for size in sizes), "V09", "conv: nothing would be left")
    need(all(more < max(s, d) for s, d, _, more in zip(*rows, strict=True)), "V09", "conv: output_padding is too large")
    return call.places("ncABD coKLM p>npXYZ", dict(zip("pXYZ", [outs * groups, *sizes], strict=False)))


def wired(port: int, cut: Cut) -> bool:
    """Every channel of the weight's first axis meets the same channels of a source, or of the target, as before."""
    (many, few), firsts, seconds = integers(cut.shapes[1][:2], "channels"), cut.kept(1, 0), cut.kept(1, 1)
    channels, old, new = cut.kept(port, 1), cut.before.values["groups"], cut.after.values["groups"]
    pairs = {(at * new // len(firsts), first * old // many) for at, first in enumerate(firsts)}
    size = len(seconds)
    return all(channels[g * size : (g + 1) * size] == tuple(h * few + j for j in seconds) for g, h in pairs)


def pool(call: Call) -> Places:
    """[x[0], x[1], windows…]; without a stride windows stand side by side."""
    kernel, padding = spread(call, "kernel_size"), spread(call, "padding", 0)
    stride = spread(call, "stride") if call.values["stride"] else kernel
    half = all(2 * p <= d * (k - 1) + 1 for p, d, k in zip(padding, spread(call, "dilation"), kernel, strict=True))
    need(half, "V09", "a window may lie in the padding alone")
    sizes = slid(call, call.shape[2:], kernel, stride, padding)
    return call.places("ncABD>ncXYZ", dict(zip("XYZ", sizes, strict=False)))


def columns(call: Call) -> Places:
    """im2col: [*, c, h, w] → [*, c·kh·kw, windows], and col2im back, where windows add up to `output_size`."""
    kernel, size = spread(call, "kernel_size"), call.values.get("output_size", call.shape[-2:])
    many = math.prod(slid(call, size, kernel, spread(call, "stride"), spread(call, "padding", 0)))
    area = math.prod(kernel)
    if "im2col" in call.name:
        sizes = {"d": product(call.shape[-3], area), "T": many}
        return call.places("*cHW>*dT", sizes, (((1, -2), (0, -3), lambda index: index // area),))
    (channels,) = integers(call.shape[-2:-1], "channels")
    need(channels % area == 0, "V09", "col2im: the windows do not divide the channels")
    sizes = {"c": channels // area, "T": many, "H": size[0], "W": size[1]}
    return call.places("*dT>*cHW", sizes, (((0, -2), (1, -3), lambda index: index // area),))


def resampled(call: Call) -> Places:
    """Spatial extents output_size, or every one times its factor, rounded down."""
    size, space, adapts = call.values["output_size"], call.shape[-call.rank :], "adaptive" in call.name
    if size is None:
        factors: tuple[float, ...] = call.values["scale_factors"] or ()
        fits = len(factors) == len(space) and all(0 < factor < LARGEST for factor in factors)
        need(fits, "V09", "a factor for each dimension is needed")
        pairs = zip(integers(space, "spatial extents"), factors, strict=True)
        size = tuple(int(extent * factor) for extent, factor in pairs)
    need(len(size) == call.rank, "V09", "the output size has the wrong rank")
    return call.places("*ABD>*XYZ" if adapts else "ncABD>ncXYZ", dict(zip("XYZ", size, strict=False)))
