"""size/1: bytes of all stored tensors.

What is counted is what is written: codes, codebooks, scales and masks, not bits per element in theory.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.bridge.encoding import stored_bytes
from surgdsl.bridge.weight import Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation

ID = "size/1"


def contribution(_operation: Operation, _net: Net, weight: Weight | None, _binding: Mapping[str, int]) -> int:
    """The bytes of the parts of the weight that an operation is; 0 where it is none."""
    return stored_bytes(weight) if weight else 0
