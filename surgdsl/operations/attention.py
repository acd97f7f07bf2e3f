"""Attention: softmax(q·kᵀ·scale + mask)·v, kept whole by export.

Heads are cut with their outputs and the width of a head with its keys; the scale, whose default is told by that width,
keeps the value that the model was trained with. With grouped queries the heads of q are kv ⊗ rep.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from surgdsl.axis.dim import Dim, fuse
from surgdsl.axis.extent import evaluate, product
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, replaced
from surgdsl.operations.subscripts import Subscript, aligned, carried, extents, loose, meet, widest


def _grouped(operation: Operation) -> bool:
    return operation.attribute("enable_gqa") is True


def _subscripts(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Subscript, ...]:
    """Letters of q, k, v, and of the mask where there is one; with grouped queries q has heads of its own."""
    ranks = [len(sort.shape) for sort in sources]
    demand(len(ranks) in (3, 4) and min(ranks[:3]) >= 2, "attention takes q, k, v, and perhaps a mask")
    q, k, v = aligned(*(rank - 2 for rank in ranks[:3]))
    found: list[Subscript] = [(*q, "L", "E"), (*k, "S", "E"), (*v, "S", "V")]
    if _grouped(operation):
        demand(min(ranks[:3]) >= 3, "grouped queries need heads")
        found[0] = (*q[:-1], "heads", "L", "E")
    if len(ranks) == 4:
        demand(ranks[3] <= len(found[0]), "the mask has more dimensions than the scores")
        score = (*found[0][:-1], "S")
        found.append(score[len(score) - ranks[3] :])
    return tuple(found)


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """q[…, h, L, E], k[…, h, S, E], v[…, h, S, V], mask to […, h, L, S] → […, h, L, V]."""
    demand(operation.attribute("dropout_p") in (0, 0.0), "dropout in use: capture the model in eval mode")
    subscripts = _subscripts(operation, sources)
    q, k, v, *_ = sources
    demand(q.dtype == k.dtype == v.dtype, "q, k and v have different dtypes")
    demand(q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2], "q, k and v do not line up")
    found = extents(subscripts, [sort.shape for sort in sources])
    if _grouped(operation):
        heads, shared = q.shape[-3], k.shape[-3]
        demand(isinstance(heads, int) and isinstance(shared, int) and heads % shared == 0, "heads do not group")
        demand(v.shape[-3] == shared, "k and v have different heads")
    return (Sort(q.dtype, tuple(found[letter] for letter in _target(subscripts))),)


def _target(subscripts: tuple[Subscript, ...]) -> Subscript:
    batch = widest(*(len(one) - 2 for one in subscripts[:3]))
    return (*batch[: len(batch) - 1], "heads", "L", "V") if "heads" in subscripts[0] else (*batch, "L", "V")


def relation(call: Call) -> tuple[Dims, ...]:
    """Batch, heads, L, S and E are tied where they line up; S is normalised over, E is summed over."""
    subscripts = _subscripts(call.operation, call.sources)
    dims = _meet(call, subscripts)
    call.blur((dims["S"],), "a softmax is taken over it")
    if not carried(call, subscripts, ("E",), (0, 1), any):
        call.blur((dims["E"],), "a product is summed over it in which no factor is zero")
    if call.operation.attribute("is_causal") is True:
        call.pin((dims["L"], dims["S"]), "a causal mask counts its positions")
    return (tuple(dims[letter] for letter in _target(subscripts)),)


def _meet(call: Call, subscripts: tuple[Subscript, ...]) -> dict[str | int, Dim]:
    dims = meet(call, subscripts)
    if "heads" in dims:
        heads, shared = call.sources[0].shape[-3], call.sources[1].shape[-3]
        assert isinstance(heads, int)
        assert isinstance(shared, int)
        repeat = call.unification.fresh(f"{call.operation.path or 'model'}:rep", heads // shared)
        call.tie(dims["heads"], fuse(dims[-1], repeat))
    return dims


def zero(call: Call) -> bool:
    """Zero where v is, whatever the scores. A head that only q tells apart carries the values of its group."""
    subscripts = _subscripts(call.operation, call.sources)
    alone = "heads" in subscripts[0] and call.sources[0].shape[-3] != call.sources[1].shape[-3]
    if alone and loose(call, call.dims[0][-3]):
        return False
    target = tuple(-1 if letter == "heads" else letter for letter in _target(subscripts))
    return carried(call, subscripts, target, (2,), any)


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """∏ batch and heads · L · S · (E + V); what a mask hides counts."""
    del operation
    (target,), (q, k, *_) = targets, sources
    pairs = evaluate(product((*target.shape[:-1], k.shape[-2])), binding)
    return pairs * (evaluate(q.shape[-1], binding) + evaluate(target.shape[-1], binding))


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The scale stays 1/√E of the width that the model had."""
    width = cut.before[0].shape[-1]
    if cut.operation.attribute("scale") is not None or not isinstance(width, int):
        return cut.operation.attributes
    return replaced(cut.operation.attributes, scale=1 / math.sqrt(width))


ATTENTION = Signature(("aten.scaled_dot_product_attention.default",), typing, relation, cost, retune, zero)
