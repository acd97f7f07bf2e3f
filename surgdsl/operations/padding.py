"""Padding: positions put in front of a dimension and behind it.

With a constant, a padded dim is before ⊕ x ⊕ after, where only x can shrink; with copies of what is inside, it is
pinned.
"""

from __future__ import annotations

from surgdsl.axis.dim import Dim, axes, concat
from surgdsl.axis.extent import Extent, add
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integers, keeps_zero

Margins = tuple[tuple[int, int], ...]
"""For each dimension how many positions are put in front and behind; negative where some are taken away."""


def margins(operation: Operation, rank: int) -> Margins:
    """The margins by dimension; the call has them from the last dimension backwards."""
    found = integers(operation, "pad" if _general(operation) else "padding")
    demand(len(found) % 2 == 0 and len(found) // 2 <= rank, "padding comes in pairs, one for each dimension")
    pairs = tuple(zip(found[::2], found[1::2], strict=True))
    return ((0, 0),) * (rank - len(pairs)) + pairs[::-1]


def _general(operation: Operation) -> bool:
    return operation.name in {"aten.pad.default", "aten.constant_pad_nd.default"}


def constant(operation: Operation) -> bool:
    """Whether the new positions hold a number, not copies of what is inside."""
    return operation.name == "aten.constant_pad_nd.default" or dict(operation.attributes).get("mode") == "constant"


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → each dimension longer by its margins."""
    (x,) = sources
    shape = tuple(map(_longer, x.shape, margins(operation, len(x.shape))))
    for extent, margin in zip(x.shape, margins(operation, len(x.shape)), strict=True):
        inside = constant(operation) or not isinstance(extent, int) or max(margin) <= extent
        demand(inside, "there is less inside than the padding copies")
    return (Sort(x.dtype, shape),)


def _longer(extent: Extent, margin: tuple[int, int]) -> Extent:
    total = sum(margin)
    if isinstance(extent, int):
        demand(extent + total >= 1, "nothing would be left")
        return extent + total
    if total < 0:
        raise IllTyped("positions are taken from a dimension of symbolic size")
    return add(extent, total)


def relation(call: Call) -> tuple[Dims, ...]:
    """before ⊕ x ⊕ after with a constant, margins pinned; padded dims are pinned otherwise."""
    (x,) = call.dims
    found: list[Dim] = []
    for place, (dim, (before, after)) in enumerate(zip(x, margins(call.operation, len(x)), strict=True)):
        if before == after == 0:
            found.append(dim)
        elif constant(call.operation) and min(before, after) >= 0 and _cuttable(call, place):
            found.append(_framed(call, dim, before, after))
        else:
            new = call.fresh(f"padded{place}", place)
            call.pin((dim, new), "it is padded")
            found.append(new)
    return (tuple(found),)


def _cuttable(call: Call, place: int) -> bool:
    """Whether anything could be cut inside; a dim that is pinned already needs no parts."""
    parts = axes(call.unification.resolve(call.dims[0][place]))
    sized = isinstance(call.sources[0].shape[place], int)
    return sized and any(axis not in call.unification.pins for axis in parts)


def _framed(call: Call, dim: Dim, before: int, after: int) -> Dim:
    stem = f"{call.operation.path or 'model'}:margin"
    left, right = ([call.unification.fresh(stem, count)] if count else [] for count in (before, after))
    call.pin((*left, *right), "it is a margin of a fixed size")
    return concat(*left, dim, *right)


def zero(call: Call) -> bool:
    """Zero where x is; a margin of another number is not, at any index of the other dimensions."""
    value = dict(call.operation.attributes).get("value")
    return keeps_zero(call) and (not constant(call.operation) or value is None or value == 0)


PADDING = Signature(
    (
        "aten.pad.default",
        "aten.constant_pad_nd.default",
        *(f"aten.{kind}_pad{rank}d.default" for kind in ("reflection", "replication") for rank in (1, 2, 3)),
    ),
    typing,
    relation,
    zero=zero,
)
