"""Writing: which layers an axis is born in, as those who name a layer mean it.

Most weights have what they write first and what they read behind it; in a table of embeddings, and in the kernels of a
transposed convolution, it is the other way round.
"""

from __future__ import annotations

from surgdsl.axis.dim import Axis
from surgdsl.operations.coupling import Coupling, Member
from surgdsl.operations.embedding import EMBEDDINGS
from surgdsl.operations.transposed import TRANSPOSED

SECOND = frozenset(name for one in (TRANSPOSED, *EMBEDDINGS) for name in one.names)
"""Operators that write along the second dimension of their weight."""


def writers(coupling: Coupling, axis: Axis) -> frozenset[str]:
    """The paths of layers with a weight that writes `axis`; vectors write nothing."""
    return frozenset(
        member.tensor.rpartition(".")[0]
        for member in coupling.members.get(axis, ())
        if member.dimension == _written(coupling, member)
    )


def _written(coupling: Coupling, member: Member) -> int | None:
    graph = coupling.net.graph
    (wire,) = graph.operations[member.operation].targets
    if len(coupling.dims[wire]) < 2:
        return None
    return int(any(graph.operations[reader].name in SECOND for reader in graph.consumers[wire]))
