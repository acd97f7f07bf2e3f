"""Norms over the last dimensions: layer norm and root-mean-square norm.

They average over what they normalise, so a cut there is approximate; the literal `normalized_shape` follows.
"""

from __future__ import annotations

from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integers, replaced
from surgdsl.operations.subscripts import Subscript, aligned, carried, meet

CENTRED = "aten.layer_norm.default"


def _over(operation: Operation) -> int:
    return len(integers(operation, "normalized_shape"))


def _subscripts(call: Call) -> tuple[Subscript, ...]:
    return aligned(*(len(dims) for dims in call.dims))


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[…, normalized_shape], weight and bias[normalized_shape] → the same as x."""
    x, *given = sources
    shape = integers(operation, "normalized_shape")
    demand(0 < len(shape) <= len(x.shape) and x.shape[-len(shape) :] == shape, "the input does not end in this shape")
    demand(
        all(tensor.shape == shape and tensor.dtype == x.dtype for tensor in given), "the weights do not fit the norm"
    )
    return (x,)


def relation(call: Call) -> tuple[Dims, ...]:
    """x[-i] ~ weight[-i] ~ bias[-i]; these dims are worked over."""
    meet(call, _subscripts(call))
    x = call.dims[0]
    call.blur(x[len(x) - _over(call.operation) :], "a norm is taken over it")
    return (x,)


def zero(call: Call) -> bool:
    """Scaled by weights that are zero, or the norm of zeros; and shifted by nothing, or by a bias that is zero."""
    subscripts, attributes = _subscripts(call), dict(call.operation.attributes)
    x, over = subscripts[0], _over(call.operation)
    weight, bias = "weight" not in attributes, call.operation.name == CENTRED and "bias" not in attributes
    scales = ((0,) if call.operation.name != CENTRED else ()) + ((1,) if weight else ())
    return (
        carried(call, subscripts, x[len(x) - over :], scales, any)
        and carried(call, subscripts, x[: len(x) - over], (0,), any)
        and (not bias or carried(call, subscripts, x, (len(call.dims) - 1,), all))
    )


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The literal shape is that of the input's end."""
    shape = cut.sources[0].shape
    return replaced(cut.operation.attributes, normalized_shape=shape[len(shape) - _over(cut.operation) :])


LAYER_NORM = Signature((CENTRED, "aten.rms_norm.default"), typing, relation, retune=retune, zero=zero)
