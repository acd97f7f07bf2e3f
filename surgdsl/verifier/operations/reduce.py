"""Operations over dimensions: mean takes them away, softmax works along one."""

from __future__ import annotations

from typing import TypeVar

from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature, dimension
from surgdsl.verifier.reject import need

T = TypeVar("T")


def over(call: Call) -> frozenset[int]:
    """The dimensions that are worked over."""
    rank, given = len(call.sorts[0].shape), call.values["dim"]
    dims: tuple[int, ...] = (given,) if type(given) is int else given
    found = [dimension(dim, rank) for dim in dims]
    need(bool(found) and len(set(found)) == len(found), "V09", "mean: dim is empty or repeats itself")
    return frozenset(found)


def reduced(call: Call, row: tuple[T, ...], one: T) -> tuple[T, ...]:
    """A row over the dimensions of the source without those worked over, or with `one` there."""
    dims, keep = over(call), call.values["keepdim"]
    return tuple(one if at in dims else entry for at, entry in enumerate(row) if keep or at not in dims)


def along(call: Call) -> Shape:
    """The shape of the source, once the dimension is known to be there."""
    return call.sorts[0].shape if over(call) else ()


def _whole(cut: Cut) -> bool:
    return all(cut.sources[0][at] is None for at in over(cut.before))


MEAN = Signature(
    "self dim:ints keepdim:flag dtype:none", lambda call: reduced(call, call.shape("self"), 1),
    lambda cut: _whole(cut) and cut.target == reduced(cut.before, cut.sources[0], None),
)  # fmt: skip
SOFTMAX = Signature("self dim:int dtype:none", along, lambda cut: _whole(cut) and cut.target == cut.sources[0])
