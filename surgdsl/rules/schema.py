"""Schemas: rules with holes, spans L ← K → R whose sizes, arguments and weights are variables.

Boxes belong to L or to R and are deleted or created; only wires are glue. What a box means is said by its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from attrs import field, frozen

from surgdsl.axis.extent import Extent, Polynomial, symbols
from surgdsl.diagnostic import NOWHERE, Span
from surgdsl.diagram.operation import Attribute
from surgdsl.formula import Formula, Spectral
from surgdsl.formula import variables as formula_variables
from surgdsl.rules.boxes import Kind, kind_of

ACTIVATION = "activation("
"""How a variable begins that stands for what a box reads: ``activation(W)``."""


@frozen
class Spanned:
    """What a text spells; two that say the same are equal."""

    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)


@frozen
class Box(Spanned):
    """One operation of L or R. A polynomial among `sizes` or `attributes` is a pattern over the variables of the rule.

    `sources` and `targets` are data wires only; the weights of a box are its own.
    """

    name: str
    operation: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    sizes: tuple[Extent, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()

    @property
    def kind(self) -> Kind:
        """The row of the table that says what the box is."""
        kind = kind_of(self.operation)
        assert kind is not None, "a schema is made of known boxes"
        return kind

    @property
    def variables(self) -> frozenset[str]:
        """The variables that occur in it."""
        stated = (value for _, value in self.attributes)
        return frozenset(name for value in (*self.sizes, *stated) for name in variables(value))


@frozen
class Port(Spanned):
    """A wire of K with its type; a shape or an extent of None is any, a dtype of ``real`` any floating one."""

    wire: str
    dtype: str
    shape: tuple[Extent | None, ...] | None

    @property
    def variables(self) -> frozenset[str]:
        """The variables that occur in its type."""
        return frozenset(name for extent in self.shape or () if extent is not None for name in symbols(extent))


@frozen
class Assignment(Spanned):
    """A clause of `with`: what a weight of a box of R holds."""

    box: str
    tensor: str
    value: Formula


@frozen
class Scale(Spanned):
    """A vector of positive numbers along `axis`, of extent `size`: the rule holds for all, `value` advises which."""

    name: str
    axis: str
    size: Extent
    value: Formula

    @property
    def boxes(self) -> tuple[str, ...]:
        """The boxes of L whose inputs have to be seen for it."""
        read = (name for name in formula_variables(self.value) if name.startswith(ACTIVATION))
        return tuple(name[len(ACTIVATION) : -1] for name in read)


@frozen
class Bound(Spanned):
    """``norm(y.before - y.after) <= factor * norm(x)``."""

    norm: str
    output: str
    factor: Formula
    input: str


@frozen(slots=False)
class Schema(Spanned):
    """A rule of the language, checked."""

    name: str
    grade: str
    parameters: tuple[tuple[str, str], ...]
    """(name, type), as a step gives them."""
    left: tuple[Box, ...]
    glue: tuple[Port, ...]
    right: tuple[Box, ...]
    where: tuple[Formula, ...] = ()
    weights: tuple[Assignment, ...] = ()
    bound: Bound | None = None
    decreases: tuple[tuple[str, int], ...] | None = None
    """(operation, factor): the natural number Σ factor · count(operation), which R makes smaller."""
    scales: tuple[Scale, ...] = ()

    @cached_property
    def kept(self) -> frozenset[str]:
        """The wires of K."""
        return frozenset(port.wire for port in self.glue)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The wires of K that L does not write, in the order of K."""
        written = {wire for box in self.left for wire in box.targets}
        return tuple(port.wire for port in self.glue if port.wire not in written)

    @cached_property
    def given(self) -> frozenset[str]:
        """The names whose values a match and the arguments of a step determine."""
        names = {name for box in self.left for name in box.variables}
        names |= {name for port in self.glue for name in port.variables}
        return frozenset(names | {name for name, _ in self.parameters})

    @property
    def decomposes(self) -> bool:
        """Whether a weight of R is part of a decomposition, whose bits nothing defines."""
        return any(isinstance(one.value, Spectral) for one in self.weights)

    def wires(self, side: tuple[Box, ...]) -> tuple[str, ...]:
        """The data wires of a side: those of K first, then in the order in which boxes name them."""
        named = (wire for box in side for wire in (*box.sources, *box.targets))
        return tuple(dict.fromkeys((*(port.wire for port in self.glue), *named)))

    def measure(self, side: tuple[Box, ...]) -> int:
        """The natural number that `decreases` counts, for a side."""
        assert self.decreases is not None
        return sum(factor * sum(box.operation == operation for box in side) for operation, factor in self.decreases)


def variables(value: Attribute) -> Iterator[str]:
    """The variables of a pattern."""
    if isinstance(value, Polynomial):
        yield from sorted(symbols(value))
    elif isinstance(value, tuple):
        for one in value:
            yield from variables(one)
