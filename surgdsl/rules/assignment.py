"""Assignments: the weights of R from the weights of L, as the clauses of `with` say, in any field of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from surgdsl.diagram.operation import Attribute
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.fields import Field
from surgdsl.formula.tensor import Misfit, Tensor, Values
from surgdsl.rules.ground import axes, extent
from surgdsl.rules.schema import Assignment, Box, Schema

Sizes = Mapping[str, Attribute]


def environment(
    schema: Schema, binding: Sizes, tensors: Mapping[str, Values], arguments: Mapping[str, Fraction], field: Field
) -> Environment:
    """What the names in a `with` clause stand for.

    Args:
        schema: the rule.
        binding: its variables.
        tensors: the weights of L that are there, by ``box.tensor``; one that is absent reads as its neutral element.
            Scales, by their names.
        arguments: numbers among the arguments of the boxes of L, by ``box.argument``.
        field: the numbers to compute with.
    """
    sizes = {name: Fraction(value) for name, value in binding.items() if isinstance(value, int | float)}
    found = {
        name: Tensor((), np.array(field.number(value), dtype=field.dtype))
        for name, value in {**sizes, **arguments}.items()
    }
    for box in schema.left:
        for tensor in box.kind.tensors:
            name, shape = f"{box.name}.{tensor.name}", weight_shape(box, tensor.dims, binding)
            if name in tensors or tensor.absent is not None:
                neutral = field.number(Fraction(tensor.absent or 0))
                values = tensors[name] if name in tensors else np.full(shape, neutral, dtype=field.dtype)
                found[name] = Tensor(axes(box, tensor), values)
    found |= {one.name: Tensor((one.axis,), tensors[one.name]) for one in schema.scales if one.name in tensors}
    return Environment(found)


def weight_shape(box: Box, dims: tuple[int, ...], binding: Sizes) -> tuple[int, ...]:
    """The shape of a weight of a box, in numbers.

    Raises:
        Unfit: a variable has no value.
    """
    sizes = (extent(box.sizes[place], binding) for place in dims)
    return tuple(size if isinstance(size, int) else 0 for size in sizes)


def assigned(clause: Assignment, box: Box, binding: Sizes, inside: Environment, field: Field) -> Values:
    """What a clause gives, in the axes of the weight; along an axis that its value lacks, it is the same.

    Raises:
        Misfit: the value has an axis that the weight lacks, or another extent.
        Undefined: the value does not exist.
    """
    found = evaluate(clause.value, inside, field)
    tensor = box.kind.tensor(clause.tensor)
    assert tensor is not None, "a schema assigns weights that its boxes have"
    wanted, shape = axes(box, tensor), weight_shape(box, tensor.dims, binding)
    extra = [axis for axis in found.axes if axis not in wanted]
    if extra:
        raise Misfit(f"{clause.box}.{clause.tensor} has no axis {extra[0]}, only {', '.join(wanted)}")
    laid = found.laid(tuple(axis for axis in wanted if axis in found.axes)).values
    spread = laid.reshape([found.extents.get(axis, 1) for axis in wanted])
    if any(size not in (1, whole) for size, whole in zip(spread.shape, shape, strict=True)):
        raise Misfit(f"{clause.box}.{clause.tensor} is {list(shape)}, its value is {list(spread.shape)}")
    return np.broadcast_to(spread, shape)
