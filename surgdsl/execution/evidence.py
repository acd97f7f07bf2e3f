"""Evidence: what the two models predicted or lost, row by row, so that a claim about them can be recounted.

A log says which models and which rows it speaks of by their digests; it is evidence, not proof, until somebody runs the
models again.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from surgdsl.execution import digest
from surgdsl.execution.canonical import Json, encode
from surgdsl.metrics.accuracy import Classes, Paired, paired
from surgdsl.metrics.loss import NAME, Losses


@frozen(slots=False, eq=False)
class Log:
    """Labelled rows and the class that each model predicts for them.

    `name` is what the file calls the rows, `inputs` the tensor digest of the rows themselves; labels and classes have
    shape [n]. `seen` of the rows were looked at by the surgery as well.
    """

    name: str
    inputs: str
    labels: Classes
    before: Classes
    after: Classes
    seen: int = 0

    @property
    def counts(self) -> Paired:
        """The rows, counted in pairs."""
        return paired(self.labels, self.before, self.after)

    def blob(self, manifests: tuple[str, str]) -> bytes:
        """The log as a certificate holds it, for the models before and after with these manifest digests."""
        rows = zip(self.labels.tolist(), self.before.tolist(), self.after.tolist(), strict=True)
        table: list[Json] = [[place, *row] for place, row in enumerate(rows)]
        return encode({**_about(self, manifests), "kind": "predictions", "rows": table})


@frozen(slots=False, eq=False)
class LossLog:
    """Labelled rows and what each model loses on them, in millionths; otherwise as `Log`."""

    name: str
    inputs: str
    labels: Classes
    before: Losses
    after: Losses
    seen: int = 0

    def blob(self, manifests: tuple[str, str]) -> bytes:
        """The log as a certificate holds it, for the models before and after with these manifest digests."""
        rows = zip(self.before.tolist(), self.after.tolist(), strict=True)
        table: list[Json] = [[place, *row] for place, row in enumerate(rows)]
        return encode({**_about(self, manifests), "kind": "losses", "loss": NAME, "rows": table})


def _about(log: Log | LossLog, manifests: tuple[str, str]) -> dict[str, Json]:
    """Which models and which rows a log speaks of."""
    data: dict[str, Json] = {
        "inputs": log.inputs,
        "labels": digest.tensor("I64", log.labels.astype(np.int64)),
        "name": log.name,
        "rows": log.labels.size,
    }
    return {
        "before": manifests[0],
        "after": manifests[1],
        "data": data | ({"seen": log.seen} if log.seen else {}),
    }
