"""Norms: over the last dimensions, over groups of channels, over the positions of each channel, of a weight."""

from __future__ import annotations

from surgdsl.verifier.operations.arrange import combined, row
from surgdsl.verifier.operations.letters import Places, read
from surgdsl.verifier.operations.signature import Call, Cut
from surgdsl.verifier.reject import need


def layer(call: Call) -> Places:
    """layer_norm, rms_norm: the last dimensions are those of `normalized_shape`, and so are the weights'."""
    shape, count = call.values["normalized_shape"], len(call.values["normalized_shape"])
    need(0 < count <= len(call.shape()), "V09", "layer_norm: normalized_shape has another rank")
    over = "".join(chr(65 + at) for at in range(count))
    terms = " ".join([f"*{over}", *[over] * (len(call.sorts) - 1)])
    return read(f"{terms}>*{over}", call.shapes, dict(zip(over, shape, strict=True)))


def grouped(call: Call) -> Places:
    """group_norm: the channels are groups of equal size."""
    groups, (channels, *_) = call.values["num_groups"], (*call.shape()[1:], "")
    fits = isinstance(channels, int) and groups >= 1 and channels % groups == 0
    need(fits, "V09", "group_norm: the groups do not divide the channels")
    return read(f"nc# {'c ' * (len(call.sorts) - 1)}>nc#", call.shapes)


def whole_groups(cut: Cut) -> bool:
    """Groups are kept whole, and counted again."""
    before, after = (call.values["num_groups"] for call in (cut.before, cut.after))
    size, kept = int(cut.shapes[0][1]) // before, cut.kept(0, 1)
    groups = tuple(dict.fromkeys(index // size for index in kept))
    return kept == combined(groups, (*range(size),), size) and after == len(groups)


def sloped(call: Call) -> Places:
    """prelu: one slope, or one for each channel, which is the second dimension."""
    return read("* 1>*" if call.shape("weight") == (1,) else "nc* c>nc*", call.shapes)


def polar(call: Call) -> Places:
    """_weight_norm: v·g/‖v‖, the norm over all dimensions but one; zeros do not count in it."""
    rank, at = len(call.shape()), call.dimension()
    ones = row(rank, **{f"at{place}": "1" for place in range(rank) if place != at})
    return Places((row(rank), ones), (row(rank),))
