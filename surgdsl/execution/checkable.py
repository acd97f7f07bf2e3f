"""Checkable: whether the verifier can type every operation of a model, asked before anything is trained.

The verifier keeps a table of its own, on purpose; what it cannot type it rejects, and a certificate of that model would
be for nobody. So it is asked itself, operation by operation.
"""

from __future__ import annotations

from typing import Any

from surgdsl.axis.extent import show
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.execution.graph import attribute
from surgdsl.planning.opening import Opened
from surgdsl.verifier import net as verifier
from surgdsl.verifier.operations import check_type
from surgdsl.verifier.reject import Reject


def check_known(opened: Opened) -> None:
    """Refuse a model that no certificate can speak of.

    Raises:
        Refusal: E0607, with what is wrong and where it is called.
    """
    strange: dict[str, str] = {}
    graph = opened.start.net.graph
    wires = {name: _sort(sort) for name, sort in graph.wires.items()}
    for operation in graph.operations.values():
        if operation.name != PARAM and (fault := _fault(operation, wires)):
            strange.setdefault(fault, f" at `{operation.path}`" if operation.path else "")
    if strange:
        span = opened.program.model(opened.surgery.model).source.span
        told = "; ".join(f"{fault}{place}" for fault, place in strange.items())
        raise Refusal(Diagnostic("E0607", "the verifier could not check this model", span, told))


def _sort(sort: Sort) -> verifier.Sort:
    return verifier.Sort(sort.dtype, tuple(size if isinstance(size, int) else show(size) for size in sort.shape))


def _fault(operation: Operation, wires: dict[str, verifier.Sort]) -> str:
    """What the verifier has against an operation; empty where it has nothing."""
    ports = [*operation.sources, *operation.targets]
    if any(0 in wires[wire].shape for wire in ports):
        return f"`{operation.name}` has to do with a tensor without elements"
    raw: dict[str, Any] = {
        "attributes": [[name, attribute(value)] for name, value in sorted(operation.attributes)],
        "op": operation.name,
        "sources": list(operation.sources),
        "targets": list(operation.targets),
    }
    try:
        check_type(verifier.parse_operation(raw, wires, ""), wires)
    except Reject as reject:
        return reject.message
    return ""
