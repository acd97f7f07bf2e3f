"""Units: what stands in one box, an operation with its weights and the operations that only carry its result on.

A net has a node for every call; a reader thinks of a convolution with its batch norm and activation as one thing.
"""

from __future__ import annotations

from attrs import evolve, frozen

from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.operations.arithmetic import ARITHMETIC
from surgdsl.operations.casting import CASTING
from surgdsl.operations.choosing import CHOICES
from surgdsl.operations.elementwise import BLANK, DROPOUT, FILL, POLE, SHIFTING_UNARY, UNARY
from surgdsl.operations.gating import SLOPE
from surgdsl.operations.normalisation import BATCH_NORM
from surgdsl.operations.reshaping import FLATTEN, LITERAL, PERMUTE, SQUEEZE, UNSQUEEZE
from surgdsl.operations.signature import Signature
from surgdsl.operations.squeezing import SQUEEZING

CARRIERS: tuple[Signature, ...] = (
    UNARY, SHIFTING_UNARY, POLE, DROPOUT, BLANK, FILL, CASTING, SLOPE, *ARITHMETIC, *CHOICES,
    BATCH_NORM, FLATTEN, LITERAL, PERMUTE, UNSQUEEZE, SQUEEZE, SQUEEZING,
)  # fmt: skip
"""Operators that carry a tensor on: element by element, normalised, or in another arrangement."""
CARRYING = frozenset(name for signature in CARRIERS for name in signature.names)
"""Their names."""


@frozen
class Unit:
    """Operations of one box, the first of them its head, with the wires that it reads and those that others read."""

    operations: tuple[str, ...]
    path: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]


def units(net: Net) -> tuple[Unit, ...]:
    """Every operation of `net` in exactly one unit, in canonical order; weights stand with those who read them."""
    found: dict[str, Unit] = {}
    head_of: dict[str, str] = {}
    for name in number(net).operations:
        operation = net.graph.operations[name]
        if all(is_weight(net, wire) for wire in operation.targets):
            continue
        sources = tuple(wire for wire in dict.fromkeys(operation.sources) if not is_weight(net, wire))
        targets = tuple(wire for wire in operation.targets if net.graph.consumers[wire] or wire in net.interface)
        before = found.get(head_of.get(sources[0], "")) if len(sources) == 1 else None
        if before and _carries_on(net, name, before):
            head = before.operations[0]
            found[head] = evolve(before, operations=(*before.operations, name), targets=targets)
        else:
            head = name
            found[head] = Unit((name,), operation.path, sources, targets)
        head_of.update(dict.fromkeys(targets, head))
    return tuple(found.values())


def is_weight(net: Net, wire: str) -> bool:
    """Whether `wire` carries a weight into boxes; a weight that is itself an output is an operation like any other."""
    made = net.graph.producers[wire]
    return bool(made) and net.graph.operations[made[0]].name == PARAM and wire not in net.interface


def read_weights(net: Net, operation: Operation) -> tuple[Operation, ...]:
    """The weights that `operation` reads, in its order; a weight that stands alone is its own."""
    if operation.name == PARAM:
        return (operation,)
    read = (wire for wire in dict.fromkeys(operation.sources) if is_weight(net, wire))
    return tuple(net.graph.operations[net.graph.producers[wire][0]] for wire in read)


def _carries_on(net: Net, name: str, before: Unit) -> bool:
    """Whether `name` does nothing but carry the only result of `before` on, which nobody else reads."""
    operation = net.graph.operations[name]
    if operation.name not in CARRYING or len(before.targets) != 1 or len(operation.targets) != 1:
        return False
    (wire,) = before.targets
    if wire in net.interface or set(net.graph.consumers[wire]) != {name}:
        return False
    last = net.graph.operations[before.operations[-1]].path
    return any(_at_home(operation.path, path) for path in (before.path, last))


def _at_home(path: str, other: str) -> bool:
    """Whether a reader of the module's source finds both calls in one place: one around the other, or side by side."""
    return within(path, other) or within(other, path) or parent(path) == parent(other)


def parent(path: str) -> str:
    """The module around the one at `path`."""
    return path.rpartition(".")[0]


def within(path: str, module: str) -> bool:
    """Whether `path` is that of `module` or of something in it.

    >>> within("a.b", "a"), within("ab", "a"), within("a", "")
    (True, False, True)
    """
    return not module or path == module or path.startswith(f"{module}.")
