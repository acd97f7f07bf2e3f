"""Asking: what a criterion that Python implements is given, and what it is.

Most criteria are formulas of the language. What is left needs derivatives of the whole net, a training, or the places
of a layer in its graph; each of these is a module of `primitive`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State, plain
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.ranking import Scores
from surgdsl.importance.slices import Slice
from surgdsl.language.criterion import Setting


@frozen(eq=False)
class Asked:
    """The state, the weights that are to be scored, the data, and the arguments of the criterion."""

    state: State
    slices: Sequence[Slice]
    rows: Rows | None
    settings: Mapping[str, Setting]

    @property
    def data(self) -> Rows:
        """The rows; the language gives them to whatever declares that it reads data."""
        assert self.rows is not None, "the language asks for data"
        return self.rows

    def whole(self, name: str) -> int:
        """A setting that is a whole number."""
        return int(Fraction(self.settings[name]))

    def number(self, name: str) -> float:
        """A setting that is a number."""
        return float(Fraction(self.settings[name]))

    def weights(self) -> list[NDArray[np.float64]]:
        """The values of the weights, each in its shape."""
        return [values(self.state, one.operation) for one in self.slices]

    def laid(self, scores: Mapping[str, Array]) -> list[Tensor]:
        """Scores by the names of weights, as the slices see them; 0 for a weight that has no part in the answer."""
        return [one.seen.tensor(scores[one.base]) if one.base in scores else Tensor((), 0.0) for one in self.slices]


def values(state: State, operation: str) -> NDArray[np.float64]:
    """The values of the weight that an operation produces."""
    weight = state.weights[operation]
    return plain(decode(weight), weight.dtype).astype(np.float64)


def every(state: State) -> None:
    """All weights are spoken of."""
    del state


@frozen
class Primitive:
    """A criterion in Python.

    `made` scores every slice over axes of its view; `speaks` tells which weights it speaks of, by the operations that
    produce them, or nothing where that is all; `over` makes of the scores of a whole axis, or of a whole weight, the
    final ones. `elsewhere` says that scores depend on other weights too, though no data are read.
    """

    name: str
    made: Callable[[Asked], Sequence[Tensor]]
    speaks: Callable[[State], Collection[str] | None] = every
    over: Callable[[Scores], Scores] | None = None
    elsewhere: bool = False
