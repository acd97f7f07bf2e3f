"""Watching: what passes over the wires of a net while it runs over rows of data, batch by batch.

Nothing is kept between batches, and of a batch only what is still to be read, so that statistics of large models fit
into memory. Batches are in the order of the rows and always of the same size: the same rows give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch import fx

from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import batch_of, device
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State

BATCH = 64
"""Rows of a batch."""
Seen = Callable[[torch.Tensor], None]
"""Takes in the values of a wire for one batch. They are the net's own and are not to be written to."""


def watch(state: State, rows: Rows, seen: Mapping[str, Seen], batch: int = BATCH) -> None:
    """Run `state` over all rows in order and tell `seen` what each wire carries.

    Args:
        state: a net and its weights; what nothing watched depends on is not run.
        rows: the inputs; a last batch of a single row is joined to the one before, since one row has no variance.
        seen: by wire.
        batch: how many rows are run at a time.
    """
    wires = tuple(seen)
    net = evolve(state.net, outputs=tuple((f"seen {place}", wire) for place, wire in enumerate(wires)))
    module = rebuild(evolve(state, net=net)).to(device())
    (answers,) = (node for node in module.graph.nodes if node.op == "output")
    nodes = answers.args[0] if len(wires) > 1 else (answers.args[0],)
    told: dict[fx.Node, list[Seen]] = {}
    for wire, node in zip(wires, nodes, strict=True):
        told.setdefault(node, []).append(seen[wire])
    answers.args = (None,)
    running = _Watching(module, told)
    with torch.no_grad():
        for chosen in chunks(len(rows), batch):
            inputs, _ = batch_of(rows, chosen)
            running.run(*inputs)


def chunks(count: int, size: int) -> list[np.ndarray[Any, np.dtype[np.intp]]]:
    """The rows of each batch, in order.

    >>> [one.tolist() for one in chunks(5, 2)]
    [[0, 1], [2, 3, 4]]
    """
    found = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
    if len(found) > 1 and len(found[-1]) == 1:
        found[-2:] = [np.concatenate(found[-2:])]
    return found


class _Watching(fx.Interpreter):
    """A run that tells what some nodes give; a value is forgotten once nothing is left that reads it."""

    def __init__(self, module: fx.GraphModule, told: Mapping[fx.Node, list[Seen]]) -> None:
        super().__init__(module)
        self.told = told

    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        for hear in self.told.get(n, ()):
            hear(made)
        return made if n.users else None
