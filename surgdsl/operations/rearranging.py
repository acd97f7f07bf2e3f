"""Rearranging: dimensions split, dropped or moved by the less common calls.

Sizes written in a call follow; a dimension of extent 1 that is dropped is one that had no axis to begin with.
"""

from __future__ import annotations

from surgdsl.axis.extent import Extent, Polynomial, evaluate, product, symbols
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.parting import extents, place
from surgdsl.operations.reshaping import relation
from surgdsl.operations.signature import Call, Cut, Dims, IllTyped, Signature, demand, integers, replaced


def unflatten(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → `dim` split into `sizes`, one of which may be −1, the rest."""
    (x,) = sources
    at, sizes = place(operation, len(x.shape)), extents(operation, "sizes")
    if -1 in sizes:
        sizes = tuple(_rest(x.shape[at], sizes) if size == -1 else size for size in sizes)
    demand(product(sizes) == x.shape[at], "the sizes do not make up the dimension")
    return (Sort(x.dtype, (*x.shape[:at], *sizes, *x.shape[at + 1 :])),)


def _rest(whole: Extent, sizes: tuple[Extent, ...]) -> Extent:
    """What −1 stands for; symbols are divided at values that cannot meet by chance, and the caller checks it."""
    known = product(size for size in sizes if size != -1)
    if isinstance(known, int) and known > 0:
        if isinstance(whole, int):
            return whole // known
        divided = tuple((monomial, count // known) for monomial, count in whole.terms)
        return Polynomial(divided)
    names = symbols(known) | symbols(whole)
    value = {name: 1_000_003 + 2 * sum(map(ord, name)) for name in names}
    bottom = evaluate(known, value)
    demand(bottom > 0, "the sizes do not make up the dimension")
    return evaluate(whole, value) // bottom


def retune_unflatten(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The sizes are the target's, −1 no more among them."""
    rank = len(cut.sources[0].shape)
    at, target = place(cut.operation, rank), cut.targets[0].shape
    return replaced(cut.operation.attributes, sizes=target[at : len(target) - (rank - at - 1)])


def squeezed(operation: Operation, shape: tuple[Extent, ...]) -> frozenset[int]:
    """The dimensions that vanish."""
    if operation.name == "aten.squeeze.default":
        return frozenset(i for i, extent in enumerate(shape) if extent == 1)
    found = integers(operation, "dim")
    demand(all(-len(shape) <= i < len(shape) for i in found), "there is no such dimension")
    return frozenset(i % len(shape) for i in found if shape[i] == 1)


def squeeze(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x without the dimensions of extent 1, or those of them that the call names."""
    (x,) = sources
    gone = squeezed(operation, x.shape)
    return (Sort(x.dtype, tuple(extent for i, extent in enumerate(x.shape) if i not in gone)),)


def squeeze_dims(call: Call) -> tuple[Dims, ...]:
    """The dims that stay. A call that names none would drop an axis that shrinks to 1, so all that stay are pinned."""
    (x,) = call.dims
    gone = squeezed(call.operation, call.sources[0].shape)
    found = tuple(dim for i, dim in enumerate(x) if i not in gone)
    if call.operation.name == "aten.squeeze.default":
        call.pin(found, "squeeze would drop it at size 1")
    return (found,)


def retune_squeeze(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """A dimension that shrinks was not of extent 1, so it stays even at size 1."""
    if cut.operation.name == "aten.squeeze.default":
        return cut.operation.attributes
    rank = len(cut.kept[0])
    found = tuple(i for i in integers(cut.operation, "dim") if cut.kept[0][i % rank] is None)
    return replaced(cut.operation.attributes, dim=found)


def movedim(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → x with its dimensions in another order."""
    return (Sort(sources[0].dtype, tuple(sources[0].shape[i] for i in order(operation, len(sources[0].shape)))),)


def movedim_dims(call: Call) -> tuple[Dims, ...]:
    """The dims in another order."""
    return (tuple(call.dims[0][i] for i in order(call.operation, len(call.dims[0]))),)


def order(operation: Operation, rank: int) -> tuple[int, ...]:
    """Which source dimension each target dimension is: the named go where they should, the others fill up in order."""
    source, target = (tuple(i % rank for i in integers(operation, name)) for name in ("source", "destination"))
    if len(set(source)) != len(source) or len(set(target)) != len(source) or len(target) != len(source):
        raise IllTyped("dimensions are not moved one to one")
    goes = dict(zip(target, source, strict=True))
    others = iter(i for i in range(rank) if i not in source)
    return tuple(goes[i] if i in goes else next(others) for i in range(rank))


UNFLATTEN = Signature(("aten.unflatten.int",), unflatten, relation, retune=retune_unflatten)
SQUEEZE_ALL = Signature(("aten.squeeze.default", "aten.squeeze.dims"), squeeze, squeeze_dims, retune=retune_squeeze)
MOVEDIM = Signature(("aten.movedim.int", "aten.movedim.intlist"), movedim, movedim_dims)

REARRANGING = (UNFLATTEN, SQUEEZE_ALL, MOVEDIM)
