"""The three hashes of a net: with what its weights hold, with where they come from, and of its shape alone.

All are of the canonical table, so isomorphic nets have equal hashes whatever their items are called. Graph hashes tell
models apart, plan hashes tell plans apart before a weight is computed, and shape hashes find nets of one architecture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from attrs import field, fields, frozen, has

from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Payload
from surgdsl.diagram.rows import Port, Row, table
from surgdsl.diagram.sort import Sort

LONG: Final = 200
"""Records whose text is longer stand in others by their digest, so that what is shared is written once."""


def graph_hash(net: Net, digests: Mapping[str, str] | None = None) -> str:
    """The hash of a net with its payloads and, for params whose values are known, `digests` of these by operation."""
    writer, known = _Writer(), digests or {}
    values = [known.get(name) for name in number(net).operations]
    return _hashed(
        "graph", net, writer, lambda place, payload: _list((writer.payload(payload), writer.value(values[place])))
    )


def plan_hash(net: Net) -> str:
    """The hash of a net whose weights are known by role, encoding and provenance."""
    writer = _Writer()
    return _hashed("plan", net, writer, lambda _, payload: writer.payload(payload))


def shape_hash(net: Net) -> str:
    """The hash of a net whose weights are known by their sorts, which stand with their wires."""
    return _hashed("shape", net, _Writer(), lambda _place, _payload: "true")


def _hashed(kind: str, net: Net, writer: _Writer, weight: Callable[[int, Payload], str]) -> str:
    """SHA-256 of the canonical table as JSON, a row a line, after the kind of the hash."""
    found = table(net)
    whole = hashlib.sha256(f"surg-{kind}\n".encode())
    ends = (
        _list(_list((writer.value(name), writer.sort(sort))) for name, sort in found.inputs),
        *(
            _list(_list((writer.value(name), _port(port))) for name, port in side)
            for side in (found.outputs, found.boundary)
        ),
    )
    whole.update(_list(ends).encode())
    for place, row in enumerate(found.rows):
        payload = "null" if row.payload is None else weight(place, row.payload)
        whole.update(f"\n{writer.row(row, payload)}".encode())
    return whole.hexdigest()


def _list(entries: Iterable[str]) -> str:
    return f"[{','.join(entries)}]"


def _port(port: Port) -> str:
    return f"[{port[0]},{port[1]}]"


@frozen(eq=False)
class _Writer:
    """Writes values as JSON, each in one way and different ones differently."""

    records: dict[int, tuple[object, str]] = field(factory=dict[int, tuple[object, str]])
    """By identity, with the value to keep it alive."""
    sorts: dict[Sort, str] = field(factory=dict[Sort, str])

    def row(self, row: Row, payload: str) -> str:
        """An operation."""
        sources, sorts = _list(map(_port, row.sources)), _list(map(self.sort, row.sorts))
        return _list((self.value(row.name), self.value(row.attributes), payload, sources, sorts))

    def sort(self, sort: Sort) -> str:
        """What a wire carries."""
        if sort not in self.sorts:
            self.sorts[sort] = self.value((sort.dtype, sort.shape))
        return self.sorts[sort]

    def payload(self, payload: Payload) -> str:
        """A weight without its name."""
        return self.value((payload.role, payload.encoding, payload.term))

    def value(self, value: object) -> str:
        """A constant, a tuple of values, or a record."""
        match value:
            case tuple():
                return _list(map(self.value, cast("tuple[object, ...]", value)))
            case float():
                return f'{{"float":"{value.hex()}"}}'
            case None | bool() | int() | str():
                return json.dumps(value)
            case _:
                return self._record(value)

    def _record(self, value: object) -> str:
        if id(value) not in self.records:
            assert has(type(value)), f"{value!r:.80} has no canonical form"
            compared = _list(self.value(getattr(value, one.name)) for one in fields(type(value)) if one.eq)
            text = f'{{"{type(value).__name__}":{compared}}}'
            short = text if len(text) <= LONG else f'{{"sha256":"{hashlib.sha256(text.encode()).hexdigest()}"}}'
            self.records[id(value)] = value, short
        return self.records[id(value)][1]
