"""Norms: over the last dimensions, over groups of channels, of a weight; slopes and grids."""

from __future__ import annotations

import math

from surgdsl.verifier.operations.arrange import combined, row
from surgdsl.verifier.operations.call import Call
from surgdsl.verifier.operations.letters import Places
from surgdsl.verifier.operations.signature import Cut
from surgdsl.verifier.reject import need


def layer(call: Call) -> Places:
    """layer_norm, rms_norm: the last dimensions are those of `normalized_shape`, and so are the weights'."""
    need(bool(call.values["normalized_shape"]), "V09", "layer_norm: normalized_shape is empty")
    return call.places("*[Normalized_shape] [Normalized_shape] [Normalized_shape]>*[Normalized_shape]")


def channels(call: Call) -> Places:
    """batch_norm: with statistics of its own it is a scale for each channel, else over all that is not the channel."""
    need(not (call.values["training"] and {3, 4} & set(call.order)), "V09", "batch_norm: statistics would change")
    return call.places("Nc# c c c c>Nc#" if call.values["training"] else "nc* c c c c>nc*")


def vector(call: Call) -> Places:
    """linalg_vector_norm: zeros add nothing to it, unless its order is negative."""
    return call.places("^w>^" if call.values["ord"] >= 0 else "^W>^")


def grouped(call: Call) -> Places:
    """group_norm: the channels are groups of equal size."""
    groups, (channels, *_) = call.values["num_groups"], (*call.shape[1:], "")
    fits = isinstance(channels, int) and groups >= 1 and channels % groups == 0
    need(fits, "V09", "group_norm: the groups do not divide the channels")
    return call.places("nc# c c>nc#")


def whole_groups(cut: Cut) -> bool:
    """Groups are kept whole, and counted again."""
    before, after = (call.values["num_groups"] for call in (cut.before, cut.after))
    size, kept = int(cut.shapes[0][1]) // before, cut.kept(0, 1)
    groups = tuple(dict.fromkeys(index // size for index in kept))
    return kept == combined(groups, (*range(size),), size) and after == len(groups)


def sloped(call: Call) -> Places:
    """prelu: one slope, or one for each channel, which is the second dimension."""
    return call.places("* 1>*" if call.shapes[1] == (1,) else "nc* c>nc*")


def polar(call: Call) -> Places:
    """_weight_norm: v·g/‖v‖, the norm over all dimensions but one; zeros do not count in it."""
    letters = row(len(call.shape))
    ones = row(len(letters), dict.fromkeys(range(-len(letters), 0), "1") | {call.dim: letters[call.dim]})
    return Places((letters, ones), (letters,))


def gridded(call: Call) -> Places:
    """Fake quantization: a grid of two points or more, zero among them, and a scale above 0."""
    scale, zero, low, high = (call.values[name] for name in ("scale", "zero_point", "quant_min", "quant_max"))
    grid = low <= zero <= high and low < high and 0 < scale < math.inf
    need(grid, "V09", f"no grid from {low} to {high} in steps of {scale} with {zero} for zero")
    return call.places("*>*")
