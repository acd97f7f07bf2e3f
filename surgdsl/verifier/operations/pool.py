"""Pooling: windows over the trailing dimensions, channels apart."""

from __future__ import annotations

from functools import partial

from surgdsl.verifier.operations.conv import windows
from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature, spread
from surgdsl.verifier.reject import need


def slide(rank: int, call: Call) -> Shape:
    """[x[0], x[1], windows…]."""
    x = call.shape("self")
    need(len(x) == rank + 2, "V09", "pool: x has the wrong rank")
    return (*x[:2], *windows(x[2:], spread(call.values["kernel_size"], rank), call, call.values["ceil_mode"]))


def adapt(rank: int, call: Call) -> Shape:
    """x[:-rank] + output_size."""
    x, size = call.shape("self"), call.values["output_size"]
    need(len(x) > rank and len(size) == rank, "V09", "pool: x or the output size has the wrong rank")
    return (*x[:-rank], *size)


def relate(rank: int, cut: Cut) -> bool:
    """Leading dimensions agree, spatial ones are whole."""
    x, y = cut.of("self"), cut.target
    return x[:-rank] == y[:-rank] and all(kept is None for kept in (*x[-rank:], *y[-rank:]))


MAX = "self kernel_size:ints stride:ints padding:ints dilation:ints ceil_mode:flag"
AVERAGE = "self kernel_size:ints stride:ints padding:ints ceil_mode:flag count_include_pad:flag"
SCHEMAS = (
    ("max", MAX, slide, (1, 2, 3)),
    ("avg", AVERAGE, slide, (1,)),
    ("avg", AVERAGE + " divisor_override:override", slide, (2, 3)),
    ("adaptive_avg", "self output_size:extents", adapt, (1, 2, 3)),
)
POOLS = {
    f"aten.{name}_pool{rank}d.default": Signature(schema, partial(infer, rank), partial(relate, rank))
    for name, schema, infer, ranks in SCHEMAS
    for rank in ranks
}
