"""Reshaping: the same elements in the same order, along other dimensions.

Merging dimensions makes a product; splitting one refines its axis into a product; the sizes written in the call follow.
"""

from __future__ import annotations

from collections import Counter

from surgdsl.axis.dim import UNIT, Axis, Dim, fuse
from surgdsl.axis.extent import Extent, Polynomial, evaluate, normal, product, symbols, terms
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integer, integers, replaced


def flatten(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x with dimensions start_dim … end_dim merged."""
    (x,) = sources
    rank = max(len(x.shape), 1)
    start, end = integer(operation, "start_dim") % rank, integer(operation, "end_dim") % rank
    demand(start <= end, "flatten must end behind its start")
    return (Sort(x.dtype, (*x.shape[:start], product(x.shape[start : end + 1]), *x.shape[end + 1 :])),)


def literal(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the shape that is written in the call, in full."""
    (x,) = sources
    shape = operation.attribute(_key(operation))
    assert isinstance(shape, tuple)
    found: tuple[Extent, ...] = tuple(extent for extent in shape if isinstance(extent, (int, Polynomial)))
    demand(len(found) == len(shape), "the new shape holds something else than sizes")
    demand(product(found) == product(x.shape), "the new shape has another number of elements")
    return (Sort(x.dtype, found),)


def _key(operation: Operation) -> str:
    return "size" if operation.name == "aten.view.default" else "shape"


def relation(call: Call) -> tuple[Dims, ...]:
    """Groups of dimensions with equal products, found from the left: one-to-one, merged, or split."""
    (x,), target = call.dims, call.targets[0].shape
    found: list[Dim] = []
    rest = [dim for dim, extent in zip(x, call.sources[0].shape, strict=True) if extent != 1]
    extents = [extent for extent in call.sources[0].shape if extent != 1]
    wanted = [extent for extent in target if extent != 1]
    while wanted:
        taken, given = _group(extents, wanted)
        found += _shared(call, rest[:taken], extents[:taken], wanted[:given]) or _apart(
            call, fuse(*rest[:taken]), wanted[:given]
        )
        rest, extents, wanted = rest[taken:], extents[taken:], wanted[given:]
    places = iter(found)
    return (tuple(UNIT if extent == 1 else next(places) for extent in target),)


def _apart(call: Call, dim: Dim, extents: list[Extent]) -> list[Dim]:
    """A dim as it is, or in fresh parts that are told to make it up."""
    parts = [dim] if len(extents) == 1 else _parts(call, dim, extents)
    call.tie(fuse(*parts), dim)
    return parts


def _shared(call: Call, dims: list[Dim], extents: list[Extent], wanted: list[Extent]) -> list[Dim] | None:
    """Dims that a symbolic one is cut across, as ``B, h·d`` becomes ``B·h, d``: parts are found by dividing sizes.

    Nothing where no size is symbolic, since unification can then divide axes, or where one does not divide the other.
    """
    if min(len(dims), len(wanted)) == 1 or all(isinstance(extent, int) for extent in (*extents, *wanted)):
        return None
    found: list[Dim] = []
    piece, needed, waiting = UNIT, list(wanted), list(zip(dims, extents, strict=True))
    while waiting:
        (dim, extent), need = waiting.pop(0), needed[0]
        over, under = quotient(extent, need), quotient(need, extent)
        if under is not None and under != 1:
            piece, needed[0] = fuse(piece, dim), under
            continue
        if over is None:
            return None
        if over != 1:
            dim, rest = _apart(call, dim, [need, over])
            waiting.insert(0, (rest, over))
        found.append(fuse(piece, dim))
        piece, needed = UNIT, needed[1:]
    return found


def quotient(extent: Extent, by: Extent) -> Extent | None:
    """How often `by` goes into `extent` whatever the symbols are; nothing unless `by` is one term that divides all."""
    (monomial, count), *others = terms(by).items()
    found: dict[tuple[str, ...], int] = {}
    for symbols_of, times in terms(extent).items():
        left = Counter(symbols_of)
        left.subtract(monomial)
        if others or times % count or min(left.values(), default=0) < 0:
            return None
        found[tuple(sorted(left.elements()))] = times // count
    return normal(found)


def _parts(call: Call, dim: Dim, extents: list[Extent]) -> list[Dim]:
    """Fresh axes that a dim is split into, named after it: heads are ``q_proj:out/0``, their width ``q_proj:out/1``."""
    source = call.unification.resolve(dim)
    stem = str(source) if isinstance(source, Axis) else f"{call.operation.path or 'model'}:part"
    return [call.unification.fresh(f"{stem}/{place}", extent) for place, extent in enumerate(extents)]


def _group(extents: list[Extent], wanted: list[Extent]) -> tuple[int, int]:
    """The shortest runs from the left with equal products; symbols are compared at values that differ."""
    taken = given = 1
    while product(extents[:taken]) != product(wanted[:given]):
        left, right = (_value(product(side)) for side in (extents[:taken], wanted[:given]))
        if left < right:
            taken += 1
        else:
            given += 1
        demand(taken <= len(extents) and given <= len(wanted), "the new shape has another number of elements")
    return taken, given


def _value(extent: Extent) -> int:
    return evaluate(extent, {name: 1_000_003 + 2 * sum(map(ord, name)) for name in symbols(extent)})


def permute(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x with its dimensions in another order."""
    return (Sort(sources[0].dtype, tuple(sources[0].shape[i] for i in order(operation, len(sources[0].shape)))),)


def permute_dims(call: Call) -> tuple[Dims, ...]:
    """The dims in another order."""
    return (tuple(call.dims[0][i] for i in order(call.operation, len(call.dims[0]))),)


def order(operation: Operation, rank: int) -> tuple[int, ...]:
    """Which source dimension each target dimension is."""
    if operation.name == "aten.permute.default":
        return tuple(i % rank for i in integers(operation, "dims"))
    first, second = integer(operation, "dim0") % rank, integer(operation, "dim1") % rank
    swap = {first: second, second: first}
    return tuple(swap.get(i, i) for i in range(rank))


def unsqueeze(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x with an extent 1 put in."""
    shape = sources[0].shape
    place = integer(operation, "dim") % (len(shape) + 1)
    return (Sort(sources[0].dtype, (*shape[:place], 1, *shape[place:])),)


def unsqueeze_dims(call: Call) -> tuple[Dims, ...]:
    """A unit put in."""
    x = call.dims[0]
    place = integer(call.operation, "dim") % (len(x) + 1)
    return ((*x[:place], UNIT, *x[place:]),)


def squeeze(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without the dimension `dim`, where that is 1."""
    shape = sources[0].shape
    place = integer(operation, "dim") % len(shape)
    return (Sort(sources[0].dtype, shape[:place] + shape[place + 1 :] if shape[place] == 1 else shape),)


def squeeze_dims(call: Call) -> tuple[Dims, ...]:
    """A unit taken out. An axis that might shrink to 1 would then vanish, so it is pinned."""
    x, shape = call.dims[0], call.sources[0].shape
    place = integer(call.operation, "dim") % len(x)
    if shape[place] != 1:
        call.pin((x[place],), "squeeze would drop it at size 1")
        return (x,)
    return (x[:place] + x[place + 1 :],)


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The literal shape is the target's."""
    return replaced(cut.operation.attributes, **{_key(cut.operation): cut.targets[0].shape})


FLATTEN = Signature(("aten.flatten.using_ints",), flatten, relation)
LITERAL = Signature(("aten.view.default", "aten.reshape.default"), literal, relation, retune=retune)
PERMUTE = Signature(("aten.permute.default", "aten.transpose.int"), permute, permute_dims)
UNSQUEEZE = Signature(("aten.unsqueeze.default",), unsqueeze, unsqueeze_dims)
SQUEEZE = Signature(("aten.squeeze.dim",), squeeze, squeeze_dims)
