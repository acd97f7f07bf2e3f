"""Choices: bytes read as decisions, so that whatever makes bytes can make values.

Atheris, a file with a finding and a seeded generator all end up here; when the bytes are used up every choice is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

T = TypeVar("T")
Json = dict[str, Any]

ODD: tuple[Any, ...] = (
    0, 1, -1, 2, 7, 255, 2**31, 2**40 - 1, 2**40, 2**46, 2**53 - 1, -(2**53) + 1, True, False, "", "0", "-0", "1",
    "1/2", "2/4", "-1/3", "1/0", "9" * 39, "B", "B*T", "2*B+1", "B*2", "inf", "-inf", "nan", "0x0.0p+0",
    "0x1.0000000000000p+1023", "0x0.0000000000001p-1022", "F32", "BF16", "BOOL", "param", "aten.add.Tensor", "..",
    "a/b", "\x00", "\x1b[31m", "\u202e", "0" * 64, "f" * 64, "x" * 257,
)  # fmt: skip
"""Scalars that stand at the edge of something."""
FIELDS = ("bits", "group", "kind", "x", "inner", "note", "apply")
EDITS = 6


class Choices:
    """Bytes, read from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit − 1."""
        width = (max(1, limit - 1).bit_length() + 7) // 8
        piece = self._data[self._at : self._at + width]
        self._at += width
        return int.from_bytes(piece, "little") % limit

    def one(self, items: Sequence[T]) -> T:
        """One of several."""
        return items[self.below(len(items))]


def changed(value: Any, choices: Choices) -> Any:
    """A JSON value after some edits; the value itself is spoiled."""
    holder = [value]
    for _ in range(choices.below(EDITS)):
        edit(holder, choices)
    return holder[0]


def edit(holder: list[Any], choices: Choices) -> None:
    """One edit somewhere below a list of one value."""
    place, key = somewhere(holder, choices)
    match choices.below(8):
        case 0 | 1:
            place[key] = choices.one(ODD)
        case 2:
            place[key] = near(place[key], choices)
        case 3:
            other, at = somewhere(holder, choices)
            place[key] = copied(other[at])
        case 4 if place is not holder:
            more_or_less(place, key, choices)
        case 5:
            place[key] = [place[key]] * choices.below(4)
        case _:
            other, at = somewhere([place], choices)
            place[key], other[at] = copied(other[at]), copied(place[key])


def near(value: Any, choices: Choices) -> Any:
    """A scalar that is nearly the same."""
    if type(value) is int:
        return value + choices.below(7) - 3
    return spliced(value, choices) if type(value) is str else not value


def more_or_less(place: Any, key: Any, choices: Choices) -> None:
    """A container with an item less, an item twice, or a field more."""
    if choices.below(2):
        del place[key]
    elif type(place) is list:
        cast("list[Any]", place).insert(key, copied(place[key]))
    else:
        place[choices.one(FIELDS)] = choices.one(ODD)


def somewhere(holder: list[Any], choices: Choices) -> tuple[Any, Any]:
    """A place in a value: a container and the key of one of its items."""
    place, key = cast("tuple[Any, Any]", (holder, 0))
    for _ in range(24):
        inner = place[key]
        keys = keys_of(inner)
        if not keys or (place is not holder and choices.below(8) == 7):
            break
        place, key = inner, choices.one(keys)
    return place, key


def keys_of(value: Any) -> list[Any]:
    """By what the items of a container are reached, in order; nothing for a scalar."""
    if type(value) is dict:
        return sorted(cast("Json", value))
    return [*range(len(cast("list[Any]", value)))] if type(value) is list else []


def spliced(text: str, choices: Choices) -> str:
    """A text with a letter less, or another one."""
    at = choices.below(len(text) + 1)
    return text[:at] + choices.one(("", "0", "*", "+", "/", "B", "é", " ")) + text[at + choices.below(2) :]


def copied(value: Any) -> Any:
    """The same JSON value, no part of it shared."""
    if type(value) is dict:
        return {key: copied(item) for key, item in cast("Json", value).items()}
    return [copied(item) for item in cast("list[Any]", value)] if type(value) is list else value
