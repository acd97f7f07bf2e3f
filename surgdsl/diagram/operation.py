"""Operations: the labelled hyperedges of a net, with ordered sources and targets.

An operation is one call of an ATen operator, or a weight, which is an operation without sources: a weight that two
layers share is one operation whose wire is read twice, so it counts once and is cut once.
"""

from __future__ import annotations

from attrs import field, frozen

from surgdsl.axis.extent import Extent
from surgdsl.diagram.payload import Payload

PARAM = "param"
"""The name of the operation that produces a weight."""


@frozen
class Tensors:
    """The place of a list of `count` tensors among the arguments; the tensors themselves are sources."""

    count: int


Attribute = Extent | float | bool | str | None | Tensors | tuple["Attribute", ...]
"""An argument that is not a tensor. An absent optional tensor stands as None, so that every argument of the schema is
accounted for."""


@frozen
class Operation:
    """A label (name, attributes, payload) with the wires that it reads and writes, in the order of its schema."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    attributes: tuple[tuple[str, Attribute], ...] = ()
    payload: Payload | None = None
    path: str = field(default="", eq=False)
    """Where in the user's module it was called; an annotation, not part of the label."""

    def attribute(self, name: str) -> Attribute:
        """The argument `name`.

        Raises:
            KeyError: the operation has no such attribute.
        """
        for given, value in self.attributes:
            if given == name:
                return value
        raise KeyError(name)

    @property
    def label(self) -> tuple[object, ...]:
        """What a match must preserve besides the wires."""
        return self.name, self.attributes, self.payload
