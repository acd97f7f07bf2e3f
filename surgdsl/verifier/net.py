"""Nets: open hypergraphs whose wires carry sorts, and the conditions N2 to N4 under which one is a model.

The canonical numbering walks backwards from the outputs, so two nets with the same numbering are the same net.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.canonical import canon, rising
from surgdsl.verifier.extent import Extent, integers
from surgdsl.verifier.reject import need
from surgdsl.verifier.weight import Part, Weight
from surgdsl.verifier.weight import parse as parse_weight


@dataclass(frozen=True, slots=True)
class Sort:
    """What a wire carries."""

    dtype: str
    shape: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its label (canonical bytes of all but ports and id), its ports, and the weight of a `param`."""

    name: str
    label: bytes
    raw: dict[str, Any]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    weight: Weight | None

    @property
    def parts(self) -> Iterable[Part]:
        """The parts of the weight, if it is one."""
        return self.weight.parts.values() if self.weight else ()

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes by name, as they are written."""
        return dict(self.raw["attributes"])


@lru_cache(1 << 12)
def described(sort: Sort) -> bytes:
    """The canonical bytes of a sort."""
    return canon({"dtype": sort.dtype, "shape": sort.shape})


@dataclass(frozen=True, slots=True)
class Numbering:
    """The canonical numbering of a net: operations and wires by number, and the canonical bytes of each.

    `uses` says how many ports touch each wire, `parts` what the manifest says of each part, by name in lower case.
    """

    operations: dict[str, int]
    wires: dict[str, int]
    rows: list[bytes]
    sorts: list[bytes]
    uses: list[int]
    parts: dict[str, tuple[str, bytes]]

    def renewed(self, nets: tuple[Net, Net], operations: Mapping[str, str], wires: Mapping[str, str]) -> Numbering:
        """Given its net and one that has others in the places of some operations and wires, the numbering of that.

        V12 when two parts have one name, or names that differ only by case.
        """
        old, net = nets
        found = Numbering({**self.operations}, {**self.wires}, [*self.rows], [*self.sorts], self.uses, {**self.parts})
        for numbers, pairs in ((found.operations, operations), (found.wires, wires)):
            numbers |= {new: numbers.pop(gone) for gone, new in pairs.items()}
        for wire in wires.values():
            found.sorts[found.wires[wire]] = described(net.wires[wire])
        for part in (part for identity in operations for part in old.operations[identity].parts):
            found.parts.pop(part.name.lower(), None)
        for identity in operations.values():
            one = net.operations[identity]
            sources, targets = ([found.wires[wire] for wire in side] for side in (one.sources, one.targets))
            ports = f',"sources":{sources},"targets":{targets}}}'.replace(" ", "")  # the last keys of all
            found.rows[found.operations[identity]] = one.label[:-1] + ports.encode()
            for part in one.parts:
                need(part.name.lower() not in found.parts, "V12", "two parts share a name, up to case")
                row = digests.entry(part.name, part.dtype, part.shape, part.digest)
                found.parts[part.name.lower()] = part.name, row
        return found


@dataclass(frozen=True)
class Net:
    """Wires and operations by id; ordered named inputs and outputs; the numbering, if it is known already."""

    wires: dict[str, Sort]
    operations: dict[str, Operation]
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    known: Numbering | None = None

    def producers(self) -> dict[str, str]:
        """Wire to the operation that produces it, "" for an input; V12 unless there is exactly one (N2)."""
        found = {wire: "" for _, wire in self.inputs}
        count = len(self.inputs)
        for identity, operation in self.operations.items():
            found.update(dict.fromkeys(operation.targets, identity))
            count += len(operation.targets)
        need(len(found) == count and found.keys() == self.wires.keys(), "V12", "a wire is not produced exactly once")
        return found

    def order(self) -> list[str]:
        """Operations in canonical order; V12 when there is a cycle (N3) or one that no output needs (N4)."""
        producers, state, found = self.producers(), dict[str, bool](), list[str]()
        stack = [producers[wire] for _, wire in reversed(self.outputs)]
        while stack:
            identity = stack[-1]
            if not identity or identity in state:
                stack.pop()
                if identity and not state[identity]:
                    state[identity] = True
                    found.append(identity)
                continue
            state[identity] = False
            before = [producers[wire] for wire in self.operations[identity].sources]
            need(all(state.get(other, True) for other in before), "V12", "the net has a cycle")
            stack.extend(other for other in reversed(before) if other not in state)
        need(len(found) == len(self.operations), "V12", "an operation is needed by no output")
        return found

    @cached_property
    def numbering(self) -> Numbering:
        """The canonical numbering; V12 unless this is a net."""
        if self.known is not None:
            return self.known
        order = self.order()
        names = [wire for _, wire in self.inputs]
        names += [wire for identity in order for wire in self.operations[identity].targets]
        operations, wires = ({one: number for number, one in enumerate(side)} for side in (order, names))
        uses = Counter(wire for op in self.operations.values() for wire in (*op.sources, *op.targets))
        blank = Numbering(operations, wires, [b""] * len(order), [b""] * len(names), [uses[name] for name in names], {})
        return blank.renewed((self, self), {one: one for one in order}, {one: one for one in names})

    def written(self) -> bytes:
        """The net in canonical numbering, as canonical bytes."""
        told, sides = self.numbering, (self.inputs, self.outputs)
        ends = [canon([{"name": name, "wire": told.wires[wire]} for name, wire in side]) for side in sides]
        form = b'{"inputs":%s,"operations":[%s],"outputs":%s,"wires":[%s]}'
        return form % (ends[0], b",".join(told.rows), ends[1], b",".join(told.sorts))

    def digest(self) -> str:
        """The graph's digest."""
        return hashlib.sha256(b"surg-graph-v1\0" + self.written()).hexdigest()

    def weights(self) -> list[Weight]:
        """All weights."""
        return [operation.weight for operation in self.operations.values() if operation.weight]

    def manifest(self) -> str:
        """Digest of all parts."""
        return digests.listed(self.numbering.parts.values())

    def boundary(self) -> dict[str, Any]:
        """Inputs and outputs with their sorts, as JSON."""
        sides = {"inputs": self.inputs, "outputs": self.outputs}
        return {
            side: [{"dtype": self.wires[w].dtype, "name": name, "shape": list(self.wires[w].shape)} for name, w in ends]
            for side, ends in sides.items()
        }


def parse_operation(raw: dict[str, Any], wires: dict[str, Sort], prefix: str) -> Operation:
    """An operation that refers to `wires` as prefix + reference; V12 when it refers to others."""
    sources, targets = (tuple(f"{prefix}{wire}" for wire in raw[side]) for side in ("sources", "targets"))
    need(all(wire in wires for wire in sources + targets), "V12", f"`{raw['op']}` refers to a wire that does not exist")
    label = {key: value for key, value in raw.items() if key not in ("id", "sources", "targets")}
    weighs = raw["op"] == "param"
    need(weighs or rising(pair[0] for pair in raw["attributes"]), "V03", f"`{raw['op']}`: unsorted attributes")
    need(not weighs or (not sources and len(targets) == 1), "V09", "a param has no source and one target")
    weight = None
    if weighs:
        sort = wires[targets[0]]
        weight = parse_weight(raw, sort.dtype, integers(sort.shape, "the extents of a weight"))
    return Operation(raw["op"], canon(label), label, sources, targets, weight)


def parse(raw: dict[str, Any]) -> Net:
    """The net of a graph blob, its items named by their numbers: w0, w1, … and o0, o1, and so on."""
    wires = {f"w{number}": Sort(wire["dtype"], tuple(wire["shape"])) for number, wire in enumerate(raw["wires"])}
    inputs, outputs = (tuple((end["name"], f"w{end['wire']}") for end in raw[side]) for side in ("inputs", "outputs"))
    operations = {f"o{number}": parse_operation(row, wires, "w") for number, row in enumerate(raw["operations"])}
    for ends in (inputs, outputs):
        need(all(wire in wires for _, wire in ends), "V12", "an end of the net is a wire that does not exist")
        need(len({name for name, _ in ends}) == len(ends), "V12", "two ends of the net share a name")
    return Net(wires, operations, inputs, outputs)
