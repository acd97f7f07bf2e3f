"""Checkable: whether the verifier knows every operation of a model, asked before anything is trained.

The verifier keeps a table of its own, on purpose; what it cannot type it rejects, and a certificate of that model would
be for nobody.
"""

from __future__ import annotations

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.operation import PARAM
from surgdsl.planning.opening import Opened
from surgdsl.verifier.operations import CATALOGUE


def check_known(opened: Opened) -> None:
    """Refuse a model that no certificate can speak of.

    Raises:
        Refusal: E0607, with the operations and where they are called.
    """
    strange: dict[str, str] = {}
    for operation in opened.start.net.graph.operations.values():
        if operation.name != PARAM and operation.name not in CATALOGUE:
            strange.setdefault(operation.name, f" at `{operation.path}`" if operation.path else "")
    if strange:
        span = opened.program.model(opened.surgery.model).source.span
        told = ", ".join(f"`{name}`{place}" for name, place in strange.items())
        raise Refusal(Diagnostic("E0607", "the verifier could not check this model", span, f"it does not know {told}"))
