"""Weight norm: a weight told by its length g and direction v, w = g · v / ‖v‖, the norm over all dimensions but one.

Where a whole v is neutralised its direction is lost, and there is nothing to compare a cut with.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer
from surgdsl.operations.subscripts import Letter, aligned, carried, meet


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """v[…, n, …], g[1, n, 1] → the same as v."""
    v, g = sources
    place = integer(operation, "dim") % max(len(v.shape), 1)
    length = tuple(extent if i == place else 1 for i, extent in enumerate(v.shape))
    demand(g == Sort(v.dtype, length), "the lengths do not fit the directions")
    return (v,)


def _letters(call: Call) -> tuple[Letter, tuple[Letter, ...]]:
    """The letter along which lengths stand, and those of the norm."""
    rank = len(call.dims[0])
    own = integer(call.operation, "dim") % rank - rank
    return own, tuple(letter for letter in aligned(rank)[0] if letter != own)


def relation(call: Call) -> tuple[Dims, ...]:
    """v[dim] ~ g[dim]; the norm over the others does not notice zeros."""
    v, _ = call.dims
    subscripts = aligned(len(v), len(v))
    found = meet(call, subscripts)
    own, others = _letters(call)
    call.blur((found[own],), "it is divided by what is zero along it")
    for letter in others:
        if not carried(call, subscripts, (letter,), (0,), any):
            call.blur((found[letter],), "a norm is taken over it")
    return (v,)


def zero(call: Call) -> bool:
    """Zero along the norm where v is; along the lengths nothing is known."""
    subscripts, (own, others) = aligned(len(call.dims[0]), len(call.dims[0])), _letters(call)
    return carried(call, subscripts, others, (0,), any) and carried(call, subscripts, (own,), (), any)


WEIGHT_NORM = Signature(("aten._weight_norm.default",), typing, relation, zero=zero)
