"""Calling an operator on real tensors, and saying the same call as an operation: to hold typing against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from surgdsl.bridge.arguments import DTYPES
from surgdsl.diagram.operation import Attribute, Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME

One = Callable[[torch.Tensor], torch.Tensor]
Two = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def sort_of(tensor: torch.Tensor) -> Sort:
    """What a wire would carry."""
    return Sort(DTYPES[tensor.dtype], tuple(tensor.shape))


def said(name: str, *args: Any, **kwargs: Any) -> tuple[Operation, tuple[Sort, ...]]:
    """The call as an operation, with the sorts of its sources."""
    sources: list[torch.Tensor] = []
    attributes: dict[str, Attribute] = {}
    for place, argument in enumerate(overload(name)._schema.arguments):  # noqa: SLF001 - the schema has no other door
        value = args[place] if place < len(args) else kwargs.get(argument.name, argument.default_value)
        if isinstance(value, torch.Tensor):
            sources.append(value)
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, torch.Tensor) for item in value):
            sources += value
            attributes[argument.name] = Tensors(len(value))
        elif isinstance(value, list):
            attributes[argument.name] = tuple(value)
        else:
            attributes[argument.name] = str(value) if isinstance(value, torch.dtype) else value
    return Operation(name, (), (), tuple(sorted(attributes.items()))), tuple(map(sort_of, sources))


def overload(name: str) -> Any:
    """The operator of torch."""
    _, base, form = name.split(".")
    return getattr(getattr(torch.ops.aten, base), form)


def agree(name: str, *args: Any, **kwargs: Any) -> None:
    """Assert that torch returns the sorts that the operator's typing says."""
    operation, sources = said(name, *args, **kwargs)
    found = overload(name)(*args, **kwargs)
    returned = found if isinstance(found, (tuple, list)) else (found,)
    assert BY_NAME[name].typing(operation, sources) == tuple(map(sort_of, returned))
