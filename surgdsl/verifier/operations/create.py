"""Creation: tensors that a call makes of sizes and numbers."""

from __future__ import annotations

import math

from surgdsl.verifier.extent import LARGEST, Extent
from surgdsl.verifier.operations.arrange import row
from surgdsl.verifier.operations.letters import Places
from surgdsl.verifier.operations.signature import Call
from surgdsl.verifier.reject import need


def filled(call: Call) -> Places:
    """One number everywhere, in the shape that is written out."""
    sizes = {f"a{at}": extent for at, extent in enumerate(call.values["size"])}
    others = tuple(tuple(f"?.{number}{at}" for at in range(len(shape))) for number, shape in enumerate(call.shapes))
    return Places(others, (row(len(sizes)),), sizes)


def counted(call: Call) -> Places:
    """arange: start, start + step, … before end; ⌈(end − start)/step⌉ numbers, in float64 where one is a float."""
    start, end, step = (call.values.get(name, default) for name, default in (("start", 0), ("end", 0), ("step", 1)))
    return Places((), (("A",),), {"A": span(start, end, step)})


def span(start: Extent | float, end: Extent | float, step: Extent | float) -> Extent:
    """How many numbers there are; of extents the difference, the step being 1."""
    if isinstance(start, str) or isinstance(end, str) or isinstance(step, str):
        need(step == 1 and start == 0 and isinstance(end, str), "V09", "arange: bounds of extents do not fit")
        return str(end)
    need(step != 0 and 0 < (end - start) / step < LARGEST, "V09", "arange: nothing, or too much, is between the bounds")
    whole = isinstance(start, int) and isinstance(end, int) and isinstance(step, int)
    return int(-((start - end) // step)) if whole else math.ceil((end - start) / step)
