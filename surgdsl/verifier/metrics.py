"""The four metrics, counted from sorts, encodings and bytes; sums over operations, so a step's difference is local."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from surgdsl.verifier.content import Load
from surgdsl.verifier.digest import FLOATING, ITEMSIZE
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations import macs
from surgdsl.verifier.schema import METRICS
from surgdsl.verifier.tensors import Store
from surgdsl.verifier.weight import Weight


class Ledger:
    """Counts operations; remembers the nonzeros of a weight by its parts, so that no weight is scanned twice."""

    def __init__(self, store: Store, binding: dict[str, int]) -> None:
        self._binding = binding
        self._nonzero: dict[tuple[Any, ...], int] = {}
        self.load = Load(store)

    def count(self, operations: Iterable[Operation], wires: dict[str, Sort]) -> Counter[str]:
        """The metrics of some operations."""
        found = Counter[str](dict.fromkeys(METRICS, 0))
        for operation in operations:
            found["macs/1"] += macs(operation, wires, self._binding)
            if operation.weight is not None:
                found["params/1"] += operation.weight.count
                found["size/1"] += operation.weight.stored
                found["nnz/1"] += self.nonzero(operation.weight)
        return found

    def properties(self, weight: Weight) -> dict[str, int]:
        """What a formula may ask of one weight."""
        bits = weight.bits or 8 * ITEMSIZE[weight.dtype]
        return {"count": weight.count, "nnz": self.nonzero(weight), "size": weight.stored, "bits": bits}

    def odd(self, weights: Iterable[Weight]) -> int:
        """How many stored floats of some weights are not finite."""
        parts = (part for weight in weights for part in weight.parts.values() if part.dtype in FLOATING)
        return sum(self.load.store.counts(part)[1] for part in parts)

    def nonzero(self, weight: Weight) -> int:
        """Elements of a weight that are not zero."""
        key = (weight.coding, weight.shape, *(part.digest for part in weight.parts.values()))
        if key not in self._nonzero:
            self._nonzero[key] = self.load.nonzero(weight)
        return self._nonzero[key]
