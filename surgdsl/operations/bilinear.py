"""Bilinear maps: y = xᵀ·W·z + b, with a matrix for every output."""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.axis.extent import evaluate, multiply, product
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand
from surgdsl.operations.subscripts import Subscript, aligned, carried, meet

FACTORS = (0, 1, 2)


def _subscripts(rank: int, count: int) -> tuple[Subscript, ...]:
    """…i, …j, oij, and o of the bias."""
    demand(rank >= 1, "a bilinear map takes vectors")
    rows = aligned(rank - 1)[0]
    return ((*rows, "i"), (*rows, "j"), ("o", "i", "j"), ("o",))[:count]


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, i], z[…, j], W[o, i, j], b[o] → y[…, o]."""
    del operation
    x, z, w, *bias = sources
    demand(x.shape[:-1] == z.shape[:-1], "the inputs do not line up")
    demand(len({sort.dtype for sort in sources}) == 1, "the operands have different dtypes")
    fits = len(w.shape) == 3 and w.shape[1:] == (*x.shape[-1:], *z.shape[-1:])
    demand(fits, "the inputs do not have as many features as the weight")
    demand(all(b.shape == w.shape[:1] for b in bias), "the bias does not fit the weight")
    return (Sort(x.dtype, (*x.shape[:-1], w.shape[0])),)


def relation(call: Call) -> tuple[Dims, ...]:
    """x[-1] ~ W[1]; z[-1] ~ W[2]; y[-1] = W[0] ~ b[0]."""
    rank = len(call.dims[0])
    subscripts = _subscripts(rank, len(call.dims))
    found = meet(call, subscripts)
    for letter in ("i", "j"):
        if not carried(call, subscripts, (letter,), FACTORS, any):
            call.blur((found[letter],), "a product is summed over it in which no factor is zero")
    return (tuple(found[letter] for letter in (*subscripts[0][:-1], "o")),)


def zero(call: Call) -> bool:
    """Zero where the weight and the bias are, or an input where nothing is added."""
    subscripts = _subscripts(len(call.dims[0]), len(call.dims))
    target = (*subscripts[0][:-1], "o")
    terms = range(len(FACTORS), len(call.dims))
    return carried(call, subscripts, target, FACTORS, any) and carried(call, subscripts, target, terms, all)


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """∏ y · (i·j + j): the matrix with one input, and what comes of it with the other; the bias counts nothing."""
    del operation
    left, right = sources[0].shape[-1], sources[1].shape[-1]
    return evaluate(multiply(product(targets[0].shape), product((left, right))), binding) + evaluate(
        multiply(product(targets[0].shape), right), binding
    )


BILINEAR = Signature(("aten.bilinear.default",), typing, relation, cost, zero=zero)
