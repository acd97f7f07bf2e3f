"""Scanning: running sums, and differences of neighbours."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS, dtype_named
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer
from surgdsl.operations.subscripts import aligned, carried, loose


def running(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → sums of what stands before; integers are summed in I64."""
    (x,) = sources
    return (Sort(dtype_named(operation, default=x.dtype if x.dtype in FLOATS else "I64"), x.shape),)


def running_dims(call: Call) -> tuple[Dims, ...]:
    """Every dim as it is; zeros may go from a sum."""
    (x,) = call.dims
    place = integer(call.operation, "dim") % len(x)
    if not carried(call, aligned(len(x)), (place - len(x),), (0,), any):
        call.blur((x[place],), "a running sum is taken along it")
    return (x,)


def running_zero(call: Call) -> bool:
    """Zero across the sum; along it, the sum goes on where a zero stood."""
    (x,) = call.dims
    return call.zeros[0] and not loose(call, x[integer(call.operation, "dim") % len(x)])


def difference(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x shorter by n along `dim`, after what is put before and behind it."""
    x = sources[0]
    place, times = integer(operation, "dim") % len(x.shape), integer(operation, "n")
    lengths = [sort.shape[place] for sort in sources]
    total = sum(length for length in lengths if isinstance(length, int)) - times
    demand(
        all(isinstance(length, int) for length in lengths) and total >= 1 and x.dtype != "BOOL", "too few neighbours"
    )
    return (Sort(x.dtype, (*x.shape[:place], total, *x.shape[place + 1 :])),)


def difference_dims(call: Call) -> tuple[Dims, ...]:
    """Neighbours are told apart along `dim`, which is pinned; the other dims are carried."""
    demand(len(call.dims) == 1, "something is put before or behind the input")
    (x,) = call.dims
    place = integer(call.operation, "dim") % len(x)
    found = call.fresh("difference", place)
    call.pin((x[place], found), "neighbours along it are subtracted")
    return ((*x[:place], found, *x[place + 1 :]),)


RUNNING = Signature(("aten.cumsum.default",), running, running_dims, zero=running_zero)
DIFFERENCE_ALONG = Signature(("aten.diff.default",), difference, difference_dims)

SCANS = (RUNNING, DIFFERENCE_ALONG)
