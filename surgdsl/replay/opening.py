"""Opening: an accepted certificate as nets to run, formed again by the verifier, state by state.

Replay believes only what it has seen verified itself: what is rejected here is rejected, also when it was accepted a
moment ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from attrs import frozen

from surgdsl.verifier import replay
from surgdsl.verifier.check import start
from surgdsl.verifier.declared.declaration import declared
from surgdsl.verifier.folder import Certificate
from surgdsl.verifier.metrics import Ledger
from surgdsl.verifier.report import Report
from surgdsl.verifier.schema import parsed
from surgdsl.verifier.tensors import Store, WeightFile


@frozen
class Opened:
    """A certificate's predicate, its logs by their blob, and the verifier's own view of the net before all steps."""

    predicate: dict[str, Any]
    logs: dict[str, dict[str, Any]]
    first: replay.State
    ledger: Ledger

    def states(self) -> Iterator[tuple[dict[str, Any], replay.Row, replay.State, replay.State]]:
        """Each step as it is recorded, its row in the ledger, and the states before and after it."""
        state, rows = self.first, declared(self.predicate)
        steps = self.predicate["steps"]
        for raw, (row, after) in zip(steps, replay.replay(steps, rows, state, self.ledger), strict=True):
            yield raw, row, state, after
            state = after


def opened(folder: str, before: str, after: str) -> Opened:
    """The certificate in a folder, with the weight files before and after.

    Raises:
        Reject: it is not as it was when it was accepted.
    """
    certificate = Certificate(folder)
    predicate = parsed(certificate.statement, "statement", "cert.json")["predicate"]
    files = WeightFile(before, "the input file", canonical=False), WeightFile(after, "model.safetensors", True)
    store = Store(files)
    for row in predicate["tensors"]:
        store.add(row, partial(certificate.blob, row["blob"], f"tensor {row['digest'][:12]}"))
    ledger = Ledger(store, dict(predicate["binding"]))
    graph = certificate.blob(predicate["input"]["graphBlob"], "the input graph")
    evidence = {row["measured"]["evidence"] for row in predicate["claims"] if "measured" in row}
    logs = {blob: parsed(certificate.blob(blob, "a log"), "log", "a log") for blob in sorted(evidence)}
    return Opened(predicate, logs, start(graph, predicate, ledger, files[0], Report()), ledger)
