"""The catalogue: every operation that the verifier can type, cut and count; what is not here is refused."""

from __future__ import annotations

from surgdsl.verifier.extent import value
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations.call import Call, bind
from surgdsl.verifier.operations.letters import Sets
from surgdsl.verifier.operations.signature import Cut
from surgdsl.verifier.operations.table import CATALOGUE
from surgdsl.verifier.reject import Reject, need


def call_of(operation: Operation, wires: dict[str, Sort]) -> Call:
    """The arguments of an operation by name; V09 when the operation is unknown."""
    if operation.name not in CATALOGUE:
        raise Reject("V09", f"the operation `{operation.name}` is unknown")
    return bind(CATALOGUE[operation.name].schema, operation, wires)


def check_type(operation: Operation, wires: dict[str, Sort]) -> None:
    """N1 for one operation: the sorts of its targets are what follows from its sources."""
    if operation.weight is None:
        call = call_of(operation, wires)
        found = CATALOGUE[operation.name].type(call)
        stated = [wires[target] for target in operation.targets]
        need(found == stated, "V09", f"the target of `{operation.name}` is of another sort")


def macs(operation: Operation, wires: dict[str, Sort], binding: dict[str, int]) -> int:
    """Multiply-accumulates of one operation at a binding."""
    if operation.weight is not None or not CATALOGUE[operation.name].cost:
        return 0
    return sum(value(product, binding) for product in CATALOGUE[operation.name].macs(call_of(operation, wires)))


def related(
    before: Operation, after: Operation, wires: tuple[dict[str, Sort], dict[str, Sort]], kept: dict[str, Sets]
) -> bool:
    """The index relation of section 7 between an operation and its restriction; `kept` is by wires of the former."""
    old, new = (call_of(operation, side) for operation, side in zip((before, after), wires, strict=True))
    ports = before.sources + before.targets
    sets, shapes = (tuple(kept[wire] for wire in ports), tuple(wires[0][wire].shape for wire in ports))
    return CATALOGUE[before.name].related(Cut(old, new, sets, shapes))
