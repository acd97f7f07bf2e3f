"""Signatures: what an operation takes, what it gives, how its indices are related, and what it costs.

A schema lists the arguments of the ATen operator: `x` a tensor, `x?` an optional one, `x*` a list of tensors, `x/` a
tensor or a number, `name:kind` an attribute. Nothing may be missing, nothing may be added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object
from surgdsl.verifier.digest import FLOATING
from surgdsl.verifier.extent import Extent
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.reject import Reject, need

Shape = tuple[Extent, ...]
Indices = tuple[int, ...] | None
Sets = tuple[Indices, ...]
"""Kept indices for each dimension; None where the dimension is kept whole."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation's arguments by name: the sorts of its sources, the port of each tensor, the values of attributes."""

    sorts: tuple[Sort, ...]
    ports: dict[str, int]
    values: dict[str, Any]

    def shape(self, name: str) -> Shape:
        """The shape of a tensor argument."""
        return self.sorts[self.ports[name]].shape

    def given(self, *names: str) -> tuple[str, ...]:
        """Which of these tensor arguments are present."""
        return tuple(name for name in names if name in self.ports)

    def dimension(self, name: str, rank: int) -> int:
        """The dimension that an attribute names, counted from the front; V09 when there is none."""
        return dimension(self.values[name], rank)


@dataclass(frozen=True, slots=True)
class Cut:
    """One operation before and after a restriction, and the kept sets of its sources and its target."""

    before: Call
    after: Call
    sources: tuple[Sets, ...]
    target: Sets
    shape: Shape

    def of(self, name: str) -> Sets:
        """The kept sets of a tensor argument."""
        return self.sources[self.before.ports[name]]


@dataclass(frozen=True, slots=True)
class Signature:
    """An operator: its schema, the shape of its target, its index relation and its multiply-accumulates."""

    schema: str
    infer: Callable[[Call], Shape]
    relate: Callable[[Cut], bool]
    macs: Callable[[Call, Shape], Shape] | None = None
    dtypes: frozenset[str] | None = FLOATING

    def bind(self, operation: Operation, wires: dict[str, Sort]) -> Call:
        """The call that an operation makes; V09 when its arguments are not those of the schema."""
        attributes, ports, values, at = operation.attributes, dict[str, int](), dict[str, Any](), 0
        for item in self.schema.split():
            name, _, kind = item.partition(":")
            mark, name = (kind, name) if kind else ("", name) if name[-1] not in "?*/" else (name[-1], name[:-1])
            if kind or (mark in ("?", "/") and name in attributes):
                need(name in attributes, "V09", f"`{operation.name}` lacks the attribute `{name}`")
                values[name] = READERS[mark](attributes.pop(name), f"`{operation.name}`: `{name}`")
                continue
            ports[name] = at
            at += _count(attributes.pop(name, None), operation.name) if mark == "*" else 1
        need(not attributes, "V09", f"`{operation.name}` has the unknown attribute `{min(attributes, default='')}`")
        fits = at == len(operation.sources) and len(operation.targets) == 1
        need(fits, "V09", f"`{operation.name}` has the wrong number of ports")
        return Call(tuple(wires[wire] for wire in operation.sources), ports, values)

    def type(self, call: Call) -> Sort:
        """The sort of the target; V09 when the sources do not fit."""
        dtype = call.sorts[0].dtype
        need(all(sort.dtype == dtype for sort in call.sorts), "V09", "the sources differ in dtype")
        need(self.dtypes is None or dtype in self.dtypes, "V09", f"dtype {dtype} is not computed with here")
        return Sort(dtype, self.infer(call))


def dimension(number: int, rank: int) -> int:
    """A dimension counted from the front, given one that may count from the back."""
    need(-rank <= number < rank, "V09", f"there is no dimension {number}")
    return number % rank


def spread(values: tuple[int, ...], rank: int, least: int = 1) -> tuple[int, ...]:
    """One value for each of `rank` dimensions, from as many or from one."""
    fits = len(values) in (1, rank) and all(value >= least for value in values)
    need(fits, "V09", f"{values} does not fit {rank} dimensions")
    return values if len(values) == rank else values * rank


def full(kept: Indices, extent: Extent) -> tuple[int, ...]:
    """A kept set written out; V14 when the dimension is symbolic."""
    if not isinstance(extent, int):
        raise Reject("V14", f"the indices of the symbolic extent `{extent}` cannot be listed")
    return tuple(range(extent)) if kept is None else kept


def same(cut: Cut) -> bool:
    """The index relation of operations that keep every dimension apart: all sources and the target agree."""
    return all(sets == cut.target for sets in cut.sources)


def _count(value: Any, name: str) -> int:
    need(_wrapped(value, "tensors"), "V09", f"`{name}` does not say how many tensors it takes")
    return int(value["tensors"])


def _reader(test: Callable[[Any], bool], take: Callable[[Any], Any]) -> Callable[[Any, str], Any]:
    def read(value: Any, what: str) -> Any:
        need(test(value), "V09", f"{what} has a value of the wrong kind")
        return take(value)

    return read


def _wrapped(value: Any, key: str) -> bool:
    return is_object(value) and key in value


def _items(value: Any, test: Callable[[Any], bool]) -> bool:
    return is_list(value) and all(test(item) for item in value)


_NUMBER = _reader(
    lambda v: type(v) is int or _wrapped(v, "float"), lambda v: v if type(v) is int else float.fromhex(v["float"])
)  # fmt: skip
READERS: dict[str, Callable[[Any, str], Any]] = {
    "int": _reader(lambda v: type(v) is int, lambda v: v),
    "ints": _reader(lambda v: _items(v, lambda item: type(item) is int), tuple),
    "extents": _reader(
        lambda v: _items(v, lambda item: type(item) is int or _wrapped(item, "extent")),
        lambda v: tuple(item if type(item) is int else item["extent"] for item in v),
    ),
    "flag": _reader(lambda v: type(v) is bool, lambda v: v),
    "off": _reader(lambda v: v is False, lambda v: v),
    "number": _NUMBER,
    "/": _NUMBER,
    "text": _reader(lambda v: type(v) is str, lambda v: v),
    "none": _reader(lambda v: _wrapped(v, "none"), lambda _: None),
    "?": _reader(lambda v: _wrapped(v, "none"), lambda _: None),
    "override": _reader(lambda v: _wrapped(v, "none") or type(v) is int, lambda v: v),
    "format": _reader(lambda v: _wrapped(v, "none") or type(v) in (str, int), lambda _: None),
}
