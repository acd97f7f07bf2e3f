"""params/1: elements of all weights, whatever their role, each once.

Read off the sort, so it needs no bytes: a masked element still counts, a pruned one does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from surgdsl.bridge.weight import Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation

ID = "params/1"


def contribution(_operation: Operation, _net: Net, weight: Weight | None, _binding: Mapping[str, int]) -> int:
    """The number of elements of the weight that an operation is; 0 where it is none."""
    return math.prod(weight.shape) if weight else 0
