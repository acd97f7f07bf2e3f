"""Recalibration of batch norms: their running statistics are measured anew on what they read now.

After a cut or a rounding, the inputs of a batch norm have other moments than those it was trained with, and it no
longer normalises. Measuring them again costs one pass and no label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.bridge.moments import NORM, moments
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import BATCH
from surgdsl.bridge.weight import NUMPY, Array, State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.net import Net
from surgdsl.surgery.adjusting import Account, adjust, stated
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard


@frozen
class Recalibrate:
    """Measure the statistics of the batch norms whose running means are called `bases` anew on the rows of `data`."""

    bases: tuple[str, ...]
    data: str
    rows: Callable[[], Rows] = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        return f"statistics of {len(self.bases)} batch norm{'s' * (len(self.bases) > 1)} measured on {self.data}"

    @property
    def _method(self) -> str:
        return f"batch norm statistics, cumulative averages of batches of {BATCH} with unbiased variances"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """The same statistics in their place: their values are not known yet."""
        names = [name for pair in norms(state.net, self.bases).values() for name in pair]
        account = Account(self._method, self.data)
        yield adjust(state, {name: state.weights[name] for name in names}, account, number, step)

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Measure, in one pass over all rows.

        Raises:
            Refusal: E0720, there is one row only; E0506, a statistic would not be finite.
        """
        rows, found = self.rows(), norms(state.net, self.bases)
        if len(rows) < 2:
            why = "one row has no variance: statistics take two or more"
            raise Refusal(Diagnostic("E0720", f"`{self.data}` cannot be measured on", label=why))
        heard(f"measuring {len(found)} batch norms on {len(rows)} rows of {self.data}")
        weights: dict[str, Weight] = {}
        shifts = list[float]()
        for norm, measured in moments(state, rows, tuple(found)).items():
            for name, values in zip(found[norm], measured, strict=True):
                weights[name] = rewritten(state.weights[name], values, state.net, name)
            old = [state.weights[name].parts["values"].astype(np.float64) for name in found[norm]]
            shifts.append(_shift(old, measured))
        figures = {"rows": stated(len(rows)), "shift": stated(max(shifts))}
        yield adjust(state, weights, Account(self._method, self.data, figures), number, step)


def _shift(old: list[Array], new: tuple[Array, Array]) -> float:
    """How far the means of a norm moved: the root mean square, in the deviations that were measured."""
    return float(np.sqrt(np.mean((new[0] - old[0]) ** 2 / (new[1] + np.finfo(np.float32).tiny))))


def rewritten(weight: Weight, values: Array, net: Net, name: str) -> Weight:
    """A dense weight with other values, rounded once to its dtype.

    Raises:
        Refusal: E0506, one of them is not finite.
    """
    with np.errstate(all="ignore"):
        made = values.astype(NUMPY[weight.dtype])
    if not np.isfinite(made).all():
        payload = net.graph.operations[name].payload
        what = payload.base if payload else name
        raise Refusal(Diagnostic("E0506", f"`{what}` would not be finite", label="what passes there is not"))
    return evolve(weight, parts={"values": made})


def norms(net: Net, bases: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    """Batch norms by name, with the params of their mean and variance, of those whose mean is called as in `bases`."""
    found: dict[str, tuple[str, str]] = {}
    for name, operation in net.graph.operations.items():
        if operation.name == NORM and (pair := statistics(net, name)) is not None:
            payload = net.graph.operations[pair[0]].payload
            if payload and payload.base in bases:
                found[name] = pair
    return found


def statistics(net: Net, name: str) -> tuple[str, str] | None:
    """The params of the running mean and variance of a batch norm; None where it has none, or shares them."""
    operation = net.graph.operations[name]
    absent = {key for key, value in operation.attributes if value is None}
    if absent & {"running_mean", "running_var"}:
        return None
    wires = operation.sources[-2:]
    makers = [net.graph.producers[wire] for wire in wires]
    if any(len(one) != 1 for one in makers) or any(len(net.graph.consumers[wire]) > 1 for wire in wires):
        return None
    mean, variance = (one[0] for one in makers)
    return (mean, variance) if net.graph.operations[mean].payload and net.graph.operations[variance].payload else None
