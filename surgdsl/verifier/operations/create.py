"""Creation: how many numbers a range holds; other tensors that a call makes have the extents that are written out."""

from __future__ import annotations

import math

from surgdsl.verifier.extent import LARGEST
from surgdsl.verifier.operations.call import Call
from surgdsl.verifier.operations.letters import Places
from surgdsl.verifier.reject import need


def counted(call: Call) -> Places:
    """arange: start, start + step, … before end; ⌈(end − start)/step⌉ numbers, in float64 where one is a float."""
    start, end, step = (call.values.get(name, default) for name, default in (("start", 0), ("end", 0), ("step", 1)))
    found = end
    if isinstance(end, str):
        need((start, step) == (0, 1), "V09", "arange: bounds of extents do not fit")
    else:
        fits = not isinstance(start, str) and not isinstance(step, str) and step != 0
        need(fits and 0 < (end - start) / step < LARGEST, "V09", "arange: nothing, or too much, between the bounds")
        whole = all(isinstance(bound, int) for bound in (start, end, step))
        found = -((start - end) // step) if whole else math.ceil((end - start) / step)
    return Places((), (("A",),), {"A": found})
