"""Gates: one half of the channels scaled by the other, and a slope of each channel's own for what is negative."""

from __future__ import annotations

from surgdsl.axis.dim import concat
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer


def halved(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, 2·n, …] → a · sigmoid(b), with a and b the halves along `dim`."""
    (x,) = sources
    place = integer(operation, "dim") % len(x.shape)
    extent = x.shape[place]
    demand(isinstance(extent, int) and extent % 2 == 0 and x.dtype in FLOATS, "a gate needs two halves")
    assert isinstance(extent, int)
    return (Sort(x.dtype, (*x.shape[:place], extent // 2, *x.shape[place + 1 :])),)


def halved_dims(call: Call) -> tuple[Dims, ...]:
    """x[dim] ~ h ⊕ h: the halves lose the same positions."""
    (x,) = call.dims
    place = integer(call.operation, "dim") % len(x)
    half = call.fresh("half", place)
    call.tie(x[place], concat(half, half))
    return ((*x[:place], half, *x[place + 1 :]),)


def sloped(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …], slope[c] or slope[1] → the same as x."""
    del operation
    x, slope = sources
    demand(x.dtype == slope.dtype and len(slope.shape) <= 1, "the slope does not fit the input")
    demand(slope.shape in ((), (1,)) or x.shape[1:2] == slope.shape, "the slope does not fit the channels")
    return (x,)


def sloped_dims(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ slope[0], where there is one for each channel."""
    x, slope = call.dims
    if call.sources[1].shape not in ((), (1,)):
        call.tie(x[1], slope[0])
    return (x,)


def sloped_zero(call: Call) -> bool:
    """Zero stays zero at any slope."""
    return call.zeros[0]


GATE = Signature(("aten.glu.default",), halved, halved_dims)
SLOPE = Signature(("aten.prelu.default",), sloped, sloped_dims, zero=sloped_zero)

GATES = (GATE, SLOPE)
