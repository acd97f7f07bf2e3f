"""Norms over groups of channels and over the positions of each channel: group norm and instance norm.

Channels are g ⊗ c: whole groups may go, and the literal `num_groups` follows; inside a group every channel has a part
in the average.
"""

from __future__ import annotations

import numpy as np

from surgdsl.axis.dim import fuse
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Cut, Dims, Signature, demand, integer, replaced
from surgdsl.operations.subscripts import Subscript, carried, meet


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, g·c, …], weight and bias[g·c] → the same as x."""
    x, *given = sources
    demand(len(x.shape) >= 2 and isinstance(x.shape[1], int), "a norm of groups needs a batch and channels")
    _inner(operation, x)
    demand(all(tensor.shape == x.shape[1:2] for tensor in given), "the weights do not fit the channels")
    return (x,)


def _inner(operation: Operation, x: Sort) -> int:
    """The channels of a group."""
    groups, channels = integer(operation, "num_groups"), x.shape[1]
    demand(
        isinstance(channels, int) and groups >= 1 and channels % groups == 0, "the groups do not divide the channels"
    )
    assert isinstance(channels, int)
    return channels // groups


def _subscripts(call: Call) -> tuple[Subscript, ...]:
    return (tuple(range(len(call.dims[0]))), *((1,) for _ in call.dims[1:]))


def relation(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ weight ~ bias ~ g ⊗ c, c worked over, and so are the dims behind."""
    x, path = call.dims[0], call.operation.path or "model"
    meet(call, _subscripts(call))
    group = call.unification.fresh(f"{path}:groups", integer(call.operation, "num_groups"))
    inner = call.unification.fresh(f"{path}:group", _inner(call.operation, call.sources[0]))
    call.tie(x[1], fuse(group, inner))
    call.blur((inner, *x[2:]), "a norm is taken over it")
    return (x,)


def zero(call: Call) -> bool:
    """Scaled and shifted by weights that are zero. Zero along the batch needs a norm that shifts nothing."""
    given = {name for name in ("weight", "bias") if name not in dict(call.operation.attributes)}
    subscripts, last = _subscripts(call), len(call.dims) - 1
    scaled = "weight" in given and carried(call, subscripts, (1,), (1,), any)
    shifted = "bias" in given and not carried(call, subscripts, (1,), (last,), any)
    other = tuple(letter for letter in subscripts[0] if letter != 1)
    return scaled and not shifted and carried(call, subscripts, other, (0,) if "bias" not in given else (), any)


def retune(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """As many groups as still have a channel."""
    index = cut.kept[0][1]
    if index is None:
        return cut.operation.attributes
    groups = np.unique(index // _inner(cut.operation, cut.before[0]))
    return replaced(cut.operation.attributes, num_groups=len(groups))


def instance(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] with c-long weight, bias, mean and variance, as far as given → the same as x."""
    del operation
    x, *given = sources
    demand(len(x.shape) >= 3, "an instance norm needs a batch, channels and positions")
    demand(all(tensor.shape == x.shape[1:2] for tensor in given), "the weights do not fit the channels")
    return (x,)


def instance_dims(call: Call) -> tuple[Dims, ...]:
    """x[1] ~ all that is given; the dims behind are worked over."""
    x = call.dims[0]
    meet(call, _subscripts(call))
    call.blur(x[2:], "a norm is taken over it")
    return (x,)


def instance_zero(call: Call) -> bool:
    """The norm of zeros, scaled and shifted by weights that are zero; every channel stands by itself."""
    attributes, subscripts = dict(call.operation.attributes), _subscripts(call)
    given = [name for name in ("weight", "bias", "running_mean", "running_var") if name not in attributes]
    other = tuple(letter for letter in subscripts[0] if letter != 1)
    shifts = [1 + given.index(name) for name in ("bias", "running_mean") if name in given]
    return (
        carried(call, subscripts, (1,), (0, 1) if "weight" in given else (0,), any)
        and all(carried(call, subscripts, (1,), (number,), any) for number in shifts)
        and carried(call, subscripts, other, () if shifts else (0,), any)
    )


GROUP_NORM = Signature(("aten.group_norm.default",), typing, relation, retune=retune, zero=zero)
INSTANCE_NORM = Signature(("aten.instance_norm.default",), instance, instance_dims, zero=instance_zero)

GROUP_NORMS = (GROUP_NORM, INSTANCE_NORM)
