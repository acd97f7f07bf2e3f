"""The zoo as the verifier sees it: operations typed, counted as the compiler counts, and related when axes are cut.

    python tests/benchmarks/zoo/verified.py awkward language vision image

Prints what the verifier refuses or sees otherwise, once for each operator, and a line for each group.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[3])]

from entry import Entry
from surgdsl.bridge.capture import capture
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.execution.graph import attribute, sort_row
from surgdsl.operations import cost
from surgdsl.operations.coupling import couple
from surgdsl.surgery.prune import Cutting
from surgdsl.verifier import net as verifier
from surgdsl.verifier.extent import symbols as symbols_of
from surgdsl.verifier.operations import check_type, macs, related
from surgdsl.verifier.reject import Reject

SIZE = 3  # what symbols stand for when costs are compared
AXES = 12  # how many axes of a model are cut, each by itself
Wires = dict[str, verifier.Sort]


def main() -> None:
    """Look at the groups that are named."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for group in sys.argv[1:]:
        tally, faults = Counter[str](), dict[str, str]()
        for entry in importlib.import_module(group).entries():
            look(entry, tally, faults)
        for operator, reason in faults.items():
            sys.stdout.write(f"  {operator}: {reason}\n")
        sys.stdout.write(f"{group}: {', '.join(f'{count} {what}' for what, count in sorted(tally.items()))}\n")


def look(entry: Entry, tally: Counter[str], faults: dict[str, str]) -> None:
    """One model: typed and counted, then cut."""
    args, kwargs = entry.arguments(2)
    module = entry.build()
    try:
        state = capture(module, args, kwargs, dict(entry.dynamic))
    except Refusal:
        state = capture(module, args, kwargs)
    before = set(faults)
    wires = {name: sort_of(sort) for name, sort in state.net.graph.wires.items()}
    for operation in state.net.graph.operations.values():
        if operation.name != PARAM:
            reason = compared(state, operation, wires)
            tally["operations"] += 1
            faults |= {operation.name: f"{entry.name}: {reason}"} if reason and operation.name not in faults else {}
    coupling = couple(state.net)
    free = [axis for axis in coupling.prunable if axis not in coupling.blurs and axis.size != 1]
    chance = np.random.default_rng(0)
    for at in sorted(chance.permutation(len(free))[:AXES]):
        size = free[at].size
        assert isinstance(size, int)
        keep = np.sort(chance.permutation(size)[: max(1, size // 2)]).astype(np.intp)
        for name, reason in kept(Cutting(state, coupling, {free[at]: keep}), wires):
            tally["relations"] += 1
            faults |= {name: f"{entry.name}: {reason}"} if reason and name not in faults else {}
    tally["models"] += 1
    tally["models with a fault"] += set(faults) != before


def compared(state: State, operation: Operation, wires: Wires) -> str:
    """What the verifier has against an operation, or counts otherwise."""
    sorts = [tuple(map(state.net.sort, side)) for side in (operation.sources, operation.targets)]
    names = {symbol for wire in wires.values() for extent in wire.shape for symbol in symbols_of(extent)}
    binding = dict.fromkeys(names, SIZE)
    try:
        found = parsed(operation, wires)
        check_type(found, wires)
        ours, theirs = macs(found, wires, binding), cost(operation, sorts[0], sorts[1], binding)
    except (Reject, Refusal) as reject:
        return str(reject)
    return "" if ours == theirs else f"{ours} multiply-accumulates here, {theirs} there"


def kept(cutting: Cutting, wires: Wires) -> list[tuple[str, str]]:
    """For each operation that a cut touches what the verifier has against its restriction."""
    replacement = cutting.replacement()
    after = wires | {new: sort_of(sort) for new, sort in replacement.wires.items()}
    sets = {
        wire: tuple(None if index is None else tuple(map(int, index)) for index in cutting.indices(wire))
        for wire in replacement.left.wires
    }
    found: list[tuple[str, str]] = []
    both = zip(replacement.left.operations.values(), replacement.operations.values(), strict=True)
    for before, new in both:
        if before.name == PARAM:
            continue
        try:
            pair = parsed(before, wires), parsed(new, after)
            check_type(pair[1], after)
            agree = related(*pair, (wires, after), sets)
        except Reject as reject:
            found.append((before.name, str(reject)))
            continue
        found.append((before.name, "" if agree else f"not related: {dict(new.attributes)}"))
    return found


def parsed(operation: Operation, wires: Wires) -> verifier.Operation:
    """An operation as the verifier reads it from a graph."""
    raw: dict[str, Any] = {
        "attributes": [[name, attribute(value)] for name, value in sorted(operation.attributes)], "op": operation.name,
        "sources": list(operation.sources), "targets": list(operation.targets),
    }  # fmt: skip
    return verifier.parse_operation(raw, wires, "")


def sort_of(sort: Any) -> verifier.Sort:
    """A sort as the verifier reads it."""
    row: Any = sort_row(sort)
    return verifier.Sort(row["dtype"], tuple(row["shape"]))


if __name__ == "__main__":
    main()
