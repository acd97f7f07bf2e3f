"""Embedding: rows of a table, looked up by number, one for each number or one bag of them at a time."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import FLOATS, INTEGERS
from surgdsl.operations.signature import Call, Dims, Signature, demand, integer
from surgdsl.operations.subscripts import loose


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """table[rows, columns], numbers[…] → [… , columns]."""
    del operation
    table, numbers = sources
    demand(len(table.shape) == 2 and numbers.dtype in INTEGERS, "an embedding takes a table and integers")
    return (Sort(table.dtype, (*numbers.shape, table.shape[1])),)


def relation(call: Call) -> tuple[Dims, ...]:
    """The columns are carried; the rows are pinned."""
    table, numbers = call.dims
    call.pin(table[:1], "its rows are looked up by number")
    return ((*numbers, table[1]),)


def zero(call: Call) -> bool:
    """The table's columns are its own weights; a number that is made zero still names a row."""
    return call.zeros[0] and not any(loose(call, dim) for dim in call.dims[1])


def bag(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """table[rows, columns], numbers[n], starts[b] → y[b, columns], and n, b and again b or y counted for the gradient.

    The fast sum on a CPU counts nothing for each number. A maximum says for each of its elements where it was.
    """
    table, numbers, starts, *scales = sources
    demand(len(table.shape) == 2 and table.dtype in FLOATS, "an embedding takes a table of floats")
    demand(numbers.dtype in INTEGERS and starts.dtype in INTEGERS, "an embedding takes a table and integers")
    demand(len(numbers.shape) == len(starts.shape) == 1, "numbers and starts of bags stand in a row each")
    demand(all(one == Sort(table.dtype, numbers.shape) for one in scales), "there is one scale for each number")
    attributes = dict(operation.attributes)
    demand(attributes.get("include_last_offset") is not True, "the last bag's end is given, too")
    bags, mode = starts.shape[0], integer(operation, "mode")
    fast = mode == SUMMED and attributes.get("padding_idx") is None and table.dtype in ("F32", "F16")
    each = Sort(starts.dtype, (0,) if fast else numbers.shape)
    shape = (bags, table.shape[1])
    found = Sort(starts.dtype, shape if mode == LARGEST else (bags,))
    return (Sort(table.dtype, shape), each, Sort(starts.dtype, (bags,)), found)


def bag_dims(call: Call) -> tuple[Dims, ...]:
    """The columns are carried; the rows, the numbers and the bags are pinned."""
    table, numbers, starts, *_ = call.dims
    demand(bag(call.operation, call.sources) == call.targets, "the bags do not type as they were captured")
    call.pin(table[:1], "its rows are looked up by number")
    call.pin((*numbers, *starts), "it says which rows are in a bag")
    each = call.fresh("each", 0, target=1)
    call.pin((each,), "it says which bag a row is in")
    found = (starts[0], table[1]) if len(call.targets[3].shape) > 1 else (starts[0],)
    return ((starts[0], table[1]), (each,), (starts[0],), found)


def bag_zero(call: Call) -> bool:
    """A sum, a mean or a maximum of zeros is zero; where the maximum was is a number that may be anything."""
    return call.zeros[0] and integer(call.operation, "mode") != LARGEST


SUMMED, LARGEST = 0, 2
"""Modes of a bag; between them is the mean."""
EMBEDDING = Signature(("aten.embedding.default",), typing, relation, zero=zero)
BAG = Signature(("aten.embedding_bag.padding_idx", "aten.embedding_bag.default"), bag, bag_dims, zero=bag_zero)

EMBEDDINGS = (EMBEDDING, BAG)
