"""Places in a model: which module paths a selector means.

Structural and anchored at both ends, never a regular expression over the whole name: ``@layer1`` can not hit
``layer10`` by accident.

>>> stem = PathPattern("@layer{1,2}.*.conv*")
>>> [path for path in ("layer1.0.conv1", "layer2.1.conv2", "layer10.0.conv1", "layer1.conv1") if stem.matches(path)]
['layer1.0.conv1', 'layer2.1.conv2']
>>> PathPattern("@blocks[2..9].**").matches("blocks.2.mlp.up"), PathPattern("@blocks[2..9].**").matches("blocks.10.mlp")
(True, False)
>>> PathPattern("@**").matches(""), PathPattern("@head.**").matches("head"), PathPattern("@head").matches("head.fc")
(True, True, False)
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from surgdsl.diagnostic import NOWHERE, Span

if TYPE_CHECKING:
    from surgdsl.language.condition import Condition  # conditions are made of patterns

PIECE = re.compile(r"((?:[\w*]|\{[\w*,]+\})+)((?:\[\d+(?:\.\.\d+)?\])?)")


@define(frozen=True, slots=False)  # slots are off for the cached segments
class PathPattern:
    """``@a.*.b{1,2}[0..3]``: `*` any part of one segment, `**` any segments, `{a,b}` either, `[2..9]` an index."""

    text: str
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    @cached_property
    def segments(self) -> tuple[str | range | re.Pattern[str], ...]:
        """One test for each segment of a path; ``**`` stands for itself."""
        tests: list[str | range | re.Pattern[str]] = []
        for match in PIECE.finditer(self.text):
            word, index = match.groups()
            tests.append("**" if word == "**" else re.compile("|".join(translate(one) for one in _alternatives(word))))
            if index:
                low, _, high = index[1:-1].partition("..")
                tests.append(range(int(low), int(high or low) + 1))
        return tuple(tests)

    def matches(self, path: str) -> bool:
        """Whether `path` (dotted, empty for the root) is one of the places meant."""
        words = path.split(".") if path else []
        reached = {0}  # positions in `words` to which the segments so far can lead
        for test in self.segments:
            if test == "**":
                reached = set(range(min(reached), len(words) + 1)) if reached else reached
            else:
                reached = {at + 1 for at in reached if at < len(words) and _fits(test, words[at])}
        return len(words) in reached

    def __str__(self) -> str:
        return self.text


def _fits(test: str | range | re.Pattern[str], word: str) -> bool:
    match test:
        case range():
            return word.isdecimal() and word.isascii() and int(word) in test
        case re.Pattern():
            return test.match(word) is not None
        case _:
            return test == word


def _alternatives(word: str) -> list[str]:
    """The words without braces that `word` abbreviates.

    >>> _alternatives("ln{1,2}")
    ['ln1', 'ln2']
    """
    head, brace, rest = word.partition("{")
    if not brace:
        return [word]
    options, _, tail = rest.partition("}")
    return [head + option + end for option in options.split(",") for end in _alternatives(tail)]


@frozen
class Selector:
    """The places that some pattern of `include` means and none of `exclude`; `text` as written.

    `where` is a condition besides, which needs a model: with one, `places` are those that fulfil it.
    """

    include: tuple[PathPattern, ...]
    exclude: tuple[PathPattern, ...] = ()
    text: str = field(default="@**", eq=False)
    where: Condition | None = None
    places: frozenset[str] | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    def matches(self, path: str) -> bool:
        """Whether the selector means `path`."""
        if self.places is not None and path not in self.places:
            return False
        return any(one.matches(path) for one in self.include) and not any(one.matches(path) for one in self.exclude)
