"""An entry of the zoo: a model that can be built offline, with example inputs and the dimensions that vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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

    def arguments(self, batch: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments by position and by name."""
        return (), dict(self.inputs(batch))
