"""Naming: an axis called after what it is to the operation that reads it, where its birth could not know.

A weight's dimensions are named when the weight is met, before anything has read it: outputs first, then inputs. That is
the wrong way round for a transposed convolution, and says nothing of a state that a recurrence starts from.
"""

from __future__ import annotations

from surgdsl.axis.dim import Axis, Dim
from surgdsl.operations.signature import Call


def rename(call: Call, dim: Dim, given: tuple[str, ...], name: str) -> None:
    """Name an axis after the operation's place, ``up:filters``, in its old rank among the names.

    Args:
        call: the operation.
        dim: what to name; anything but an axis has no name.
        given: ends of names that say less, numbers left out; an axis with another name keeps it.
        name: what it is there.
    """
    unification = call.unification
    axis = unification.resolve(dim)
    if not isinstance(axis, Axis) or not axis.name.rstrip("0123456789").endswith(given):
        return
    new = unification.fresh(f"{call.operation.path or 'model'}:{name}", axis.size)
    assert isinstance(new, Axis), "an axis is longer than 1"
    unification.bound[axis] = new
    unification.born[new.name] = True, unification.born[axis.name][1]
    if axis in unification.pins:
        unification.pins[new] = unification.pins.pop(axis)
