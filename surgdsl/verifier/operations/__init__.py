"""The catalogue: every operation that the verifier can type, cut and count; what is not here is refused."""

from __future__ import annotations

import json
from functools import lru_cache

from surgdsl.verifier.extent import Extent, value
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations.call import Call, bind
from surgdsl.verifier.operations.letters import Sets
from surgdsl.verifier.operations.signature import Cut
from surgdsl.verifier.operations.table import CATALOGUE
from surgdsl.verifier.reject import Reject, need


@lru_cache(1 << 12)
def known(label: bytes, sorts: tuple[Sort, ...]) -> tuple[Call, list[Sort], list[Extent]]:
    """An operation's arguments by name, the sorts of its targets, the products that it costs; V09 if none."""
    raw = json.loads(label)
    if raw["op"] not in CATALOGUE:
        raise Reject("V09", f"the operation `{raw['op']}` is unknown")
    row = CATALOGUE[raw["op"]]
    call = bind(row.schema, raw["op"], dict(raw["attributes"]), sorts)
    return call, row.type(call), row.macs(call)


def call_of(operation: Operation, wires: dict[str, Sort]) -> tuple[Call, list[Sort], list[Extent]]:
    """What is known of an operation: it is that of every other with its label and the same sorts."""
    return known(operation.label, tuple(wires[wire] for wire in operation.sources))


def check_type(operation: Operation, wires: dict[str, Sort]) -> None:
    """N1 for one operation: the sorts of its targets are what follows from its sources."""
    if operation.weight is None:
        stated = [wires[target] for target in operation.targets]
        fits = call_of(operation, wires)[1] == stated
        need(fits, "V09", f"the target of `{operation.name}` is of another sort")


def macs(operation: Operation, wires: dict[str, Sort], binding: dict[str, int]) -> int:
    """Multiply-accumulates of one operation at a binding."""
    products = call_of(operation, wires)[2] if operation.weight is None else ()
    return sum(value(product, binding) for product in products)


def related(
    before: Operation, after: Operation, wires: tuple[dict[str, Sort], dict[str, Sort]], kept: dict[str, Sets]
) -> bool:
    """The index relation of section 7 between an operation and its restriction; `kept` is by wires of the former."""
    old, new = (call_of(operation, side)[0] for operation, side in zip((before, after), wires, strict=True))
    ports = before.sources + before.targets
    sets, shapes = (tuple(kept[wire] for wire in ports), tuple(wires[0][wire].shape for wire in ports))
    return CATALOGUE[before.name].related(Cut(old, new, sets, shapes))
