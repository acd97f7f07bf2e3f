"""Signatures: what an operation takes, what it gives, how its indices are related, and what it costs.

A schema lists the arguments of the ATen operator: `x` a tensor, `x?` an optional one, `x*` a list of tensors, `x%` a
list of optional ones, `x/` a tensor or a number that takes part, `name:kind` an attribute, `name:kind?` one that may be
none, `dim=dims:kind` one that is called otherwise here. Nothing may be missing, nothing may be added.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object
from surgdsl.verifier.digest import FLOATING
from surgdsl.verifier.extent import Extent, product
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations.dtypes import WORDS, settle
from surgdsl.verifier.operations.letters import Indices, Map, Places, Sets, Shape, read
from surgdsl.verifier.reject import Reject, need


@dataclass(frozen=True, slots=True)
class Call:
    """An operation's arguments by name: the sorts of its sources, the ports of each tensor, the values of attributes.

    `numbers` are the dtypes of the numbers that take part, `order` the place of each source's argument in the schema.
    """

    name: str
    sorts: tuple[Sort, ...]
    ports: dict[str, int]
    values: dict[str, Any]
    numbers: tuple[str, ...]
    order: tuple[int, ...]

    def shape(self, name: str = "") -> Shape:
        """The shape of a tensor argument, of the first one unless it is named."""
        return self.sorts[self.ports[name] if name else 0].shape

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of all sources."""
        return tuple(sort.shape for sort in self.sorts)

    @property
    def rank(self) -> int:
        """The spatial dimensions that the operator's name tells."""
        found = re.search(r"(\d)d", self.name)
        return int(found[1]) if found else 0

    def dimension(self, name: str = "dim", more: int = 0) -> int:
        """The dimension that an attribute names, counted from the front; V09 when there is none."""
        return dimension(self.values[name], len(self.shape()) + more)


@dataclass(frozen=True, slots=True)
class Cut:
    """One operation before and after a restriction, the kept sets of its sources and targets, and all their shapes."""

    before: Call
    after: Call
    sources: tuple[Sets, ...]
    targets: tuple[Sets, ...]
    shapes: tuple[Shape, ...]

    def of(self, name: str = "") -> Sets:
        """The kept sets of a tensor argument, of the first one unless it is named."""
        return self.sources[self.before.ports[name] if name else 0]

    def follows(self, old: Map, new: Map) -> bool:
        """Whether what a map says of kept indices is what the map of the cut operation says of their ranks."""
        (port, dim), (other, at), to = old
        sets = (*self.sources, *self.targets)
        if sets[port][dim] is None and sets[other][at] is None:
            return True
        rank: dict[int | None, int | None] = {index: place for place, index in enumerate(self.kept(other, at))}
        rank[None] = None
        return all(rank.get(to(index), -1) == new[2](place) for place, index in enumerate(self.kept(port, dim)))

    def kept(self, port: int, dim: int) -> tuple[int, ...]:
        """The kept indices of a dimension of a source or, counted on, of a target, written out."""
        return full((*self.sources, *self.targets)[port][dim], self.shapes[port][dim])


@dataclass(frozen=True, slots=True)
class Signature:
    """An operator: its schema, its dtypes, its places, what `also` relates its indices, what a cut changes, its cost.

    `cost` is a sum of products of letters; those behind a point are summed over, and over 1 nothing is summed.
    """

    schema: str
    dtypes: str
    places: Callable[[Call], Places] | str
    cost: Callable[[Call, Places], list[Extent]] | str = ""
    forced: tuple[str, ...] = ()
    also: Callable[[Cut], bool] | None = None

    def bind(self, operation: Operation, wires: dict[str, Sort]) -> Call:
        """The call that an operation makes; V09 when its arguments are not those of the schema."""
        attributes, ports, values = operation.attributes, dict[str, int](), dict[str, Any]()
        order, numbers = list[int](), list[str]()
        for place, item in enumerate(self.schema.split()):
            name, _, kind = item.partition(":")
            mark, name = (kind, name) if kind else ("", name) if name[-1].isalnum() else (name[-1], name[:-1])
            if kind or (mark in ("?", "/") and name in attributes):
                known, _, written = name.partition("=")
                written = written or known
                need(written in attributes, "V09", f"`{operation.name}` lacks the attribute `{written}`")
                values[known] = given = value_of(mark, attributes.pop(written), f"`{operation.name}`: `{written}`")
                numbers += [NUMBERS[type(given)]] if mark in ("/", "operand", "operand?") and given is not None else []
                continue
            ports[name] = len(order)
            listed = counted(attributes.pop(name, None), operation.name) if mark and mark in "*%" else [True]
            values |= {name: listed} if mark == "%" else {}
            order += [place] * sum(listed)
        need(not attributes, "V09", f"`{operation.name}` has the unknown attribute `{min(attributes, default='')}`")
        need(len(order) == len(operation.sources), "V09", f"`{operation.name}` has the wrong number of ports")
        sorts = tuple(wires[wire] for wire in operation.sources)
        return Call(operation.name, sorts, ports, values, tuple(numbers), tuple(order))

    def located(self, call: Call) -> Places:
        """The places of a call: of a pattern without the terms of the tensors that are absent."""
        if not isinstance(self.places, str):
            return self.places(call)
        terms, _, targets = self.places.partition(">")
        tensors = [item.rstrip("?*%/") for item in self.schema.split() if ":" not in item]
        given = (term for term, tensor in zip(terms.split(), tensors, strict=True) if tensor in call.ports)
        return read(f"{' '.join(given)}>{targets}", call.shapes)

    def type(self, call: Call) -> list[Sort]:
        """The sorts of the targets; V09 when the sources do not fit."""
        sources = [(at, sort.dtype, bool(sort.shape)) for at, sort in zip(call.order, call.sorts, strict=True)]
        found, shapes = settle(self.dtypes, sources, call.numbers, call.values.get("dtype")), self.shapes(call)
        fine = found[0] in FLOATING or type(call.values.get("alpha")) is not float
        need(fine, "V09", "a float as alpha asks for a floating source")
        return [Sort(found[min(at, len(found) - 1)], shape) for at, shape in enumerate(shapes)]

    def shapes(self, call: Call) -> tuple[Shape, ...]:
        """The shapes of the targets; one that is given for several is that of each."""
        found = self.located(call).shapes(call.shapes)
        return found * len(self.dtypes.partition(">")[2] or "=") if len(found) == 1 else found

    def related(self, cut: Cut) -> bool:
        """The index relation: letters agree, and whatever else is said of this operator."""
        places, after = self.located(cut.before), self.located(cut.after)
        places = replace(places, targets=places.targets * (len(cut.targets) // len(places.targets)))
        agree = places.agree(cut.shapes, (*cut.sources, *cut.targets))
        agree = agree and all(cut.follows(*pair) for pair in zip(places.maps, after.maps, strict=True))
        return agree and (self.also is None or self.also(cut))

    def macs(self, call: Call) -> list[Extent]:
        """Products whose sum is what the operation costs; none when it costs nothing."""
        if not isinstance(self.cost, str):
            return self.cost(call, self.located(call))
        letters, (products, _, summed) = self.located(call).extents(call.shapes), self.cost.partition(".")
        if summed and all(letters[letter] == 1 for letter in summed):
            return []
        runs = [extent for letter, extent in letters.items() if letter[0] == "*"]
        return [
            product(*(letters.get(letter, 1) for letter in term), *(runs if "*" in term else ()))
            for term in (each + summed for each in products.split("+"))
        ]


def dimension(number: int, rank: int) -> int:
    """A dimension counted from the front, given one that may count from the back."""
    need(-rank <= number < rank, "V09", f"there is no dimension {number}")
    return number % rank


def full(kept: Indices, extent: Extent) -> tuple[int, ...]:
    """A kept set written out; V14 when the dimension is symbolic."""
    if not isinstance(extent, int):
        raise Reject("V14", f"the indices of the symbolic extent `{extent}` cannot be listed")
    return tuple(range(extent)) if kept is None else kept


def counted(value: Any, name: str) -> list[bool]:
    """Which tensors a list holds: a number of them, or one or none at a time."""
    each = [ONE] * value["tensors"] if wrapped(value, "tensors") else value
    fits = is_list(each) and bool(each) and all(item == ONE or wrapped(item, "none") for item in each)
    need(fits, "V09", f"`{name}` does not say how many tensors it takes")
    return [item == ONE for item in each]


def form(value: Any) -> str:
    """What an attribute is: a truth value, an integer, a text, a float, an extent, none, or a list of such."""
    if is_list(value):
        return "l"
    return FORMS[type(value)] if type(value) in FORMS else next((key[0] for key in WRAPPED if wrapped(value, key)), "?")


def value_of(kind: str, value: Any, what: str) -> Any:
    """An attribute of some kind as Python has it, an extent as its text; V09 when it is of another kind."""
    base = kind.rstrip("?")
    if base != kind and form(value) == "n":
        return None
    many = base not in KINDS or (base == "dims" and is_list(value))
    items = value if many and is_list(value) else [value]
    fits = (
        bool(base)
        and many <= is_list(value)
        and all(form(item) in KINDS.get(base, KINDS.get(base[:-1], "")) for item in items)
    )
    word = str(value).removeprefix("torch.") if base == "dtype" else ""
    wrong = (base == "off" and value is not False) or word not in (*WORDS, "")
    need(fits and not wrong, "V09", f"{what} has a value of the wrong kind")
    return WORDS[word] if word else tuple(map(plain, items)) if many else plain(value)


def plain(value: Any) -> Any:
    """A number, a text or an extent without its wrapping."""
    if not is_object(value):
        return value
    return float.fromhex(value["float"]) if "float" in value else value.get("extent")


def wrapped(value: Any, key: str) -> bool:
    """Whether a value is an object with this key."""
    return is_object(value) and key in value


ONE = {"tensors": 1}
FORMS = {bool: "b", int: "i", str: "t"}
WRAPPED = ("float", "extent", "none")
KINDS = {
    "int": "i", "number": "if", "size": "ie", "operand": "bief", "/": "bief", "flag": "b", "off": "b", "text": "t",
    "dtype": "t", "dims": "i", "none": "n", "any": "bieftnl",
}  # fmt: skip
NUMBERS = {bool: "BOOL", int: "I64", str: "I64", float: "F32"}
"""The dtype that a number, or an extent, has in arithmetic."""
