"""Graphs as a certificate writes them: wires by number, operations with every attribute, weights with their tensors.

A graph is written in the canonical numbering of its net, so isomorphic nets have one digest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import asdict, field, frozen

from surgdsl.axis.extent import Extent, Polynomial, show
from surgdsl.bridge.encoding import Part, parts_of
from surgdsl.bridge.storage import check_names
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.canonical import number
from surgdsl.diagram.operation import Attribute, Operation, Tensors
from surgdsl.diagram.payload import Affine, Codebook, Dense, Encoding, Masked
from surgdsl.diagram.sort import Sort
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json
from surgdsl.execution.digest import Digests

Refs = Mapping[str, int] | Mapping[str, str]
"""How a wire is referred to: by number in a graph, by local name in a rule."""


@frozen(eq=False)
class Scribe:
    """Writes states of one surgery down, hashing every tensor once."""

    digests: Digests = field(factory=Digests)

    def graph(self, state: State) -> dict[str, Json]:
        """The graph of a state in its canonical numbering."""
        net, order = state.net, number(state.net)
        refs = {wire: place for place, wire in enumerate(order.wires)}
        operations = ((net.graph.operations[name], state.weights.get(name)) for name in order.operations)
        return {
            "inputs": [{"name": name, "wire": refs[wire]} for name, wire in net.inputs],
            "operations": [self.operation(operation, weight, refs) for operation, weight in operations],
            "outputs": [{"name": name, "wire": refs[wire]} for name, wire in net.outputs],
            "wires": [sort_row(net.sort(wire)) for wire in order.wires],
        }

    def operation(self, operation: Operation, weight: Weight | None, refs: Refs) -> dict[str, Json]:
        """One operation; its wires as `refs` says."""
        ports: dict[str, Json] = {
            "op": operation.name,
            "sources": [refs[wire] for wire in operation.sources],
            "targets": [refs[wire] for wire in operation.targets],
        }
        if weight is None or operation.payload is None:
            return {**ports, "attributes": [[name, attribute(value)] for name, value in sorted(operation.attributes)]}
        return {
            **ports,
            "encoding": encoding_row(weight.encoding),
            "parts": [self._part(part) for part in parts_of(operation.payload.base, weight)],
            "role": operation.payload.role,
        }

    def _part(self, part: Part) -> dict[str, Json]:
        return {
            "digest": self.digests.of(part.dtype, part.array),
            "dtype": part.dtype,
            "name": part.name,
            "role": part.role,
            "shape": list(part.shape),
        }

    def parts(self, state: State) -> dict[str, Part]:
        """All stored tensors of a state, by their digest (one of several that are equal)."""
        return {self.digests.of(part.dtype, part.array): part for part in stored_parts(state)}

    def manifest(self, state: State) -> str:
        """The digest of the names and contents of all stored tensors of a state."""
        parts = stored_parts(state)
        rows = [(part.name, part.dtype, part.shape, self.digests.of(part.dtype, part.array)) for part in parts]
        return digest.manifest(rows, [part.array.nbytes for part in parts])


def stored_parts(state: State) -> list[Part]:
    """The stored tensors of all weights, in the order of the net: what the weight file of this state holds.

    Raises:
        Refusal: E0715, a tensor has a name that no certificate can hold, or names differ at most by case.
    """
    found: list[Part] = []
    for name, operation in state.net.params().items():
        assert operation.payload is not None
        found += parts_of(operation.payload.base, state.weights[name])
    check_names(part.name for part in found)
    folded = Counter(part.name.lower() for part in found)
    alike = [part.name for part in found if folded[part.name.lower()] > 1]
    if alike:
        reason = "upper and lower case do not tell names apart on every disk"
        raise Refusal(
            Diagnostic(
                "E0715",
                f"names that differ at most by case: {', '.join(f'`{name}`' for name in alike[:4])}",
                label=reason,
            )
        )
    return found


def extent(value: Extent) -> Json:
    """A dimension: an integer, or a polynomial as text."""
    return value if isinstance(value, int) else show(value)


def sort_row(sort: Sort) -> dict[str, Json]:
    """What a wire carries."""
    return {"dtype": sort.dtype, "shape": [extent(size) for size in sort.shape]}


def port_rows(ports: Iterable[tuple[str, Sort]]) -> list[Json]:
    """The inputs or outputs of a boundary or an interface."""
    return [{"name": name, **sort_row(sort)} for name, sort in ports]


def encoding_row(encoding: Encoding) -> dict[str, Json]:
    """How a weight is stored."""
    match encoding:
        case Masked(inner):
            return {"kind": "masked", "inner": encoding_row(inner)}
        case Dense():
            return {"kind": "dense"}
        case Codebook():
            return {"kind": "codebook", **asdict(encoding)}
        case Affine(bits, axis, group, symmetric):
            grouped: dict[str, Json] = {"group": group} if group else {}
            return {"axis": axis, "bits": bits, **grouped, "kind": "symmetric" if symmetric else "affine"}


def attribute(value: Attribute) -> Json:
    """An argument that is not a tensor.

    >>> attribute((0.5, None, 1, True, Tensors(2)))
    [{'float': '0x1.0000000000000p-1'}, {'none': True}, 1, True, {'tensors': 2}]
    """
    match value:
        case tuple():
            return [attribute(entry) for entry in value]
        case Polynomial():
            return {"extent": show(value)}
        case Tensors(count):
            return {"tensors": count}
        case None:
            return {"none": True}
        case float():
            assert not math.isnan(value)
            return {"float": value.hex()}
        case _:
            return value
