"""Embedding: rows of a table, looked up by number."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.promotion import INTEGERS
from surgdsl.operations.signature import Call, Dims, Signature, demand
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


EMBEDDING = Signature(("aten.embedding.default",), typing, relation, zero=zero)
