"""macs/1: multiply-accumulates of one evaluation, symbols bound as the certificate says.

What an operation costs is part of its meaning and stands in `operations`; one without a cost rule is refused there.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.bridge.weight import Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.operations import cost

ID = "macs/1"


def contribution(operation: Operation, net: Net, _weight: Weight | None, binding: Mapping[str, int]) -> int:
    """The cost of one operation.

    Raises:
        Refusal: E0603, no cost rule is known for it.
    """
    return cost(operation, tuple(map(net.sort, operation.sources)), tuple(map(net.sort, operation.targets)), binding)
