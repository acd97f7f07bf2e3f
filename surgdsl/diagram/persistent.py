"""Persistent maps: a changed copy that shares what did not change, so that a long sequence of steps is linear.

A map is a stack of dictionaries, newest first, each more than twice as long as the one before it; a change adds one
and merges those that are too short (the logarithmic method of Bentley and Saxe 1980). All versions stay valid:

>>> one = changed({"a": 1, "b": 2, "d": 0}, ["a"], {"c": 3})
>>> two = changed(one, ["b"], {"a": 4})
>>> dict(one), dict(two), one == {"d": 0, "b": 2, "c": 3}
({'b': 2, 'd': 0, 'c': 3}, {'d': 0, 'c': 3, 'a': 4}, True)
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Final, TypeVar, cast, final

V = TypeVar("V")


@final
class Gone:
    """What a layer holds for a key that was removed."""


GONE: Final = Gone()


def changed(base: Mapping[str, V], gone: Collection[str], new: Mapping[str, V]) -> Mapping[str, V]:
    """`base` without the keys `gone`, then with `new` at the end; O(log n) amortised for each key.

    The order is that of a dictionary from which every key is removed before it is set.
    """
    layers = base.layers if isinstance(base, PersistentMap) else (base,)
    top: dict[str, V | Gone] = _over(dict.fromkeys(gone, GONE), new)
    while layers and len(layers[0]) <= 2 * len(top):
        top, layers = _over(layers[0], top), layers[1:]
    return PersistentMap((top, *layers)) if layers else _present(top)


def _over(older: Mapping[str, V | Gone], newer: Mapping[str, V | Gone]) -> dict[str, V | Gone]:
    merged = dict(older)
    for key, value in newer.items():
        merged.pop(key, None)
        merged[key] = value
    return merged


def _present(layer: Mapping[str, V | Gone]) -> dict[str, V]:
    return {key: value for key, value in layer.items() if not isinstance(value, Gone)}


@final
class PersistentMap(Mapping[str, V]):
    """A map as layers of changes. To read it as a whole merges them into one; the value stays the same."""

    __slots__ = ("layers",)

    def __init__(self, layers: tuple[Mapping[str, V | Gone], ...]) -> None:
        self.layers = layers

    def __getitem__(self, key: str) -> V:
        for layer in self.layers:
            if key in layer:
                value = layer[key]
                if isinstance(value, Gone):
                    break
                return value
        raise KeyError(key)

    def whole(self) -> Mapping[str, V]:
        """The map as one dictionary, which takes the place of the layers."""
        if len(self.layers) == 1:  # nothing is gone where nothing lies below
            return cast("Mapping[str, V]", self.layers[0])
        merged = self.layers[-1]
        for layer in reversed(self.layers[:-1]):
            merged = _over(merged, layer)
        found = _present(merged)
        self.layers = (found,)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        return repr(dict(self))

    def keys(self) -> KeysView[str]:
        return self.whole().keys()

    def values(self) -> ValuesView[V]:
        return self.whole().values()

    def items(self) -> ItemsView[str, V]:
        return self.whole().items()
