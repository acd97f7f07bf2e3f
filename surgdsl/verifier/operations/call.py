"""Calls: an operation's arguments by name, read by the schema of its operator.

Nothing may be missing, nothing may be added, and every attribute is of its kind: what follows can rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object
from surgdsl.verifier.extent import Extent
from surgdsl.verifier.net import Sort
from surgdsl.verifier.operations.dtypes import WORDS
from surgdsl.verifier.operations.letters import TOKEN, Letters, Map, Places, Shape, spell
from surgdsl.verifier.reject import need

ITEM = re.compile(r"(\w+)!?=?(\w*)([?*%/]?):?(\S*)")
FIXED = r"(?<!~)[*#]"  # a run that is not stretched
MARKS = {"?": "none", "/": "operand", "*": "tensors", "%": "places"}
FORMS = {int: "i", str: "s", True: "1", False: "0"}
KINDS = {
    "int": "i", "size": "[ie]", "number": "[if]", "operand": "[01ief]", "flag": "[01]", "off": "0", "text": "s",
    "dtype": "s", "none": "n", "dims": r"i|\[i*\]", "ints": r"\[i*\]", "sizes": r"\[[ie]*\]", "numbers": r"\[[if]*\]",
    "any": "[^t]*", "tensors": "t", "places": r"t|\[[tn]+\]",
}  # fmt: skip
NUMBERS = {bool: "BOOL", int: "I64", str: "I64", float: "F32"}
"""The dtype that a number, or an extent, has in arithmetic."""
SPACE = ("ABD", "KLM", "XYZ")
"""Letters of the spatial extents of an input, of a kernel, and of an output; as many as the operator has stand."""


@dataclass(frozen=True, slots=True)
class Call:
    """The sorts of the sources, the values of attributes, and the dtypes of the numbers that take part.

    `order` says of each source which of the schema's tensors it is.
    """

    name: str
    sorts: tuple[Sort, ...]
    order: tuple[int, ...]
    values: dict[str, Any]
    numbers: tuple[str, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of all sources."""
        return tuple(sort.shape for sort in self.sorts)

    @property
    def shape(self) -> Shape:
        """The shape of the first source."""
        return self.sorts[0].shape

    @property
    def rank(self) -> int:
        """The spatial dimensions that the operator's name tells."""
        return int(("0", *re.findall(r"(\d)(?:d|col|im)", self.name))[-1])

    @property
    def dim(self) -> int:
        """The one dimension of the first source that `dim` names, counted from the back."""
        return self.dims(len(self.shape))[0] - len(self.shape)

    def several(self, name: str) -> tuple[Any, ...]:
        """The values of an attribute that is one or several."""
        return (self.values[name],) if type(self.values[name]) is int else self.values[name]

    def dims(self, rank: int) -> tuple[int, ...]:
        """The dimensions of so many that `dim` names, all where it names none; V09 when there is no such."""
        if self.values.get("dim") is None:
            return tuple(range(rank))
        found = tuple(dimension(at, rank) for at in self.several("dim"))
        need(bool(found) and len(set(found)) == len(found), "V09", "dim is empty or repeats itself")
        return found

    def places(self, pattern: str, sizes: Mapping[str, Extent] | None = None, maps: tuple[Map, ...] = ()) -> Places:
        """What a pattern says of this call: a term for each tensor of the schema, those of absent ones left out."""
        told = dict(sizes or {})
        for letters in SPACE:
            pattern = pattern.replace(letters, letters[: self.rank])
        for key in re.findall(r"\[(\w+)\]", pattern):
            written = {f"{key[0]}{at}": extent for at, extent in enumerate(self.several(key.lower()))}
            pattern, told = pattern.replace(f"[{key}]", "".join(written) or "_"), told | written
        left, _, right = pattern.partition(">")
        terms, full, spots = [left.split()[number] for number in self.order], 0, ()
        if "^" in pattern:
            full = len(self.shape) + (terms[0] == "^")
            spots, right = self.dims(full), right + "1" * self.values.get("keepdim", False)
        pairs = enumerate(zip(terms, map(len, self.shapes), strict=True))
        sources = tuple(spell(term, full if term[0] == "^" else rank, spots, at) for at, (term, rank) in pairs)
        runs = [sum(letter.lstrip("~")[0] in "*#" for letter in letters) for letters in sources]
        width, fixed = max(runs, default=0), {n for n, term in zip(runs, terms, strict=True) if re.search(FIXED, term)}
        need(fixed <= {width}, "V09", "sources differ in rank")
        targets = list[Letters]()
        for term in right.split():
            tokens = TOKEN.findall(term)
            rank = len(tokens) + (width - 1) * any(token[-1] in "*#" for token in tokens)
            targets.append(spell(term, full if term[0] == "^" else rank, spots))
        return Places(sources, tuple(targets), told, maps)


def bind(schema: str, operator: str, left: dict[str, Any], sorts: tuple[Sort, ...]) -> Call:
    """The call that attributes and sources make; V09 when they are not the arguments of the schema."""
    values, numbers, order, tensors = dict[str, Any](), list[str](), list[int](), 0
    for name, written, mark, stated in ITEM.findall(schema):
        key, kind, there = written or name, stated or MARKS.get(mark, ""), [True] * (not stated)
        if kind and (stated or kind in ("tensors", "places") or key in left):
            need(key in left, "V09", f"`{operator}` lacks the attribute `{key}`")
            values[name] = found = value_of(kind, left.pop(key), f"`{operator}`: `{key}`")
            numbers += [NUMBERS[type(found)]] if kind.startswith("operand") and found is not None else []
            there = [item is not None for item in values[name]] if kind in ("tensors", "places") else []
        order += [tensors] * sum(there)
        tensors += not stated
    need(not left, "V09", f"`{operator}` has the unknown attribute `{min(left, default='')}`")
    need(len(order) == len(sorts), "V09", f"`{operator}` has the wrong number of ports")
    return Call(operator, sorts, tuple(order), values, tuple(numbers))


def dimension(number: int, rank: int) -> int:
    """A dimension counted from the front, given one that may count from the back."""
    need(-rank <= number < rank, "V09", f"there is no dimension {number}")
    return number % rank


def value_of(kind: str, value: Any, what: str) -> Any:
    """An attribute of some kind as Python has it, an extent as its text; V09 when it is of another kind."""
    base, found = kind.rstrip("?"), plain(value)
    fits = re.fullmatch(KINDS[base] + "|n" * (base != kind), form(value)) is not None
    if base == "places" and fits:
        fits = all(item in (True, (True,), None) for item in found)
    if base == "dtype" and fits and found is not None:
        found = WORDS.get(found.removeprefix("torch."))
        fits = found is not None
    need(fits, "V09", f"{what} has a value of the wrong kind")
    return found


def form(value: Any) -> str:
    """What an attribute is, as a letter: i(nteger), s(tring), 0, 1, e(xtent), f(loat), n(one), t(ensors), or a list.

    >>> form([1, {"float": "0x0.0p+0"}, True])
    '[if1]'
    """
    if is_list(value):
        return f"[{''.join(map(form, value))}]"
    return next(iter(value))[0] if is_object(value) else FORMS[value if type(value) is bool else type(value)]


def plain(value: Any) -> Any:
    """A value without its wrapping; of tensors, that each is there."""
    if is_list(value):
        return tuple(map(plain, value))
    if not is_object(value):
        return value
    if "float" in value:
        return float.fromhex(value["float"])
    return (True,) * value["tensors"] if "tensors" in value else value.get("extent")
