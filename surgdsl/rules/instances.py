"""Instances: a schema in the small, with every variable a number, typed by the operators themselves.

A declaration is right when all of its instances are; a few random ones find what is wrong, and are what an identity is
tested on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from attrs import evolve, frozen

from surgdsl.axis.extent import symbols
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations import BY_NAME
from surgdsl.operations.signature import IllTyped
from surgdsl.rules.boxes import Argument, Unsaid
from surgdsl.rules.condition import holds
from surgdsl.rules.ground import Equations, Unfit, bare, extent, operation, shape, type_pairs
from surgdsl.rules.schema import Box, Port, Schema

TRIES = 400
SMALL, LARGE = (1, 2, 3), (4, 5, 6, 7)
"""Sizes of boxes, and those that only the type of an input names: windows must fit into them."""


@frozen
class Placed:
    """A box of an instance: the operation, the names of its weights in the order of its ports, and its wires."""

    box: Box
    operation: Operation
    tensors: tuple[str, ...]


@frozen
class Instance:
    """A schema with numbers for variables: both sides with the sorts of their wires.

    The weights of a box lie on wires called ``box.tensor``.
    """

    binding: Mapping[str, Attribute]
    left: tuple[Placed, ...]
    right: tuple[Placed, ...]
    sorts: tuple[Mapping[str, Sort], Mapping[str, Sort]]


class Misbuilt(Exception):
    """An instance of the schema is not well-typed: where, and why."""

    def __init__(self, what: Box | Port | None, reason: str) -> None:
        super().__init__(reason)
        self.what = what
        self.reason = reason


def instances(schema: Schema, seed: int = 0) -> Iterator[Instance]:
    """Random small instances, without end and always the same.

    Raises:
        Misbuilt: no instance of L can be found, or one of R is ill-typed.
    """
    random = Random(f"{schema.name}:{seed}")  # noqa: S311 - it must repeat, not surprise
    failed: list[Misbuilt] = []
    while len(failed) < TRIES:
        try:
            left = _left(schema, random)
        except Misbuilt as why:
            failed.append(why)
            continue
        yield _right(schema, left)
        failed = []
    raise next((why for why in failed if why.what is None), failed[-1])


@frozen
class Half:
    """L of an instance."""

    binding: Mapping[str, Attribute]
    placed: tuple[Placed, ...]
    sorts: Mapping[str, Sort]


def _left(schema: Schema, random: Random) -> Half:
    chosen = dict(_sampled(schema, random))
    ports = {port.wire: port for port in schema.glue}
    unsaid = tuple(random.choice((*SMALL, LARGE[0])) for _ in range(random.randint(1, 5)))
    known = {wire: _sort(ports[wire], chosen, unsaid) for wire in schema.inputs}
    present = {
        box.name: tuple(one.name for one in box.kind.tensors if one.absent is None or random.random() < 0.7)
        for box in schema.left
    }
    boxes = [_freed(box, random) for box in schema.left]
    placed, sorts = _typed(boxes, chosen, known, present)
    binding = chosen
    for port in schema.glue:
        try:
            binding = Equations(binding).solve(type_pairs(port, sorts[port.wire]))
        except Unfit as why:
            raise Misbuilt(port, str(why)) from why
    try:
        fits = all(holds(condition, binding) for condition in schema.where)
    except Unfit as why:
        raise Misbuilt(None, str(why)) from why
    if not fits:
        raise Misbuilt(None, "nothing satisfies the condition after `where`")
    return Half(binding, placed, sorts)


def _right(schema: Schema, left: Half) -> Instance:
    known = {wire: left.sorts[wire] for wire in schema.inputs}
    bound = {(one.box, one.tensor) for one in schema.weights}
    present = {
        box.name: tuple(one.name for one in box.kind.tensors if (box.name, one.name) in bound) for box in schema.right
    }
    placed, sorts = _typed(schema.right, left.binding, known, present)
    for port in schema.glue:
        if sorts[port.wire] != left.sorts[port.wire]:
            told = f"R writes {sorts[port.wire]} where L writes {left.sorts[port.wire]}"
            raise Misbuilt(port, f"{told} ({spelled(left.binding)})")
    return Instance(left.binding, left.placed, placed, (left.sorts, sorts))


def spelled(binding: Mapping[str, Attribute]) -> str:
    """The values of an instance, for people."""
    return ", ".join(f"{name} = {value}" for name, value in sorted(binding.items()))


# ---- typing -------------------------------------------------------------------------------------


def _typed(
    boxes: Sequence[Box],
    binding: Mapping[str, Attribute],
    known: Mapping[str, Sort],
    present: Mapping[str, tuple[str, ...]],
) -> tuple[tuple[Placed, ...], dict[str, Sort]]:
    """The boxes as operations, in the order of the data, with the sort of every wire."""
    placed, sorts = list[Placed](), dict(known)
    for box in ordered(boxes):
        try:
            one = place(box, binding, present[box.name])
            sorts |= weight_sorts(box, present[box.name], binding, _dtype(sorts, box))
            sorts |= zip(box.targets, typed(one.operation, sorts), strict=True)
        except (Unfit, IllTyped, ValueError) as why:
            raise Misbuilt(box, f"{why} ({spelled(binding)})") from why
        placed.append(one)
    return tuple(placed), sorts


def ordered(boxes: Sequence[Box]) -> list[Box]:
    """The boxes, each after those whose results it reads; those on a cycle are left out."""
    written = {wire: box.name for box in boxes for wire in box.targets}
    done: dict[str, Box] = {}
    waiting: list[Box] = list(boxes)
    while True:
        ready = [
            box
            for box in waiting
            if all(written.get(wire, box.name) in done or wire not in written for wire in box.sources)
        ]
        if not ready:
            return list(done.values())
        done |= {box.name: box for box in ready}
        waiting = [box for box in waiting if box.name not in done]


def place(box: Box, binding: Mapping[str, Attribute], present: tuple[str, ...]) -> Placed:
    """A box as an operation on wires of its own names."""
    wires = {wire: wire for wire in (*box.sources, *box.targets)}
    tensors = {name: f"{box.name}.{name}" for name in present}
    return Placed(box, operation(box, binding, wires, tensors), present)


def weight_sorts(box: Box, present: tuple[str, ...], binding: Mapping[str, Attribute], dtype: str) -> dict[str, Sort]:
    """The sorts of the weights of a box."""
    return {
        f"{box.name}.{tensor.name}": Sort(dtype, shape(box, tensor, binding))
        for tensor in box.kind.tensors
        if tensor.name in present
    }


def typed(one: Operation, sorts: Mapping[str, Sort]) -> tuple[Sort, ...]:
    """What an operation writes.

    Raises:
        IllTyped: its sources do not fit it, or nothing is known of it.
    """
    signature = BY_NAME.get(one.name)
    if signature is None:
        raise IllTyped(f"nothing is known of {one.name}")
    return signature.typing(one, tuple(sorts[wire] for wire in one.sources))


def _dtype(sorts: Mapping[str, Sort], box: Box) -> str:
    found = [sorts[wire].dtype for wire in box.sources if sorts[wire].dtype.startswith(("F", "BF"))]
    return found[0] if found else "F32"


# ---- sampling -----------------------------------------------------------------------------------


def _sampled(schema: Schema, random: Random) -> Iterator[tuple[str, Attribute]]:
    """A value for every variable but those that only the types of what L writes determine."""
    sized = {name for box in schema.left for size in box.sizes for name in symbols(size)}
    sized |= {name for name, _ in schema.parameters}
    read = {name for port in schema.glue if port.wire in schema.inputs for name in port.variables}
    stated = dict(_stated(schema, random))
    for name in sorted(sized | read | stated.keys()):
        yield name, stated[name] if name in stated else random.choice(SMALL if name in sized else LARGE)


def _stated(schema: Schema, random: Random) -> Iterator[tuple[str, Attribute]]:
    """Values for variables that stand for a whole argument."""
    for box in schema.left:
        for name, pattern in box.attributes:
            variable, argument = bare(pattern), box.kind.argument(name)
            if variable is not None and argument is not None:
                yield variable, _argument(argument, random)


def _argument(argument: Argument, random: Random) -> Attribute:
    if argument.spread:
        low = 0 if argument.name == "padding" else 1
        return tuple(random.randint(low, low + 1) for _ in range(argument.spread))
    match argument.default:
        case bool():
            return random.random() < 0.5
        case float():
            return random.choice((0.125, 0.25, 0.5))
        case int():
            return random.choice((argument.default, argument.default, argument.default + 1))
        case Unsaid():
            return random.choice((-1, 1, 1, 2))
        case _:
            return argument.default


def _freed(box: Box, random: Random) -> Box:
    """The box with some value for every argument that it leaves free: the rule must hold for all of them."""
    stated = dict(box.attributes)
    free = [one for one in box.kind.arguments if one.free and one.name not in stated]
    return evolve(box, attributes=(*box.attributes, *((one.name, _argument(one, random)) for one in free)))


def _sort(port: Port, binding: Mapping[str, Attribute], unsaid: tuple[int, ...]) -> Sort:
    dtype = "F32" if port.dtype == "real" else port.dtype.upper()
    if port.shape is None:
        return Sort(dtype, unsaid)
    return Sort(dtype, tuple(2 if one is None else extent(one, binding) for one in port.shape))
