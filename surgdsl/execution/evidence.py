"""Evidence: what the two models predicted, row by row, so that a claim about accuracy can be recounted.

A log says which models and which rows it speaks of by their digests; it is evidence, not proof, until somebody runs the
models again.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from surgdsl.execution import digest
from surgdsl.execution.canonical import Json, encode
from surgdsl.metrics.accuracy import Classes, Paired, paired


@frozen(slots=False, eq=False)
class Log:
    """Labelled rows and the class that each model predicts for them.

    `name` is what the file calls the rows, `inputs` the tensor digest of the rows themselves; labels and classes have
    shape [n].
    """

    name: str
    inputs: str
    labels: Classes
    before: Classes
    after: Classes

    @property
    def counts(self) -> Paired:
        """The rows, counted in pairs."""
        return paired(self.labels, self.before, self.after)

    def blob(self, manifests: tuple[str, str]) -> bytes:
        """The log as a certificate holds it, for the models before and after with these manifest digests."""
        rows = zip(self.labels.tolist(), self.before.tolist(), self.after.tolist(), strict=True)
        table: list[Json] = [[place, *row] for place, row in enumerate(rows)]
        return encode(
            {
                "before": manifests[0],
                "after": manifests[1],
                "data": {
                    "inputs": self.inputs,
                    "labels": digest.tensor("I64", self.labels.astype(np.int64)),
                    "name": self.name,
                    "rows": self.labels.size,
                },
                "kind": "predictions",
                "rows": table,
            }
        )
