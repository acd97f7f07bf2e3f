"""Signatures: what the house knows about an operator, in one place for each family.

An operator's signature says how it types, how the dims of its wires are related, what it costs, and how its literals
follow when dims shrink. An operator without one still runs: its sorts are taken as captured, its axes are pinned, and
its cost is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from surgdsl.axis.dim import Dim, Indices
from surgdsl.axis.unification import Pin, Unification
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort

Dims = tuple[Dim, ...]
"""One dim for each dimension of a wire."""


class IllTyped(Exception):
    """The sources do not fit the operator."""


@frozen
class Call:
    """An operation where it stands: its wires' sorts, its sources' dims, the unification that relations write into."""

    operation: Operation
    sources: tuple[Sort, ...]
    targets: tuple[Sort, ...]
    dims: tuple[Dims, ...]
    unification: Unification
    carries_zero: Callable[[str], bool]
    """Does a neutralised index (its weights zeroed) carry zero on this wire?"""

    @property
    def zeros(self) -> tuple[bool, ...]:
        """`carries_zero` of each source."""
        return tuple(map(self.carries_zero, self.operation.sources))

    @property
    def place(self) -> str:
        """Where a user finds the operation."""
        short = self.operation.name.removeprefix("aten.").removesuffix(".default")
        return f"{self.operation.path or 'model'} ({short})"

    def tie(self, left: Dim, right: Dim) -> None:
        """Say that two dims are equal."""
        if left is not right and not self.unification.joined(left, right):
            self.unification.equate(left, right, self.place)

    def pin(self, dims: Dims, reason: str) -> None:
        """Say that dims may not shrink."""
        for dim in dims:
            self.unification.pin(dim, reason, self.place)

    def blur(self, dims: Dims, reason: str) -> None:
        """Say that the operation works over dims and notices whether a zero is there: cutting them is approximate."""
        for dim in dims:
            self.unification.blurs.append((dim, Pin(reason, self.place)))

    def fresh(self, name: str, position: int, target: int = 0) -> Dim:
        """A new axis as long as dimension `position` of a target."""
        return self.unification.fresh(f"{self.operation.path or 'model'}:{name}", self.targets[target].shape[position])


@frozen
class Cut:
    """An operation whose wires shrink: the sorts that they will have, and the source positions kept (None: all)."""

    operation: Operation
    sources: tuple[Sort, ...]
    targets: tuple[Sort, ...]
    kept: tuple[tuple[Indices | None, ...], ...]
    before: tuple[Sort, ...] = ()
    """The sorts that the sources have now: for literals that count in old sizes."""


def unchanged(cut: Cut) -> tuple[tuple[str, Attribute], ...]:
    """The attributes of an operator without literals that depend on sizes."""
    return cut.operation.attributes


def free(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """The cost of an operator that multiplies nothing."""
    del operation, sources, targets, binding
    return 0


def keeps_zero(call: Call) -> bool:
    """Zero where all sources are: what moves, adds or scales elements."""
    return all(call.zeros)


def absorbs_zero(call: Call) -> bool:
    """Zero where any source is: a product."""
    return any(call.zeros)


def makes_zero(call: Call) -> bool:
    """Always zero: a map whose own weights for the index are zero."""
    del call
    return True


def loses_zero(call: Call) -> bool:
    """Never zero: f(0) is something else."""
    del call
    return False


@frozen
class Signature:
    """The four things to know about the operators in `names`."""

    names: tuple[str, ...]
    typing: Callable[[Operation, tuple[Sort, ...]], tuple[Sort, ...]]
    """Target sorts from source sorts; raises IllTyped."""
    relation: Callable[[Call], tuple[Dims, ...]]
    """Target dims, with the equations between dims told to the unification."""
    cost: Callable[[Operation, tuple[Sort, ...], tuple[Sort, ...], Mapping[str, int]], int] = free
    """Multiply-accumulates for one evaluation."""
    retune: Callable[[Cut], tuple[tuple[str, Attribute], ...]] = unchanged
    """The attributes after a cut."""
    zero: Callable[[Call], bool] = keeps_zero
    """Whether neutralised indices carry zero on the targets."""


def demand(condition: bool, message: str) -> None:
    """Raise IllTyped unless `condition`."""
    if not condition:
        raise IllTyped(message)


def replaced(attributes: tuple[tuple[str, Attribute], ...], **changes: Attribute) -> tuple[tuple[str, Attribute], ...]:
    """`attributes` with some values changed."""
    return tuple((name, changes.get(name, value)) for name, value in attributes)


def integers(operation: Operation, name: str, count: int | None = None) -> tuple[int, ...]:
    """An attribute that is a list of integers; one integer stands for `count` equal ones, as in ATen."""
    value = operation.attribute(name)
    found = value if isinstance(value, tuple) else (value,)
    numbers = tuple([int(item) for item in found if isinstance(item, int)])
    if len(numbers) != len(found):
        raise IllTyped(f"{name} must be integers")
    return numbers * count if count and len(numbers) == 1 else numbers


def integer(operation: Operation, name: str) -> int:
    """An attribute that is an integer."""
    value = operation.attribute(name)
    if not isinstance(value, int):
        raise IllTyped(f"{name} must be an integer")
    return int(value)
