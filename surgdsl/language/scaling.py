"""Scales of a rule, as in ``with s = max[B](abs(activation(W)))``: vectors of positive numbers that a step decides.

The rule is proved for every positive vector; which one is taken is advice, and so may rest on data, on numbers that a
step gives, and on functions whose last bits nobody agrees on.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.axis.extent import Extent
from surgdsl.formula import Variable
from surgdsl.language import tree
from surgdsl.language.expressions import Place, Shaped, shaped
from surgdsl.language.functions import ROWS
from surgdsl.language.scope import Scope
from surgdsl.rules.ground import axes
from surgdsl.rules.schema import Box, Scale, Schema

ASKED = ("ratio", "data")
"""Types of parameters that only a scale may read: shares, and the rows that it is measured on."""
READERS = ("linear", "conv1d", "conv2d", "conv3d")
"""Kinds of boxes that have an activation."""


def scaling(binding: tree.Binding, boxes: Mapping[str, Box]) -> bool:
    """Whether a binding of `with` gives a scale: its target is one word, which is no box."""
    return len(binding.targets) == 1 and len(binding.targets[0].words) == 1 and str(binding.targets[0]) not in boxes


def scales(
    scope: Scope, node: tree.Rule, known: Schema, readable: Mapping[str, Shaped], boxes: Mapping[str, Box]
) -> tuple[Scale, ...]:
    """The scales of a rule.

    Args:
        scope: where faults go.
        node: the declaration.
        known: its L, K and R.
        readable: what a `with` clause may name.
        boxes: those of R.
    """
    asked = {port.name.text: port.type.word.text for port in node.ports or ()}
    tensors = {**readable, **{name: Shaped(Variable(name)) for name, kind in asked.items() if kind == "ratio"}}
    here, found = Place(scope, tensors, inputs=_inputs(known)), dict[str, Scale]()
    bindings = [one for clause in node.provisos if isinstance(clause, tree.With) for one in clause.bindings]
    for one in bindings:
        if not scaling(one, boxes):
            continue
        (target,) = one.targets
        name = str(target)
        if name in tensors or name in found:
            scope.refuse("E0348", f"`{name}` stands for something already", target.span)
            continue
        made = _scale(here, one, name, known, asked)
        if made is not None:
            found[name] = made
    return tuple(found.values())


def _scale(here: Place, one: tree.Binding, name: str, known: Schema, asked: Mapping[str, str]) -> Scale | None:
    value, sizes = shaped(here, one.value), _sizes(known)
    if value is None:
        return None
    if value.truth or len(value.axes) != 1 or value.axes[0] not in sizes:
        over = ", ".join(value.axes) or "no axis"
        label = f"this is over {over}, expected one of {', '.join(sizes)}"
        return here.scope.refuse("E0348", f"`{name}` is no vector along an axis of L", one.value.span, label)
    scale = Scale(name, value.axes[0], sizes[value.axes[0]], value.expr, span=one.targets[0].span)
    if scale.boxes and asked.get(ROWS) != "data":
        label = f"give the rule `{ROWS}: data`"
        return here.scope.refuse("E0205", f"`{name}` needs rows to be measured on", one.value.span, label)
    return scale


def _sizes(known: Schema) -> dict[str, Extent]:
    """The axes of the weights of L by name, with their sizes."""
    found: dict[str, Extent] = {}
    for box in known.left:
        for tensor in box.kind.tensors:
            for axis, place in zip(axes(box, tensor), tensor.dims, strict=True):
                found.setdefault(axis, box.sizes[place])
    return found


def _inputs(known: Schema) -> dict[str, str]:
    """The boxes of L that read channels, with the axis of the weight that these are."""
    found: dict[str, str] = {}
    for box in known.left:
        weight = box.kind.tensor("weight")
        if weight is not None and box.operation in READERS:
            found[box.name] = axes(box, weight)[1]
    return found
