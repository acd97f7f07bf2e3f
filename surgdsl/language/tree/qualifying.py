"""Qualified names: ``shared.width``, where `shared` is a file, is one name and not a member of something.

Done once after reading, so that whatever looks a name up need not know of files.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, TypeVar, cast

import attrs

from surgdsl.language.tree.expression import Member, Name, Node

N = TypeVar("N", bound=Node)


def qualified(node: N, files: AbstractSet[str]) -> N:
    """`node` with a `Name` in the place of every `Member` of one of the `files`."""
    if isinstance(node, Member) and isinstance(node.value, Name) and node.value.text in files:
        return cast("N", Name(f"{node.value.text}.{node.word}", span=node.span))
    found = {one.name: getattr(node, one.name) for one in attrs.fields(type(node))}
    changed = {name: _part(value, files) for name, value in found.items()}
    return attrs.evolve(node, **changed) if any(changed[name] is not found[name] for name in found) else node


def _part(value: Any, files: AbstractSet[str]) -> Any:
    if isinstance(value, Node):
        return qualified(value, files)
    if not isinstance(value, tuple):
        return value
    items = cast("tuple[Any, ...]", value)
    made = tuple(_part(one, files) for one in items)
    return made if any(new is not old for new, old in zip(made, items, strict=True)) else items
