"""Grounding: what the patterns of a schema are once its variables have values, and the values once patterns are met.

Both directions are here, since they must agree: what `argument` writes, `Equations` reads back.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import frozen

from surgdsl.axis.extent import Extent, Polynomial, add, multiply, product, show, symbols, terms
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.rules.boxes import Argument, Kind, Tensor, Unsaid
from surgdsl.rules.schema import Box, Port

Binding = Mapping[str, Attribute]
"""The value of each variable: an extent, or whatever an argument may be."""

FLOATING = ("F64", "F32", "F16")
"""What ``real`` stands for: the floating dtypes that are computed with."""


class Unfit(Exception):
    """A pattern does not meet what is there, or a variable has no fitting value; the text says which."""


def extent(pattern: Extent, binding: Binding) -> Extent:
    """The polynomial with its variables replaced.

    >>> c = Polynomial(((("g", "i"), 1), ((), 2)))
    >>> extent(c, {"g": 3, "i": 4})
    14

    Raises:
        Unfit: a variable has no value, or one that is no extent.
    """
    total: Extent = 0
    for monomial, count in terms(pattern).items():
        total = add(total, multiply(count, product(_size(name, binding) for name in monomial)))
    return total


def _size(name: str, binding: Binding) -> Extent:
    value = binding.get(name)
    if isinstance(value, Polynomial) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    if name not in binding:
        raise Unfit(f"`{name}` has no value")
    raise Unfit(f"`{name}` is {value}, which is no size")


def attribute(pattern: Attribute, binding: Binding) -> Attribute:
    """An argument with its variables replaced; a bare variable may be anything.

    Raises:
        Unfit: as `extent`.
    """
    match pattern:
        case Polynomial():
            name = bare(pattern)
            return binding[name] if name is not None and name in binding else extent(pattern, binding)
        case tuple():
            return tuple(attribute(one, binding) for one in pattern)
        case _:
            return pattern


def bare(pattern: Attribute | Extent | None) -> str | None:
    """The name of a pattern that is one variable and nothing else."""
    if isinstance(pattern, Polynomial) and len(pattern.terms) == 1:
        (monomial, count), *_ = pattern.terms
        return monomial[0] if len(monomial) == 1 and count == 1 else None
    return None


def stated(box: Box, argument: Argument) -> Attribute | Unsaid:
    """What a box says of an argument: what is written, else the default; one integer is a list of equal ones."""
    value = dict(box.attributes).get(argument.name, argument.default)
    if argument.spread and isinstance(value, int) and not isinstance(value, bool):
        return (value,) * argument.spread
    return value


def arguments(box: Box, binding: Binding, present: frozenset[str]) -> tuple[tuple[str, Attribute], ...]:
    """All arguments of a box with values for its variables; `present` are the names of its tensors that it has.

    Raises:
        Unfit: a variable has no fitting value, or an argument that has no default is not stated.
    """
    kind = box.kind
    made = {tensor.port: None for tensor in kind.tensors if tensor.name not in present}
    found: dict[str, Attribute] = dict(made)
    for one in _all(kind, box):
        value = stated(box, one)
        if value is Unsaid.DERIVED:
            found[one.name] = tuple(extent(size, binding) for size in box.sizes)
        elif isinstance(value, Unsaid):
            raise Unfit(f"`{box.operation}` needs `{one.name}`")
        else:
            found[one.name] = attribute(value, binding)
    return tuple(sorted(found.items()))


def _all(kind: Kind, box: Box) -> tuple[Argument, ...]:
    if not kind.generic:
        return kind.arguments
    return tuple(Argument(name, Unsaid.STATED) for name, _ in box.attributes)


def shape(box: Box, tensor: Tensor, binding: Binding) -> tuple[Extent, ...]:
    """The shape of a weight of a box.

    Raises:
        Unfit: a variable has no value.
    """
    return tuple(extent(box.sizes[place], binding) for place in tensor.dims)


def axes(box: Box, tensor: Tensor) -> tuple[str, ...]:
    """The names of the axes of a weight: the sizes as they are written, or the kind's own word where that is a number.

    A name that another axis of the weight has already is replaced by the kind's word as well.
    """
    found: list[str] = []
    for place in tensor.dims:
        size, word = box.sizes[place], box.kind.sizes[place]
        name = word if isinstance(size, int) else show(size)
        while name in found:
            name = word if name != word else f"{word}'"
        found.append(name)
    return tuple(found)


def operation(
    box: Box, binding: Binding, wires: Mapping[str, str], tensors: Mapping[str, str], path: str = ""
) -> Operation:
    """The box as an operation: its data wires as `wires` says, its weights (by name) on the wires `tensors`.

    Raises:
        Unfit: as `arguments`.
    """
    data = tuple(wires[wire] for wire in box.sources)
    weights = tuple(tensors[one.name] for one in box.kind.tensors if one.name in tensors)
    sources = (*weights, *data) if box.kind.tensors_first else (*data, *weights)
    targets = tuple(wires[wire] for wire in box.targets)
    return Operation(box.kind.operator, sources, targets, arguments(box, binding, frozenset(tensors)), path=path)


def numbers(box: str, attributes: tuple[tuple[str, Attribute], ...]) -> dict[str, Fraction]:
    """What a rule may read of the arguments of a box: ``N.eps`` and the like, exactly."""
    return {
        f"{box}.{name}": Fraction(value)
        for name, value in attributes
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


@frozen
class Equations:
    """Patterns met with what is there. Solved in any order: a bare variable is bound, all else is compared."""

    given: Binding

    def solve(self, pairs: list[tuple[str, Attribute, Attribute]]) -> dict[str, Attribute]:
        """The values of all variables; each pair has a word for messages, a pattern and a value.

        Raises:
            Unfit: two do not meet, or a variable is not determined.
        """
        binding, waiting = dict(self.given), _flat(pairs)
        while waiting:
            left = [one for one in waiting if not _solved(one, binding)]
            if len(left) == len(waiting):
                raise Unfit(f"{left[0][0]}: {_spelled(left[0][1])} is not determined by {_spelled(left[0][2])}")
            waiting = left
        return binding


def _flat(pairs: list[tuple[str, Attribute, Attribute]]) -> list[tuple[str, Attribute, Attribute]]:
    flat: list[tuple[str, Attribute, Attribute]] = []
    for what, pattern, value in pairs:
        if isinstance(pattern, tuple) and isinstance(value, tuple) and len(pattern) == len(value):
            flat += _flat([(what, one, other) for one, other in zip(pattern, value, strict=True)])
        else:
            flat.append((what, pattern, value))
    return flat


def _solved(pair: tuple[str, Attribute, Attribute], binding: dict[str, Attribute]) -> bool:
    """Whether the pair is settled; it may bind a variable.

    Raises:
        Unfit: it cannot be.
    """
    what, pattern, value = pair
    name = bare(pattern)
    if name is not None and name not in binding:
        binding[name] = value
        return True
    if not isinstance(pattern, Polynomial):
        return _equal(what, pattern, value)
    unknown = sorted(symbols(pattern) - binding.keys())
    if not unknown:
        return _equal(what, attribute(pattern, binding), value)
    if len(unknown) == 1 and isinstance(value, int):
        root = _root(what, pattern, unknown[0], value, binding)
        return root is not None and binding.setdefault(unknown[0], root) == root
    return False


def _root(what: str, pattern: Polynomial, name: str, value: int, binding: Binding) -> int | None:
    """The value of the one unknown of an equation, where it is linear in it and its slope is not 0."""
    points = [extent(pattern, {**binding, name: at}) for at in (0, 1, 2)]
    constant, once, twice = (one if isinstance(one, int) else None for one in points)
    if constant is None or once is None or twice is None or once == constant or twice - once != once - constant:
        return None
    if value < constant or (value - constant) % (once - constant):
        raise Unfit(f"{what}: {value} is no {show(pattern)}")
    return (value - constant) // (once - constant)


def _equal(what: str, expected: Attribute, value: Attribute) -> bool:
    if type(expected) is type(value) and expected == value:
        return True
    raise Unfit(f"{what} is {_spelled(value)}, not {_spelled(expected)}")


def _spelled(value: Attribute) -> str:
    match value:
        case Polynomial():
            return show(value)
        case tuple():
            return f"({', '.join(map(_spelled, value))})"
        case _:
            return str(value)


def type_pairs(port: Port, sort: Sort) -> list[tuple[str, Attribute, Attribute]]:
    """The equations that the type of a K wire asks for.

    Raises:
        Unfit: dtype or number of dimensions differ.
    """
    dtypes = FLOATING if port.dtype == "real" else (port.dtype.upper(),)
    if sort.dtype not in dtypes:
        raise Unfit(f"`{port.wire}` carries {sort.dtype.lower()}, not {port.dtype}")
    if port.shape is None:
        return []
    if len(sort.shape) != len(port.shape):
        raise Unfit(f"`{port.wire}` has {len(sort.shape)} dimensions, not {len(port.shape)}")
    what = f"a size of `{port.wire}`"
    return [
        (what, pattern, value) for pattern, value in zip(port.shape, sort.shape, strict=True) if pattern is not None
    ]
