"""An entry of the zoo: a model that can be built offline, with example inputs and the dimensions that vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import field, frozen
from torch import Tensor, nn


@frozen
class Entry:
    """How to build a model with random weights, and what it takes."""

    family: str
    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[int], Mapping[str, Tensor]]
    """Inputs by name for a batch of so many rows."""
    dynamic: Mapping[str, Mapping[int, str]] = field(factory=dict[str, Mapping[int, str]])

    dtype: torch.dtype = torch.float32
    under: tuple[str, ...] = ()
    """Axes of which it is asked what is said of them."""

    def arguments(self, batch: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments by position and by name; floats in the entry's dtype."""
        given = self.inputs(batch).items()
        return (), {name: one.to(self.dtype) if one.is_floating_point() else one for name, one in given}
