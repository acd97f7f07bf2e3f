"""Items: the wires and operations of a hypergraph, told apart.

Steps are compared by what they delete, read and create; a wire and an operation may bear one name and are two things.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import frozen

Kind = Literal["operation", "wire"]


@frozen(order=True)
class Item:
    """A wire or an operation, by name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def items(wires: Iterable[str], operations: Iterable[str]) -> frozenset[Item]:
    """The items of these names."""
    return frozenset(Item("wire", name) for name in wires) | frozenset(Item("operation", name) for name in operations)
