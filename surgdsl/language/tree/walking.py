"""All nodes of a tree, found without recursion, so that no depth of nesting matters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import attrs

from surgdsl.language.tree.expression import Node


@cache
def _fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(one.name for one in attrs.fields(kind) if one.name != "span")


def nodes(root: Node, opaque: tuple[type[Node], ...] = ()) -> Iterator[Node]:
    """`root` and everything below it, parents first, but nothing below nodes of the `opaque` classes."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, opaque):
            continue
        for name in _fields(type(node)):
            value = getattr(node, name)
            parts = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
            waiting.extend(part for part in parts if isinstance(part, Node))
