"""Places: a letter for each dimension of an operation's tensors; what shares a letter shares extent and kept set.

One description serves typing, index relation and cost. A pattern lists a term for each source, `>`, and the targets':

- `x` binds; `*` is a run of dimensions, aligned from the right; `1` is an extent 1; `_` is a tensor without dimensions
- `X`, and `#` for a run: the dimension is kept whole
- `~x` may be stretched: where its extent is 1 it binds nothing; a source of such letters may lack the first ones
- `?x` has that extent, while its kept set is told by maps, or by the operation's own relation
- `.` is any tensor

>>> places = read("*i oi o>*o", [("B", 3, 4), (5, 4), (5,)])
>>> places.shapes([("B", 3, 4), (5, 4), (5,)])
(('B', 3, 5),)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from surgdsl.verifier.extent import Extent
from surgdsl.verifier.reject import need

Shape = tuple[Extent, ...]
Indices = tuple[int, ...] | None
Sets = tuple[Indices, ...]
"""Kept indices for each dimension; None where the dimension is kept whole."""
Letters = tuple[str, ...]
Map = tuple[tuple[int, int], tuple[int, int], Callable[[int], int | None]]
"""From the indices of a dimension of a port to those of another; ports are the sources, then the targets."""

TOKEN = re.compile(r"[~?]?[*#\w]")


@dataclass(frozen=True, slots=True)
class Places:
    """The letters of the sources and of the targets; `sizes` are the extents that attributes tell.

    `maps` say of dimensions marked `?` which index is which; after a cut they must say the same of what is kept.
    """

    sources: tuple[Letters, ...]
    targets: tuple[Letters, ...]
    sizes: Mapping[str, Extent] = field(default_factory=dict[str, Extent])
    maps: tuple[Map, ...] = ()

    def extents(self, shapes: Sequence[Shape]) -> dict[str, Extent]:
        """The extent of every letter; V09 when sources contradict each other."""
        found: dict[str, Extent] = {"1": 1, **self.sizes}
        ranks = [len(letters) for letters in self.sources]
        need(ranks == [len(shape) for shape in shapes], "V09", "a source has the wrong rank")
        pairs = [pair for row, shape in zip(self.sources, shapes, strict=True) for pair in zip(row, shape, strict=True)]
        for letter, extent in pairs:
            known = extent if letter[0] == "~" else found.setdefault(name(letter), extent)
            need(known == extent, "V09", f"extents {known} and {extent} do not fit")
        fixed = frozenset(found)
        for letter, extent in pairs:
            known = found.setdefault(name(letter), extent)
            if known == 1 and name(letter) not in fixed:
                found[name(letter)] = extent
            else:
                need(extent in (1, known) or letter[0] != "~", "V09", f"extents {known} and {extent} do not broadcast")
        return found

    def shapes(self, shapes: Sequence[Shape]) -> tuple[Shape, ...]:
        """The shapes of the targets."""
        found = self.extents(shapes)
        return tuple(tuple(found[name(letter)] for letter in letters) for letters in self.targets)

    def agree(self, shapes: Sequence[Shape], sets: Sequence[Sets]) -> bool:
        """Whether the kept sets of all sources, then all targets, are one for each letter."""
        found, wanted = self.extents(shapes[: len(self.sources)]), dict[str, Indices]()
        for letters, shape, kept in zip((*self.sources, *self.targets), shapes, sets, strict=True):
            for letter, extent, some in zip(letters, shape, kept, strict=True):
                key = name(letter)
                bound = letter[0] != "~" or extent == found[key]
                whole = key[0] in "1#" or key[0].isupper() or not bound
                if letter[0] != "?" and some != (None if whole else wanted.setdefault(key, some)):
                    return False
        return True


def name(letter: str) -> str:
    """A letter without its mark."""
    return letter[1:] if letter[0] in "~?" else letter


def spell(term: str, rank: int, number: int = 0) -> Letters:
    """The letters of a term for a tensor of so many dimensions; V09 when there are too many or too few.

    >>> spell("~*lS", 4), spell("~*~l~S", 1), spell(".", 2)
    (('~*1', '~*0', 'l', 'S'), ('~S',), ('?.00', '?.01'))
    """
    if term == ".":
        return tuple(f"?.{number}{at}" for at in range(rank))
    tokens: list[str] = [] if term == "_" else TOKEN.findall(term)
    runs = [token for token in tokens if token[-1] in "*#"]
    plain = [token for token in tokens if token not in runs]
    room = rank - len(plain)
    if not runs or room < 0:
        need(room == 0 or (room < 0 and all(token[0] == "~" for token in plain)), "V09", "a source has the wrong rank")
        return tuple(plain[-room:])
    at = tokens.index(runs[0])
    return (*tokens[:at], *(f"{runs[0]}{index}" for index in reversed(range(room))), *tokens[at + 1 :])


def read(pattern: str, shapes: Sequence[Shape], sizes: Mapping[str, Extent] | None = None) -> Places:
    """The places that a pattern gives for sources of these shapes."""
    left, _, right = pattern.partition(">")
    terms = zip(left.split(), shapes, strict=True)
    sources = tuple(spell(term, len(shape), number) for number, (term, shape) in enumerate(terms))
    width = max((sum(name(letter)[0] in "*#" for letter in letters) for letters in sources), default=0)
    ranks = [(term, sum(token[-1] not in "*#" for token in TOKEN.findall(term))) for term in right.split()]
    ranks = [(term, count + width * (len(TOKEN.findall(term)) > count)) for term, count in ranks]
    return Places(sources, tuple(spell(term, rank * (term != "_")) for term, rank in ranks), sizes or {})
