"""Windows that slide over the trailing dimensions: convolutions, their transposes, pools; and resampling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from surgdsl.verifier.extent import LARGEST, integers
from surgdsl.verifier.operations.letters import Places, Shape, read
from surgdsl.verifier.operations.signature import Call, Cut
from surgdsl.verifier.reject import need

SPACE = "ABD"  # letters of the spatial extents of the input,
KERNEL = "KLM"  # of the kernel,
OUT = "XYZ"  # and of the output


def spread(values: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """One value for each of `rank` dimensions, from as many or from one."""
    fits = len(values) in (1, rank) and all(value >= least for value in values)
    need(fits, "V09", f"{values} does not fit {rank} dimensions")
    return tuple(values) if len(values) == rank else tuple(values) * rank


def windows(extents: Shape, kernel: tuple[int, ...], call: Call) -> tuple[int, ...]:
    """Positions of a window along each dimension: ⌊(in + 2p − d(k−1) − 1)/s⌋ + 1, or ⌈…⌉ with `ceil_mode`."""
    rank, given, up = len(kernel), call.values, call.values.get("ceil_mode", False)
    need(len(extents) == rank, "V09", "a window has another rank than what it slides over")
    strides = spread(given["stride"], rank) if given.get("stride", ()) else kernel
    paddings, dilations = spread(given["padding"], rank, 0), spread(given.get("dilation", (1,)), rank)
    found: list[int] = []
    for size, k, s, p, d in zip(
        integers(extents, "spatial extents"), kernel, strides, paddings, dilations, strict=True
    ):
        room = size + 2 * p - d * (k - 1) - 1
        need(room >= 0, "V09", "a window is larger than what it slides over")
        count = (room + s - 1) // s + 1 if up else room // s + 1
        beyond = up and (count - 1) * s >= size + p  # the last window starts inside the input or its left padding
        found.append(count - beyond)
    return tuple(found)


def over_space(call: Call, pattern: str, sizes: Shape) -> Places:
    """A pattern in which the letters of space stand for as many dimensions as the operator has."""
    need(len(sizes) == call.rank, "V09", "the output size has the wrong rank")
    for letters in (SPACE, KERNEL, OUT):
        pattern = pattern.replace(letters, letters[: call.rank])
    terms, _, target = pattern.partition(">")
    given = " ".join(terms.split()[: len(call.sorts)])
    return read(f"{given}>{target}", call.shapes, dict(zip(OUT, sizes, strict=False)))


def conv(call: Call) -> Places:
    """[N, w[0], windows…]: cross-correlation, channels in groups."""
    x, w, groups = call.shape("input"), integers(call.shape("weight"), "the extents of a kernel"), call.values["groups"]
    need(len(x) == len(w) == call.rank + 2 and len(call.values["stride"]) >= 1, "V09", "conv: x or w has another rank")
    need(groups >= 1 and w[0] % groups == 0 and x[1] == w[1] * groups, "V09", "conv: channels and groups do not fit")
    if call.values["padding"] == "same":
        need(set(call.values["stride"]) == {1}, "V09", "conv: with a stride the size cannot stay the same")
        sizes = integers(x[2:], "spatial extents")
    else:
        zero = {"padding": (0,)} if call.values["padding"] == "valid" else {}
        plain = replace(call, values=call.values | zero)
        need(type(plain.values["padding"]) is tuple, "V09", "conv: padding is no list")
        sizes = windows(x[2:], w[2:], plain)
    return over_space(call, "n?cABD o?iKLM o>noXYZ", sizes)


def transposed(call: Call) -> Places:
    """[N, w[1]·groups, …]: every input position sets a kernel down."""
    x, w, given = call.shape("input"), integers(call.shape("weight"), "the extents of a kernel"), call.values
    rank, groups = call.rank, given["groups"]
    need(len(x) == len(w) == rank + 2, "V09", "conv: x or w has another rank")
    need(groups >= 1 and w[0] % groups == 0 and x[1] == w[0], "V09", "conv: channels and groups do not fit")
    rows = [spread(given[key], rank, least) for key, least in (("stride", 1), ("dilation", 1))]
    rows += [spread(given[key], rank, 0) for key in ("padding", "output_padding")]
    spans = zip(integers(x[2:], "spatial extents"), w[2:], *rows, strict=True)
    sizes = tuple((size - 1) * s - 2 * p + d * (k - 1) + more + 1 for size, k, s, d, p, more in spans)
    need(all(size >= 1 for size in sizes), "V09", "conv: nothing would be left")
    need(all(more < max(s, d) for s, d, _, more in zip(*rows, strict=True)), "V09", "conv: output_padding is too large")
    places = over_space(call, "ncABD c?oKLM p>npXYZ", sizes)
    return replace(places, sizes={**places.sizes, "p": w[1] * groups})


def wired(port: int, cut: Cut) -> bool:
    """Every channel of the weight's first axis meets the same channels of a source, or of the target, as before."""
    (many, few), firsts, seconds = integers(cut.shapes[1][:2], "channels"), cut.kept(1, 0), cut.kept(1, 1)
    channels, old, new = cut.kept(port, 1), cut.before.values["groups"], cut.after.values["groups"]
    pairs = {(at * new // len(firsts), first * old // many) for at, first in enumerate(firsts)}
    size = len(seconds)
    return all(channels[g * size : (g + 1) * size] == tuple(h * few + j for j in seconds) for g, h in pairs)


def pool(call: Call) -> Places:
    """[x[0], x[1], windows…]."""
    return over_space(
        call, "ncABD>ncXYZ", windows(call.shape()[2:], spread(call.values["kernel_size"], call.rank), call)
    )


def adapted(call: Call) -> Places:
    """x[:-rank] + output_size."""
    return over_space(call, "*ABD>*XYZ", call.values["output_size"])


def resampled(call: Call) -> Places:
    """[x[0], x[1], output_size…], or every extent times its factor, rounded down."""
    space, size = call.shape()[2:], call.values["output_size"]
    if size is None:
        factors: tuple[float, ...] = call.values["scale_factors"] or ()
        fits = len(factors) == len(space) and all(0 < factor < LARGEST for factor in factors)
        need(fits, "V09", "a factor for each dimension is needed")
        extents = integers(space, "spatial extents")
        size = tuple(int(extent * factor) for extent, factor in zip(extents, factors, strict=True))
    return over_space(call, "ncABD>ncXYZ", size)
