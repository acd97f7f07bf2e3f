"""Places: a letter for each dimension of an operation's tensors; what shares a letter shares extent and kept set.

One description serves typing, index relation and cost. A pattern lists a term for each source, `>`, and the targets':

- `x` or `x1` binds; `*` is a run of dimensions, aligned from the right; `1` is an extent 1; `_` has no dimensions
- `X`, and `#` for a run: the dimension is kept whole
- `~x` may be stretched: where its extent is 1 it binds nothing; a source of such letters may lack the first ones
- `^x` are all dimensions, those at the spots x0, x1 … (`dim` says where); `^` those without the ones at the spots
- `.` is any tensor, `[size]` the extents that the attribute `size` lists

>>> Places((("*1", "*0", "i"), ("o", "i")), (("*1", "*0", "o"),)).shapes([("B", 3, 4), (5, 4)])
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

TOKEN = re.compile(r"~?(?:[*#1]|[A-Za-z]\d*)")


@dataclass(frozen=True, slots=True)
class Places:
    """The letters of the sources and of the targets; `sizes` are the extents that attributes tell.

    A letter that stands once is free, and `maps` may say which index is which; after a cut they must say the same of
    what is kept.
    """

    sources: tuple[Letters, ...]
    targets: tuple[Letters, ...]
    sizes: Mapping[str, Extent] = field(default_factory=dict[str, Extent])
    maps: tuple[Map, ...] = ()

    def extents(self, shapes: Sequence[Shape]) -> dict[str, Extent]:
        """The extent of every letter; V09 when sources contradict each other."""
        found: dict[str, Extent] = {"1": 1, **self.sizes}
        need([*map(len, self.sources)] == [*map(len, shapes)], "V09", "a source has the wrong rank")
        pairs = [pair for row, shape in zip(self.sources, shapes, strict=True) for pair in zip(row, shape, strict=True)]
        for letter, extent in pairs:
            known = extent if letter[0] == "~" else found.setdefault(letter, extent)
            need(known == extent, "V09", f"extents {known} and {extent} do not fit")
        fixed = frozenset(found)
        for letter, extent in ((letter[1:], extent) for letter, extent in pairs if letter[0] == "~"):
            known = found.get(letter, 1)
            if known == 1 and letter not in fixed:
                found[letter] = extent
            else:
                need(extent in (1, known), "V09", f"extents {known} and {extent} do not broadcast")
        return found

    def shapes(self, shapes: Sequence[Shape]) -> tuple[Shape, ...]:
        """The shapes of the targets."""
        found = self.extents(shapes)
        return tuple(tuple(found[letter] for letter in letters) for letters in self.targets)

    def agree(self, shapes: Sequence[Shape], sets: Sequence[Sets]) -> bool:
        """Whether the kept sets of all sources, then all targets, are one for each letter."""
        found, wanted = self.extents(shapes[: len(self.sources)]), dict[str, Indices]()
        for letters, shape, kept in zip((*self.sources, *self.targets), shapes, sets, strict=True):
            for letter, extent, some in zip(letters, shape, kept, strict=True):
                key = letter.lstrip("~")
                whole = key[0] in "1#" or key[0].isupper() or (key != letter and extent != found[key])
                if some != (None if whole else wanted.setdefault(key, some)):
                    return False
        return True


def spell(term: str, rank: int, spots: Sequence[int] = (), number: int = 0) -> Letters:
    """The letters of a term for a tensor of so many dimensions; V09 when there are too many or too few.

    >>> spell("~*lS", 4), spell("~*~l~S", 1), spell("^W", 3, [1])
    (('~*1', '~*0', 'l', 'S'), ('~S',), ('a0', 'W0', 'a2'))
    """
    if term == ".":
        return tuple(f".{number}{at}" for at in range(rank))
    if term[0] == "^":
        names = {at: term[1:] + str(index) * (term != "^1") for index, at in enumerate(spots)}
        return tuple(names.get(at, f"a{at}") for at in range(rank) if term != "^" or at not in names)
    tokens = TOKEN.findall(term)
    runs = [at for at, token in enumerate(tokens) if token[-1] in "*#"]
    room = rank - len(tokens) + len(runs)
    if not runs or room < 0:
        plain = [token for token in tokens if token[-1] not in "*#"]
        need(room == 0 or (room < 0 and all(token[0] == "~" for token in plain)), "V09", "a source has the wrong rank")
        return tuple(plain[-room:])
    (at,) = runs
    return (*tokens[:at], *(f"{tokens[at]}{index}" for index in reversed(range(room))), *tokens[at + 1 :])
