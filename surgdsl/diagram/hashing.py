"""The three hashes of a net: with what its weights hold, with where they come from, and of its shape alone.

All are of the canonical table, so isomorphic nets have equal hashes whatever their items are called. Graph hashes tell
models apart, plan hashes tell plans apart before a weight is computed, and shape hashes find nets of one architecture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from attrs import field, fields, frozen, has

from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Payload
from surgdsl.diagram.rows import Port, table
from surgdsl.diagram.sort import Sort

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | bool | None"


def graph_hash(net: Net, digests: Mapping[str, str] | None = None) -> str:
    """The hash of a net with its payloads and, for params whose values are known, `digests` of these by operation."""
    writer, known = _Writer(), digests or {}
    values = [known.get(name) for name in number(net).operations]
    return _hashed("graph", net, writer, lambda place, payload: [writer.payload(payload), values[place]])


def plan_hash(net: Net) -> str:
    """The hash of a net whose weights are known by role, encoding and provenance."""
    writer = _Writer()
    return _hashed("plan", net, writer, lambda _, payload: writer.payload(payload))


def shape_hash(net: Net) -> str:
    """The hash of a net whose weights are known by their sorts, which stand with their wires."""
    return _hashed("shape", net, _Writer(), lambda _place, _payload: None)


def _hashed(kind: str, net: Net, writer: _Writer, weight: Callable[[int, Payload], Json]) -> str:
    """SHA-256 of the canonical table as JSON, tagged with the kind of the hash."""
    found = table(net)
    value: Json = {
        "kind": kind,
        "inputs": [[name, writer.sort(sort)] for name, sort in found.inputs],
        "rows": [
            [
                row.name,
                writer.value(row.attributes),
                None if row.payload is None else weight(place, row.payload),
                _ports(row.sources),
                [writer.sort(sort) for sort in row.sorts],
            ]
            for place, row in enumerate(found.rows)
        ],
        "outputs": [[name, *port] for name, port in found.outputs],
        "boundary": [[name, *port] for name, port in found.boundary],
    }
    return _digest(value)


def _ports(ports: tuple[Port, ...]) -> Json:
    return [list(port) for port in ports]


def _digest(value: Json) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@frozen(eq=False)
class _Writer:
    """Writes values as JSON, each in one way and different ones differently; equal parts of terms are written once."""

    records: dict[int, tuple[object, str]] = field(factory=dict[int, tuple[object, str]])
    """By identity, with the value to keep it alive."""
    sorts: dict[Sort, Json] = field(factory=dict[Sort, Json])

    def sort(self, sort: Sort) -> Json:
        """What a wire carries."""
        if sort not in self.sorts:
            self.sorts[sort] = [sort.dtype, *(self.value(size) for size in sort.shape)]
        return self.sorts[sort]

    def payload(self, payload: Payload) -> Json:
        """A weight without its name."""
        return [payload.role, self.value(payload.encoding), self.value(payload.term)]

    def value(self, value: object) -> Json:
        """A constant, a tuple of values, or a record, which is told by its digest."""
        match value:
            case float():
                return {"float": value.hex()}
            case tuple():
                return [self.value(entry) for entry in cast("tuple[object, ...]", value)]
            case None | bool() | int() | str():
                return value
            case _:
                return {"record": self._record(value)}

    def _record(self, value: object) -> str:
        if id(value) not in self.records:
            assert has(type(value)), f"{value!r:.80} has no canonical form"
            compared = [getattr(value, one.name) for one in fields(type(value)) if one.eq]
            self.records[id(value)] = value, _digest([type(value).__name__, *map(self.value, compared)])
        return self.records[id(value)][1]
