"""Persistent maps behave as dictionaries of which every version is kept."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagram.persistent import PersistentMap, changed

KEYS = st.sampled_from([f"k{number}" for number in range(12)])
CHANGES = st.lists(
    st.tuples(st.lists(KEYS, unique=True, max_size=3), st.dictionaries(KEYS, st.integers(), max_size=3)), max_size=14
)
Change = tuple[list[str], dict[str, int]]


def expected(before: dict[str, int], change: Change) -> dict[str, int]:
    """What a dictionary becomes if each key is removed before it is set."""
    gone, new = change
    after = {key: value for key, value in before.items() if key not in gone and key not in new}
    return {**after, **new}


@given(st.dictionaries(KEYS, st.integers()), CHANGES, st.booleans())
def test_every_version_is_the_dictionary_that_it_should_be(
    start: dict[str, int], changes: list[Change], read_at_once: bool
) -> None:
    versions: list[Mapping[str, int]] = [start]
    models = [start]
    for change in changes:
        versions.append(changed(versions[-1], *change))
        models.append(expected(models[-1], change))
        if read_at_once:
            assert list(versions[-1].items()) == list(models[-1].items())
    for version, model in zip(versions, models, strict=True):
        for key in (f"k{number}" for number in range(12)):
            assert version.get(key) == model.get(key)
            assert (key in version) == (key in model)
        assert list(version) == list(model)
        assert list(version.items()) == list(model.items())
        assert list(version.values()) == list(model.values())
        assert (len(version), version == model, repr(version)) == (len(model), True, repr(model))


def test_a_key_that_is_gone_is_not_found() -> None:
    found = changed(dict.fromkeys("abcdefgh", 1), ["a"], {})
    assert isinstance(found, PersistentMap)
    with pytest.raises(KeyError, match="a"):
        found["a"]
    with pytest.raises(KeyError, match="z"):
        found["z"]


def test_a_long_history_has_few_layers() -> None:
    """As many as the logarithm, so that looking up stays quick."""
    found: Mapping[str, int] = {f"k{number}": number for number in range(2000)}
    deepest = 0
    for number in range(1000):
        found = changed(found, [f"k{number}"], {f"n{number}": number})
        deepest = max(deepest, len(found.layers) if isinstance(found, PersistentMap) else 1)
    assert 3 <= deepest <= 10
    assert list(found) == [f"k{number}" for number in range(1000, 2000)] + [f"n{number}" for number in range(1000)]


def test_small_maps_stay_dictionaries() -> None:
    assert isinstance(changed({"a": 1, "b": 2}, ["a"], {}), dict)
    assert isinstance(changed({"a": 1, "b": 2, "c": 3}, ["a"], {}), PersistentMap)
